/** Where fetched files are kept. Whatever goes wrong with it is a warning: the network is still there. */
import { MonitorError, refuse } from '../../core/index.ts'
import { digestOf } from './digest.ts'
import { folderStore } from './folder.ts'
import { nodeFiles } from './node.ts'
import { showUrl } from './source.ts'
import { webStore } from './webStore.ts'

/** `true`: where it is usual here; `false`: nowhere; `{ folder }`: in that folder (Node, Deno, Bun). */
export type CacheChoice = boolean | { readonly folder: string }

/** A kept file, and what its server said of it. */
export interface CacheEntry {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Of the bytes, when they were put in. */
  readonly sha256: string
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

/** Entries by key, 64 hexadecimal digits. Any call may fail; an entry that makes no sense is undefined. */
export interface EntryStore {
  get(key: string): Promise<CacheEntry | undefined>
  put(key: string, entry: CacheEntry): Promise<void>
  delete(key: string): Promise<void>
}

/** The place of one file in a cache. Neither call ever rejects. */
export interface CheckedCache {
  /** The entry, if its bytes are still those that were put in, or have the wanted digest; a spoiled one is dropped. */
  read(): Promise<CacheEntry | undefined>
  write(entry: CacheEntry): Promise<void>
}

/** Throws `bad_config`. */
export function checkCacheChoice(choice: unknown, path: string): void {
  if (typeof choice === 'boolean') return
  const folder = (choice as { folder?: unknown } | null)?.folder
  if (typeof folder !== 'string' || folder === '') {
    refuse('bad_config', 'must be true, false or { folder: a path }', choice, path)
  }
  if (nodeFiles() === undefined) {
    throw new MonitorError('bad_config', 'a folder needs Node, Deno or Bun; leave it out here', path)
  }
}

/** What is to be kept, and where. */
export interface CacheRequest {
  readonly url: URL
  readonly sha256: string | undefined
  readonly choice: CacheChoice
  readonly warn: (message: string) => void
}

/**
 * The place of a file in the cache, named by its digest, so that it is found again under any URL, or else by the digest
 * of its URL. Undefined where nothing is kept: by choice, where there is no cache, or for a URL that is not http(s).
 */
export async function openCache({ url, sha256, choice, warn }: CacheRequest): Promise<CheckedCache | undefined> {
  const store = /^https?:$/.test(url.protocol) ? storeOf(choice) : undefined
  if (store === undefined) return undefined
  const key = sha256 ?? (await digestOf(new TextEncoder().encode(url.href.replace(/#.*$/, ''))))
  const shown = showUrl(url)
  const attempt = async <T>(what: string, work: () => Promise<T>) => {
    try {
      return await work()
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      warn(`the cache cannot be ${what} for ${shown}: ${reason}`)
      return undefined
    }
  }
  return {
    async read() {
      const entry = await attempt('read', () => store.get(key))
      if (entry === undefined) return undefined
      const digest = await digestOf(entry.bytes)
      if (digest === (sha256 ?? entry.sha256)) return entry
      warn(`the copy of ${shown} in the cache was damaged; it is fetched anew`)
      await attempt('cleared', () => store.delete(key))
      return undefined
    },
    async write(entry) {
      await attempt('written', () => store.put(key, entry))
    },
  }
}

function storeOf(choice: CacheChoice): EntryStore | undefined {
  if (choice === false) return undefined
  if (choice !== true) return folderStore(choice.folder)
  const { caches } = globalThis as { caches?: CacheStorage }
  if (caches !== undefined) return webStore(caches)
  return nodeFiles() === undefined ? undefined : folderStore()
}
