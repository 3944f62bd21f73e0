/** Asks how large files are without loading them. In a worker, since the page itself may connect to nobody. */

/** What became of the question. `unknown`: files of which the host does not tell the size. */
export type Size =
  | { readonly ok: true; readonly bytes: number; readonly unknown: number }
  | { readonly ok: false; readonly message: string }

self.onmessage = async ({ data }: MessageEvent<readonly string[]>) => {
  self.postMessage(await sizeOf(data))
}

async function sizeOf(urls: readonly string[]): Promise<Size> {
  let [bytes, unknown] = [0, 0]
  for (const url of urls) {
    try {
      const { ok, status, headers } = await fetch(url, { method: 'HEAD', credentials: 'omit' })
      if (!ok) return { ok: false, message: `${url} is not there (status ${status}): check the name and the place` }
      const length = Number(headers.get('content-length') ?? Number.NaN)
      if (length > 0) bytes += length
      else unknown++
    } catch {
      const why = 'it is away, or allows no other site to ask (CORS), or the policy of this site forbids it'
      return { ok: false, message: `${new URL(url).host} cannot be reached: ${why}` }
    }
  }
  return { ok: true, bytes, unknown }
}
