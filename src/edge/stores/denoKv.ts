import { MonitorError } from '../../core/index.ts'
import { join, split } from './bytes.ts'
import { type Appended, appendedAfter, checkFollows, numberOf, positionOf, type Stores } from './store.ts'

type Key = readonly (string | number)[]

interface KvEntry {
  readonly key: readonly unknown[]
  readonly value: unknown
  readonly versionstamp: string | null
}

interface KvAtomic {
  check(...checks: readonly { readonly key: Key; readonly versionstamp: string | null }[]): KvAtomic
  set(key: Key, value: unknown): KvAtomic
  delete(key: Key): KvAtomic
  commit(): Promise<{ readonly ok: boolean; readonly versionstamp?: string }>
}

/** What of Deno KV is used: what `Deno.openKv()` gives. */
export interface DenoKvLike {
  get(key: Key): Promise<KvEntry>
  list(
    selector: { readonly start: Key; readonly end: Key },
    options?: { readonly batchSize?: number },
  ): AsyncIterable<KvEntry>
  atomic(): KvAtomic
}

export interface DenoKvOptions {
  /** The first parts of every key. Default `['monitaur']`; give each monitor its own. */
  readonly prefix?: readonly string[]
}

/** A value may have 64 KiB. */
const PART = 60_000
/** A commit may have 1000 changes and 800 KiB, keys included. */
const COMMIT_PARTS = 10
const COMMIT_ENTRIES = 400
const COMMIT_BYTES = PART * COMMIT_PARTS
const ATTEMPTS = 200
const LOCKED_MS = 5

interface Head {
  readonly last: number
  readonly trimmed: number
}

interface Pointer {
  readonly position: string
  /** Grows with every snapshot; the parts of earlier ones may go. */
  readonly turn: number
  readonly token: string
  readonly parts: number
}

/**
 * Stores in Deno KV. Several processes or isolates may use the same keys: each append names the end of the log that it
 * follows, and is made again if another one came first. The connection is the caller's to close.
 */
