/** One file from a server: streamed, bounded, and every way to fail in words. */
import { isMonitorError, MonitorError } from '../../core/index.ts'
import { htmlInstead } from './digest.ts'

/** What a server said of a file, so that it can be asked later whether it has changed. */
export interface Validators {
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

export interface DownloadOptions {
  /** For messages. */
  readonly shown: string
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Of the copy at hand: the answer may then be `unchanged`. */
  readonly known: Validators | undefined
  /** Whether the browser's own cache may keep a copy; needless where we keep one. */
  readonly httpCache: boolean
  readonly onBytes: (loaded: number, total: number | undefined) => void
}

/** `away`: the server cannot be reached, is overloaded or broken, or the download broke off; a copy may stand in. */
export type Download =
  | { readonly kind: 'fresh'; readonly bytes: Uint8Array<ArrayBuffer>; readonly validators: Validators }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'away'; readonly error: MonitorError }

/** Fetches a file. Throws `model_unavailable` for a server that refuses, a web page and a file that is too large. */
export async function download(url: URL, options: DownloadOptions): Promise<Download> {
  const { shown, known, signal } = options
  let response: Response
  try {
    response = await fetch(url, { signal, ...settings(url, options) })
  } catch (cause) {
    signal.throwIfAborted()
    const remedy = 'check the network, the address and, in a browser, that the server allows this page (CORS)'
    return away('model_unavailable', `${shown} cannot be reached: ${reasonOf(cause)}; ${remedy}`, cause)
  }
  if (response.status === 304 && known !== undefined) return { kind: 'unchanged' }
  if (!response.ok) {
    await response.body?.cancel()
    const error = refused(response.status, shown)
    if (isPassing(response.status)) return { kind: 'away', error }
    throw error
  }
  const type = response.headers.get('content-type') ?? ''
  if (/^text\/html\b/i.test(type)) {
    await response.body?.cancel()
    throw htmlInstead(shown, `content type ${type}`)
  }
  return readBody(response, options)
}

/** A file above `maxBytes`. */
export function tooLarge(shown: string, bytes: number, maxBytes: number): MonitorError {
  const message = `${shown} has ${bytes} bytes, at most ${maxBytes} are accepted; raise maxBytes if it is the right file`
  return new MonitorError('model_unavailable', message)
}

/**
 * Asks for nothing that makes a browser send a preflight: towards another origin it is the browser's own cache that
 * asks whether the file has changed.
 */
function settings(url: URL, { known, httpCache }: DownloadOptions): RequestInit {
  const headers: Record<string, string> = {}
  if (!isForeign(url) && known?.etag !== undefined) headers['If-None-Match'] = known.etag
  else if (!isForeign(url) && known?.lastModified !== undefined) headers['If-Modified-Since'] = known.lastModified
  if (!('location' in globalThis)) return { headers } // the fetch of some servers refuses the next option
  return { headers, cache: httpCache ? 'no-cache' : 'no-store' }
}

/** Of another origin than the page or worker. */
export function isForeign(url: URL): boolean {
  const { location } = globalThis as { location?: { readonly origin: string } }
  return location !== undefined && location.origin !== url.origin
}

/** Timeouts, floods and faults of a server pass. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

function refused(status: number, shown: string): MonitorError {
  const remedies: Readonly<Record<number, string>> = {
    401: 'it wants a login; fetch it and hand in the bytes',
    403: 'it is not for you; check access rights and expired links',
    404: 'no such file; check the URL',
    410: 'it was removed; check the URL',
  }
  const remedy = remedies[status] ?? (isPassing(status) ? 'try again later' : 'check the URL')
  return new MonitorError('model_unavailable', `${shown} was refused by its server with status ${status}: ${remedy}`)
}

function away(code: 'model_unavailable' | 'model_truncated', message: string, cause?: unknown): Download {
  return { kind: 'away', error: new MonitorError(code, message, '', { cause }) }
}

async function readBody(response: Response, options: DownloadOptions): Promise<Download> {
  const { shown, maxBytes, signal } = options
  const length = declaredLength(response)
  if (length !== undefined && length > maxBytes) {
    await response.body?.cancel()
    throw tooLarge(shown, length, maxBytes)
  }
  const chunks = new Chunks(length)
  try {
    for await (const chunk of chunksOf(response)) {
      chunks.add(chunk)
      if (chunks.length > maxBytes) throw tooLarge(shown, chunks.length, maxBytes)
      options.onBytes(chunks.length, length !== undefined && chunks.length <= length ? length : undefined)
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (isMonitorError(cause)) throw cause
    return brokeOff(shown, chunks.length, length, cause)
  }
  if (isPlain(response) && length !== undefined && chunks.length < length) {
    return brokeOff(shown, chunks.length, length)
  }
  const { headers } = response
  const validators = { etag: headers.get('etag') ?? undefined, lastModified: headers.get('last-modified') ?? undefined }
  return { kind: 'fresh', bytes: chunks.joined(), validators }
}

function brokeOff(shown: string, got: number, of: number | undefined, cause?: unknown): Download {
  const share = of === undefined ? `${got} bytes` : `${got} of ${of} bytes`
  return away('model_truncated', `the download of ${shown} broke off after ${share}; try again`, cause)
}

/** The length in the header: of what is sent, which may be compressed. */
function declaredLength({ headers }: Response): number | undefined {
  const text = headers.get('content-length') ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/** Whether the bytes are surely those that were sent. Towards another origin a browser hides that they were compressed. */
function isPlain({ headers, type }: Response): boolean {
  const encoding = headers.get('content-encoding') ?? 'identity'
  return encoding === 'identity' && (type !== 'cors' || !('location' in globalThis))
}

/** Not `for await` over the stream itself, which Safari lacks. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null || response.body === undefined) {
    yield new Uint8Array(await response.arrayBuffer())
    return
  }
  const reader = response.body.getReader()
  let isDone = false
  try {
    while (!isDone) {
      const { done, value } = await reader.read()
      isDone = done
      if (value !== undefined) yield value
    }
  } finally {
    if (!isDone) await reader.cancel().catch(() => {}) // it failed or is not wanted: nothing more to learn
  }
}

/** Bytes as they come, in one array that has its final length from the start where the server tells it. */
class Chunks {
  #bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(expected: number | undefined) {
    this.#bytes = new Uint8Array(expected ?? 2 ** 16)
  }

  add(chunk: Uint8Array): void {
    const end = this.length + chunk.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.length))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.length)
    this.length = end
  }

  joined(): Uint8Array<ArrayBuffer> {
    return this.length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.length)
  }
}

/** Node says `fetch failed` and the reason in the cause. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = thrown as Error & { readonly cause?: { readonly code?: string } }
  return cause?.code === undefined ? message : `${message} (${cause.code})`
}
