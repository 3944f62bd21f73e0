/** A file from a server or from the cache, whichever is right. */
import type { CheckedCache } from './cache.ts'
import { verify } from './digest.ts'
import { type Download, download, isForeign, tooLarge, type Validators } from './download.ts'

/** What is told while a file is fetched. */
export type Told =
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'bytes'; readonly loaded: number; readonly total: number | undefined }

export interface Remote {
  readonly url: URL
  readonly shown: string
  readonly sha256: string | undefined
  readonly maxBytes: number
  /** Whether the server is asked if what we have is still the newest. */
  readonly mayAsk: boolean
  readonly store: CheckedCache | undefined
  readonly signal: AbortSignal
  readonly tell: (told: Told) => void
}

/** See `loadModel`, which says when the cache is used and what is thrown. */
export async function fetchModel(remote: Remote): Promise<Uint8Array<ArrayBuffer>> {
  const { shown, sha256, mayAsk, maxBytes, store, tell } = remote
  const kept = await store?.read()
  if (kept !== undefined && kept.bytes.length > maxBytes) throw tooLarge(shown, kept.bytes.length, maxBytes)
  if (kept !== undefined && !mayAsk) return kept.bytes
  const answer = await ask(remote, kept)
  if (answer.kind === 'unchanged') return kept!.bytes
  if (answer.kind === 'away') {
    if (kept === undefined) throw answer.error
    tell({ kind: 'warning', message: `${answer.error.message} (the copy in the cache is used)` })
    return kept.bytes
  }
  const { bytes, validators } = answer
  const digest = await verify(bytes, sha256, shown)
  await store?.write({ bytes, sha256: digest, ...validators })
  return bytes
}

function ask(remote: Remote, known: Validators | undefined): Promise<Download> {
  const { url, shown, maxBytes, mayAsk, store, signal, tell } = remote
  const onBytes = (loaded: number, total: number | undefined) => tell({ kind: 'bytes', loaded, total })
  const httpCache = store === undefined || (mayAsk && isForeign(url))
  return download(url, { shown, maxBytes, signal, known, httpCache, onBytes })
}