export function denoKvStores(kv: DenoKvLike, { prefix = ['monitaur'] }: DenoKvOptions = {}): Stores {
  const headKey = [...prefix, 'head']
  const pointerKey = [...prefix, 'snapshot']
  const entryKey = (...rest: readonly number[]) => [...prefix, 'log', ...rest]
  const partKey = (...rest: Key) => [...prefix, 'part', ...rest]
  let known: { readonly head: Head; readonly versionstamp: string | null } | undefined
  let appending: Promise<unknown> = Promise.resolve()

  async function readHead() {
    const { value, versionstamp } = await kv.get(headKey)
    return { head: (value ?? { last: 0, trimmed: 0 }) as Head, versionstamp }
  }

  /** One commit together with a new head, made again until nobody else came first. Gives the head before it. */
  async function commit(change: (head: Head, atomic: KvAtomic) => Head | undefined): Promise<Head> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { head, versionstamp } = known ?? (await readHead())
      known = undefined
      const atomic = kv.atomic().check({ key: headKey, versionstamp })
      const next = change(head, atomic)
      if (next === undefined) return head
      const done = await committed(atomic.set(headKey, next))
      if (!done.ok) continue
      if (done.versionstamp !== undefined) known = { head: next, versionstamp: done.versionstamp }
      return head
    }
    throw new MonitorError('store_failed', `other writers came first ${ATTEMPTS} times`, 'store')
  }

  async function append(entries: readonly Uint8Array[]): Promise<Appended> {
    const groups = groupsOf(entries)
    const appended: Appended[] = []
    for (const group of groups) {
      const { last } = await commit((head, atomic) => {
        for (const [i, bytes] of group.entries()) {
          for (const [k, part] of split(bytes, PART).entries()) atomic.set(entryKey(head.last + 1 + i, k), part)
        }
        return { ...head, last: head.last + group.length }
      })
      appended.push(appendedAfter(last, group.length))
    }
    const positions = appended.flatMap((one) => one.positions)
    const isWhole = numberOf(positions.at(-1)!) - numberOf(positions[0]!) === positions.length - 1
    return { positions, after: isWhole ? appended[0]!.after : undefined }
  }

  async function removeAll(start: Key, end: Key): Promise<void> {
    let keys: Key[] = []
    const remove = async () => {
      const atomic = kv.atomic()
      for (const key of keys) atomic.delete(key)
      await unlocked(atomic)
      keys = []
    }
    for await (const { key } of kv.list({ start, end })) {
      keys.push(key as Key)
      if (keys.length === COMMIT_ENTRIES) await remove()
    }
    if (keys.length > 0) await remove()
  }

  async function saveParts(bytes: Uint8Array, turn: number, token: string): Promise<number> {
    const parts = split(bytes, PART)
    for (let start = 0; start < parts.length; start += COMMIT_PARTS) {
      const atomic = kv.atomic()
      for (const [i, part] of parts.slice(start, start + COMMIT_PARTS).entries()) {
        atomic.set(partKey(turn, token, start + i), part)
      }
      await unlocked(atomic)
    }
    return parts.length
  }

  return {
    log: {
      isShared: true,
      maxBytes: COMMIT_BYTES,
      append(entries) {
        const copies = entries.map((bytes) => bytes.slice())
        const mine = appending.then(() => append(copies))
        appending = mine.catch(() => {})
        return mine
      },
      async *read(after) {
        const { head } = await readHead()
        let number = Math.max(numberOf(after), head.trimmed)
        let parts: Uint8Array[] = []
        const record = () => ({ position: positionOf(number), bytes: join(parts) })
        const selector = { start: entryKey(number + 1), end: entryKey(head.last + 1) }
        for await (const { key, value } of kv.list(selector, { batchSize: 100 })) {
          const [found, part] = key.slice(-2) as [number, number]
          if (part === 0) {
            if (parts.length > 0) yield record()
            number = checkFollows(found, number)
            parts = []
          }
          parts.push(value as Uint8Array)
        }
        if (parts.length > 0) yield record()
        if (number < head.last) checkFollows(undefined, number)
      },
      async trim(upTo) {
        const end = numberOf(upTo)
        await commit((head) => {
          const trimmed = Math.min(end, head.last)
          return trimmed > head.trimmed ? { ...head, trimmed } : undefined
        })
        await removeAll(entryKey(), entryKey(Math.min(end, (await readHead()).head.trimmed) + 1))
      },
      trimmed: async () => positionOf((await readHead()).head.trimmed),
      end: async () => positionOf((await readHead()).head.last),
    },
    snapshots: {
      async load() {
        for (;;) {
          const { value, versionstamp } = await kv.get(pointerKey)
          if (value === null) return undefined
          const { position, turn, token, parts } = value as Pointer
          const found: Uint8Array[] = []
          const selector = { start: partKey(turn, token), end: partKey(turn, token, parts) }
          for await (const part of kv.list(selector)) found.push(part.value as Uint8Array)
          if (found.length === parts) return { bytes: join(found), position }
          if ((await kv.get(pointerKey)).versionstamp !== versionstamp) continue // replaced meanwhile
          throw new MonitorError('bad_snapshot', `has ${found.length} of ${parts} parts`, 'snapshot')
        }
      },
      async save(bytes, position) {
        for (;;) {
          const { value, versionstamp } = await kv.get(pointerKey)
          const old = value as Pointer | null
          if (old !== null && old.position > position) return
          const turn = (old?.turn ?? 0) + 1
          const token = crypto.randomUUID()
          const parts = await saveParts(bytes, turn, token)
          const pointer: Pointer = { position, turn, token, parts }
          const { ok } = await committed(kv.atomic().check({ key: pointerKey, versionstamp }).set(pointerKey, pointer))
          if (ok) return removeAll(partKey(), partKey(turn))
          await removeAll(partKey(turn, token), partKey(turn, token, parts))
        }
      },
    },
    close: async () => {
      await appending
    },
  }
}

/** Another process that writes to the file at this moment is a writer that came first. */
async function committed(atomic: KvAtomic) {
  try {
    return await atomic.commit()
  } catch (thrown) {
    if (!/database is (locked|busy)/.test(String(thrown))) throw thrown
    await new Promise((resolve) => setTimeout(resolve, LOCKED_MS * (1 + Math.random())))
    return { ok: false }
  }
}

/** A commit without checks: made again until it is done. */
async function unlocked(atomic: KvAtomic): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) if ((await committed(atomic)).ok) return
  throw new MonitorError('store_failed', `the database was locked ${ATTEMPTS} times`, 'store')
}

/** Entries in groups that fit into one commit each. */
function groupsOf(entries: readonly Uint8Array[]): Uint8Array[][] {
  const groups: Uint8Array[][] = []
  let room = 0
  for (const bytes of entries) {
    if (groups.length === 0 || bytes.length > room || groups.at(-1)!.length === COMMIT_ENTRIES) {
      groups.push([])
      room = COMMIT_BYTES
    }
    groups.at(-1)!.push(bytes)
    room -= bytes.length
  }
  return groups
}
