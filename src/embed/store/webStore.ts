/** Files in the Cache API of a browser, a worker or Deno. The platform may throw out any of them at any time. */
import type { CacheEntry, EntryStore } from './cache.ts'

const NAME = 'monitaur-models'

/** Keys of the Cache API are URLs; nobody fetches these. */
const PREFIX = 'https://models.monitaur.invalid/'

const DIGEST = 'x-monitaur-sha256'

/** A store in `caches`. A response is put in as a whole or not at all. */
export function webStore(caches: CacheStorage): EntryStore {
  return {
    async get(key) {
      const response = await (await caches.open(NAME)).match(PREFIX + key)
      if (response === undefined) return undefined
      const { headers } = response
      return {
        bytes: new Uint8Array(await response.arrayBuffer()),
        sha256: headers.get(DIGEST) ?? '',
        etag: headers.get('etag') ?? undefined,
        lastModified: headers.get('last-modified') ?? undefined,
      }
    },
    async put(key, entry) {
      const response = new Response(entry.bytes, { headers: headersOf(entry) })
      await (await caches.open(NAME)).put(PREFIX + key, response)
    },
    async delete(key) {
      await (await caches.open(NAME)).delete(PREFIX + key)
    },
  }
}

function headersOf({ bytes, sha256, etag, lastModified }: CacheEntry): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'content-length': String(bytes.length),
    [DIGEST]: sha256,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
  }
}
