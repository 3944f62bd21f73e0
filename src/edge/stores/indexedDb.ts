import { MonitorError } from '../../core/index.ts'
import { appendedAfter, checkFollows, numberOf, positionOf, type Stores } from './store.ts'

export interface IndexedDbOptions {
  /** Tells the monitors of one origin apart. Default `default`. */
  readonly name?: string
  /** Wait for a tab that uses the same stores to close them, instead of being refused. Default false. */
  readonly wait?: boolean
}

interface Head {
  readonly last: number
  readonly trimmed: number
}

interface Saved {
  readonly number: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

const VERSION = 1
const PAGE = 64
const EMPTY: Head = { last: 0, trimmed: 0 }

/**
 * Stores in the browser's IndexedDB, for pages and workers: what a monitor has acknowledged survives the tab. One tab at a
 * time may use stores of one name; another one is refused with `store_busy`, until the first is closed or has closed them.
 * The browser may evict the data when the disk is full, unless the site asked for `navigator.storage.persist()`.
 *
 * Rejects with `store_busy`, `backend_unavailable` where IndexedDB or Web Locks (a secure context) are missing, and
 * `store_failed`.
 */
export async function indexedDbStores({ name = 'default', wait = false }: IndexedDbOptions = {}): Promise<Stores> {
  const release = await lock(`monitaur:${name}`, wait)
  let database: IDBDatabase
  try {
    database = await open(`monitaur:${name}`)
  } catch (thrown) {
    release()
    throw thrown
  }

  /** One transaction, on the disk when it resolves. */
  function transact<T>(mode: IDBTransactionMode, run: (tables: Tables, give: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(['log', 'places'], mode, { durability: 'strict' })
      let result: T
      transaction.oncomplete = () => resolve(result)
      transaction.onabort = () => reject(failed(transaction.error))
      run({ log: transaction.objectStore('log'), places: transaction.objectStore('places') }, (value) => {
        result = value
      })
    })
  }

  function withHead<T>(mode: IDBTransactionMode, run: (head: Head, tables: Tables, give: (value: T) => void) => void) {
    return transact<T>(mode, (tables, give) => {
      onResult<Head | undefined>(tables.places.get('head'), (head) => run(head ?? EMPTY, tables, give))
    })
  }

  return {
    log: {
      isShared: false,
      maxBytes: 2 ** 26,
      append(entries) {
        const copies = entries.map((bytes) => new Uint8Array(bytes))
        return withHead('readwrite', ({ last, trimmed }, { log, places }, give) => {
          for (const [i, bytes] of copies.entries()) log.add(bytes, last + 1 + i)
          places.put({ last: last + copies.length, trimmed }, 'head')
          give(appendedAfter(last, copies.length))
        })
      },
      async *read(after) {
        const { last, trimmed } = await withHead<Head>('readonly', (head, _, give) => give(head))
        let number = Math.max(numberOf(after), trimmed)
        while (number < last) {
          const range = IDBKeyRange.bound(number + 1, Math.min(number + PAGE, last))
          const page = await transact<Uint8Array<ArrayBuffer>[]>('readonly', ({ log }, give) => {
            onResult<Uint8Array<ArrayBuffer>[]>(log.getAll(range), give)
          })
          if (page.length < Math.min(PAGE, last - number)) checkFollows(undefined, number + page.length)
          for (const bytes of page) {
            number++
            yield { position: positionOf(number), bytes }
          }
        }
      },
      trim: (upTo) =>
        withHead('readwrite', ({ last, trimmed }, { log, places }) => {
          const end = Math.min(numberOf(upTo), last)
          if (end <= trimmed) return
          log.delete(IDBKeyRange.upperBound(end))
          places.put({ last, trimmed: end }, 'head')
        }),
      trimmed: () => withHead('readonly', ({ trimmed }, _, give) => give(positionOf(trimmed))),
    },
    snapshots: {
      async load() {
        const saved = await transact<Saved | undefined>('readonly', ({ places }, give) => {
          onResult<Saved | undefined>(places.get('snapshot'), give)
        })
        return saved === undefined ? undefined : { bytes: saved.bytes, position: positionOf(saved.number) }
      },
      save(bytes, position) {
        const saved: Saved = { number: numberOf(position), bytes: new Uint8Array(bytes) }
        return transact('readwrite', ({ places }) => {
          onResult<Saved | undefined>(places.get('snapshot'), (old) => {
            if (old === undefined || old.number <= saved.number) places.put(saved, 'snapshot')
          })
        })
      },
    },
    async close() {
      database.close() // behind the transactions under way
      release()
    },
  }
}

interface Tables {
  readonly log: IDBObjectStore
  readonly places: IDBObjectStore
}

function onResult<T>(request: IDBRequest, use: (result: T) => void): void {
  request.onsuccess = () => use(request.result as T)
}

function failed(cause: DOMException | null): MonitorError {
  const message = `IndexedDB failed: ${cause?.message || cause?.name || 'the transaction was aborted'}`
  return new MonitorError('store_failed', message, 'store', { cause })
}

/** Holds a Web Lock until the function that it gives is called, or the tab is gone. */
function lock(name: string, wait: boolean): Promise<() => void> {
  const locks = globalThis.navigator?.locks as LockManager | undefined
  if (locks === undefined || globalThis.indexedDB === undefined) {
    const message = 'needs IndexedDB and Web Locks: a browser, and https or localhost'
    return Promise.reject(new MonitorError('backend_unavailable', message, 'store'))
  }
  return new Promise((resolve, reject) => {
    const hold = (held: Lock | null) => {
      if (held !== null) return new Promise<void>((release) => resolve(release))
      const remedy = 'close it there, choose another name, wait for it, or use a memory of this tab alone'
      reject(new MonitorError('store_busy', `another tab or worker uses '${name}'; ${remedy}`, 'store'))
      return undefined
    }
    locks.request(name, wait ? {} : { ifAvailable: true }, hold).catch(reject)
  })
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, VERSION)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('log')
      request.result.createObjectStore('places')
    }
    request.onblocked = () => reject(new MonitorError('store_busy', 'another tab holds an older version open', 'store'))
    request.onerror = () => reject(failed(request.error))
    request.onsuccess = () => {
      // A later release of this library, or "delete site data", wants the database for itself.
      request.result.onversionchange = () => request.result.close()
      resolve(request.result)
    }
  })
}
