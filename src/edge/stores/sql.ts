import { elementType } from '../../core/index.ts'
import { join, split } from './bytes.ts'
import { appendedAfter, checkFollows, numberOf, positionOf, type Stores } from './store.ts'

/** What of a Durable Object's storage is used: `ctx.storage` of one with SQLite. */
export interface SqlStorageLike {
  readonly sql: {
    exec(query: string, ...bindings: readonly (string | number | Uint8Array)[]): Iterable<Record<string, unknown>>
  }
  transactionSync<T>(run: () => T): T
}

/** A row may have 2 MB, keys and headers included. */
const MAX_ROW = 1_900_000
const PAGE = 256

/**
 * Stores in the SQLite database of a Durable Object, in tables whose names begin with `monitaur_`. What the object answers
 * leaves it only once its writes are durable (the platform's output gate), so an entry is durable when its verdict arrives.
 */
export function sqlStores(storage: SqlStorageLike): Stores {
  const { sql } = storage
  sql.exec('CREATE TABLE IF NOT EXISTS monitaur_log (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)')
  sql.exec('CREATE TABLE IF NOT EXISTS monitaur_snapshot (part INTEGER PRIMARY KEY, bytes BLOB NOT NULL)')
  sql.exec('CREATE TABLE IF NOT EXISTS monitaur_places (name TEXT PRIMARY KEY, number INTEGER NOT NULL)')

  const rows = (query: string, ...bindings: (string | number | Uint8Array)[]) => [...sql.exec(query, ...bindings)]
  const place = (name: 'last' | 'trimmed' | 'snapshot') => {
    const [row] = rows('SELECT number FROM monitaur_places WHERE name = ?', name)
    return row === undefined ? undefined : Number(row['number'])
  }
  const setPlace = (name: 'last' | 'trimmed' | 'snapshot', number: number) => {
    sql.exec('INSERT OR REPLACE INTO monitaur_places VALUES (?, ?)', name, number)
  }

  return {
    log: {
      isShared: false,
      maxBytes: MAX_ROW,
      async append(entries) {
        return storage.transactionSync(() => {
          const last = place('last') ?? 0
          for (const [i, bytes] of entries.entries()) {
            sql.exec('INSERT INTO monitaur_log VALUES (?, ?)', last + 1 + i, bytes)
          }
          setPlace('last', last + entries.length)
          return appendedAfter(last, entries.length)
        })
      },
      async *read(after) {
        const last = place('last') ?? 0
        let number = Math.max(numberOf(after), place('trimmed') ?? 0)
        while (number < last) {
          const query =
            'SELECT number, bytes FROM monitaur_log WHERE number > ? AND number <= ? ORDER BY number LIMIT ?'
          const page = rows(query, number, last, PAGE)
          if (page.length === 0) checkFollows(undefined, number)
          for (const row of page) {
            number = checkFollows(row['number'], number)
            yield { position: positionOf(number), bytes: bytesOf(row['bytes']) }
          }
        }
      },
      async trim(upTo) {
        storage.transactionSync(() => {
          const end = Math.min(numberOf(upTo), place('last') ?? 0)
          if (end <= (place('trimmed') ?? 0)) return
          sql.exec('DELETE FROM monitaur_log WHERE number <= ?', end)
          setPlace('trimmed', end)
        })
      },
      trimmed: async () => positionOf(place('trimmed') ?? 0),
    },
    snapshots: {
      async load() {
        const number = place('snapshot')
        if (number === undefined) return undefined
        const parts = rows('SELECT bytes FROM monitaur_snapshot ORDER BY part').map((row) => bytesOf(row['bytes']))
        return { bytes: join(parts), position: positionOf(number) }
      },
      async save(bytes, position) {
        const number = numberOf(position)
        storage.transactionSync(() => {
          if ((place('snapshot') ?? 0) > number) return
          sql.exec('DELETE FROM monitaur_snapshot')
          for (const [i, part] of split(bytes, MAX_ROW).entries()) {
            sql.exec('INSERT INTO monitaur_snapshot VALUES (?, ?)', i, part)
          }
          setPlace('snapshot', number)
        })
      },
    },
    close: async () => {},
  }
}

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  return elementType(value) === 'Uint8Array' ? (value as Uint8Array).slice() : new Uint8Array(value as ArrayBuffer)
}
