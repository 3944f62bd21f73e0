/**
 * Model files by URL, path or bytes. A file is checked before use, wherever it comes from; one that was fetched is kept
 * for the next time, when a digest makes the network unnecessary.
 */
import { checkFunction, checkNumber, refuse } from '../../core/index.ts'
import type { LoadOptions, ProgressEvent } from '../embedder.ts'
import { abortable } from '../order.ts'
import { type CacheChoice, checkCacheChoice, openCache } from './cache.ts'
import { checkDigest, verify } from './digest.ts'
import { tooLarge } from './download.ts'
import { readModelFile } from './file.ts'
import { fetchModel, type Told } from './remote.ts'
import { SharedWork } from './share.ts'
import { locate, type ModelSource, type Place } from './source.ts'

/** Options of {@link loadModel}. */
export interface LoadModelOptions extends LoadOptions {
  /** SHA-256 of the file, 64 hexadecimal digits. With it, a copy in the cache is used without asking the server. */
  readonly sha256?: string | undefined
  /**
   * Where files from http(s) are kept. Default `true`: the Cache API under the name `monitaur-models`, which in Deno
   * belongs to the main script; where there is none, as in Node and Bun, the folder `monitaur` in `$XDG_CACHE_HOME` or
   * `~/.cache`. `{ folder }`: that folder. `false`: nowhere. Nothing is ever thrown out of a folder; to make room, delete
   * it.
   */
  readonly cache?: CacheChoice | undefined
  /**
   * Whether to ask the server if a copy in the cache is still the newest; with `sha256` it never is asked. Default true.
   * False for files that do not change under their URL.
   */
  readonly revalidate?: boolean | undefined
  /** Most bytes accepted, inclusive. Default 512 MiB. */
  readonly maxBytes?: number | undefined
  /** Called with a sentence when the cache cannot be read or written, or stands in for a server that is away. */
  readonly onWarning?: ((message: string) => void) | undefined
}

const MAX_BYTES = 512 * 2 ** 20

/** Downloads under way in this realm. A settled one is forgotten: no bytes are held, and a failure can be tried again. */
const downloads = /* @__PURE__ */ new SharedWork<Uint8Array<ArrayBuffer>, Told>()

/**
 * The bytes of a model file; given bytes come back as they are, not copied. Concurrent loads of one URL share one
 * download, which stops when the last of them is aborted. With `sha256` a file in the cache is used without the network;
 * without it the server is asked whether the file has changed, and if it cannot be reached, or answers 408, 429 or 5xx,
 * the file in the cache is used and `onWarning` told. A file in the cache that is damaged or gone is fetched anew, and a
 * cache that cannot be written fails no load. There is no time limit: hand in `AbortSignal.timeout(ms)` for one.
 *
 * @throws `model_mismatch` for another digest than `sha256`; `model_truncated` for a download that broke off;
 * `model_unavailable` for a server that refuses or cannot be reached, a web page or a Git LFS pointer in place of the
 * file, a missing file, or one above `maxBytes`; `bad_config` for a wrong option; `aborted`.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<Uint8Array> {
  const settings = check(options)
  const place = locate(source)
  const report = reporter(place.file, options.onProgress)
  const bytes = await (place.kind === 'url' ? loadUrl(place, settings, report) : loadLocal(place, settings))
  report(bytes.length, bytes.length)
  return bytes
}

interface Settings {
  readonly sha256: string | undefined
  readonly maxBytes: number
  readonly cache: CacheChoice
  readonly mayAsk: boolean
  readonly signal: AbortSignal | undefined
  readonly onWarning: ((message: string) => void) | undefined
}

type Report = (loaded: number, total?: number) => void

function check(options: LoadModelOptions): Settings {
  const { maxBytes = MAX_BYTES, cache = true, revalidate = true, signal, onProgress, onWarning } = options
  checkNumber(maxBytes, { min: 1, integer: true }, 'maxBytes')
  checkFunction(onWarning, 'onWarning')
  checkFunction(onProgress, 'onProgress')
  checkCacheChoice(cache, 'cache')
  if (typeof revalidate !== 'boolean') refuse('bad_config', 'must be true or false', revalidate, 'revalidate')
  const sha256 = options.sha256 === undefined ? undefined : checkDigest(options.sha256, 'sha256')
  return { sha256, maxBytes, cache, mayAsk: revalidate && sha256 === undefined, signal, onWarning }
}

async function loadUrl(place: Place & { readonly kind: 'url' }, settings: Settings, report: Report) {
  const { url, shown } = place
  const { sha256, maxBytes, cache, mayAsk, signal, onWarning } = settings
  const listener = (told: Told) => {
    if (told.kind === 'warning') onWarning?.(told.message)
    else report(told.loaded, told.total)
  }
  const start = async (stop: AbortSignal, tell: (told: Told) => void) => {
    const warn = (message: string) => tell({ kind: 'warning', message })
    const store = await openCache({ url, sha256, choice: cache, warn })
    return fetchModel({ url, shown, sha256, maxBytes, mayAsk, store, signal: stop, tell })
  }
  const key = JSON.stringify([url.href, sha256, maxBytes, cache, mayAsk])
  const { value, first } = await downloads.join(key, { signal, listener }, start)
  return first ? value : value.slice() // nobody holds the memory of another
}

async function loadLocal(place: Place & { readonly kind: 'bytes' | 'file' }, settings: Settings): Promise<Uint8Array> {
  const { sha256, maxBytes, signal } = settings
  const read = async () => {
    const bytes = await (place.kind === 'file' ? readModelFile(place, maxBytes) : place.read())
    if (bytes.length > maxBytes) throw tooLarge(place.shown, bytes.length, maxBytes)
    await verify(bytes, sha256, place.shown)
    return bytes
  }
  return abortable(signal?.aborted ? never() : read(), signal)
}

/** Stands for work that is not begun, because it is aborted already. */
function never(): Promise<never> {
  return new Promise(() => {})
}

/** Progress of one caller: `overall` is the share of the file, and never falls when a download starts again. */
function reporter(file: string, onProgress: ((event: ProgressEvent) => void) | undefined): Report {
  let overall = 0
  return (loaded, total) => {
    overall = Math.max(overall, total === undefined || total === 0 ? 0 : loaded / total)
    onProgress?.({ phase: 'download', file, loaded, ...(total === undefined ? {} : { total }), overall })
  }
}
