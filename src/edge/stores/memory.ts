import { appendedAfter, numberOf, positionOf, type Stores } from './store.ts'

/** Stores that live as long as their variable: for tests, and for monitors that need not remember. */
export function memoryStores(): Stores {
  let entries: Uint8Array<ArrayBuffer>[] = []
  let trimmed = 0
  let snapshot: { readonly bytes: Uint8Array<ArrayBuffer>; readonly position: string } | undefined
  return {
    log: {
      isShared: true, // whoever has the variable may write
      maxBytes: 2 ** 30,
      async append(added) {
        const last = trimmed + entries.length
        entries.push(...added.map((bytes) => new Uint8Array(bytes)))
        return appendedAfter(last, added.length)
      },
      async *read(after) {
        const start = Math.max(numberOf(after), trimmed)
        for (const [i, bytes] of entries.slice(start - trimmed).entries()) {
          yield { position: positionOf(start + 1 + i), bytes: bytes.slice() }
        }
      },
      async trim(upTo) {
        const gone = Math.max(0, Math.min(numberOf(upTo) - trimmed, entries.length))
        entries = entries.slice(gone)
        trimmed += gone
      },
      trimmed: async () => positionOf(trimmed),
      end: async () => positionOf(trimmed + entries.length),
    },
    snapshots: {
      load: async () => snapshot,
      async save(bytes, position) {
        if (snapshot === undefined || snapshot.position <= position)
          snapshot = { bytes: new Uint8Array(bytes), position }
      },
    },
    close: async () => {},
  }
}
