/**
 * What every store must do, as checks without a test runner and without a platform: they run in Vitest, in a page, in Deno
 * and inside a Durable Object. Each gets a place of its own.
 */
import type { LogRecord, Stores } from '../../src/edge/stores/store.ts'

/** Where stores are kept. */
export interface Place {
  /** Opens what is kept there. */
  open(): Promise<Stores>
  /** True where nobody else can come by construction. */
  readonly isAlone?: boolean
}

export interface StoreCheck {
  readonly name: string
  readonly run: (place: Place) => Promise<void>
}

/** The outcome of each check by its name: 'ok', or what went wrong. */
export type StoreResults = Readonly<Record<string, string>>

/** Runs all checks, each in a place of its own. */
export async function runStoreChecks(newPlace: (name: string) => Place | Promise<Place>): Promise<StoreResults> {
  const results: Record<string, string> = {}
  for (const [i, { name, run }] of STORE_CHECKS.entries()) {
    try {
      await run(await newPlace(`check${i}`))
      results[name] = 'ok'
    } catch (thrown) {
      results[name] = thrown instanceof Error ? `${thrown.message}\n${thrown.stack}` : String(thrown)
    }
  }
  return results
}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`)
}

function bytesOf(...numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(numbers)
}

/** Bytes that differ at every place. */
function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255)
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, i) => byte === b[i])
}

async function all({ log }: Stores, after = ''): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.read(after)) records.push(record)
  return records
}

async function firsts(stores: Stores, after = ''): Promise<number[]> {
  return (await all(stores, after)).map(({ bytes }) => bytes[0]!)
}

function check(name: string, run: (stores: Stores, place: Place) => Promise<void>): StoreCheck {
  return {
    name,
    async run(place) {
      const stores = await place.open()
      try {
        await run(stores, place)
      } finally {
        await stores.close()
      }
    },
  }
}

/** A check that closes the stores itself. */
function checkPlace(name: string, run: (place: Place) => Promise<void>): StoreCheck {
  return { name, run }
}

export const STORE_CHECKS: readonly StoreCheck[] = [
  check('a new store is empty', async (stores) => {
    equal(await all(stores), [], 'entries')
    equal(await stores.log.trimmed(), '', 'trimmed')
    equal((await stores.snapshots.load()) ?? null, null, 'snapshot')
  }),

  check('entries come back in order, each behind the one before', async (stores) => {
    const first = await stores.log.append([bytesOf(1), bytesOf(2, 2)])
    const second = await stores.log.append([bytesOf(3)])
    equal(first.after, '', 'what the first follows')
    equal(second.after, first.positions[1], 'what the second follows')
    const records = await all(stores)
    equal(
      records.map(({ position }) => position),
      [...first.positions, ...second.positions],
      'positions',
    )
    equal(
      records.map(({ bytes }) => [...bytes]),
      [[1], [2, 2], [3]],
      'bytes',
    )
  }),

  check('positions are texts that order as the entries do, and are never given twice', async ({ log }) => {
    const positions: string[] = ['']
    for (let i = 0; i < 12; i++) positions.push(...(await log.append([bytesOf(i)])).positions)
    await log.trim(positions.at(-1)!)
    positions.push(...(await log.append([bytesOf(99)])).positions)
    equal([...positions].sort(), positions, 'order')
    equal(new Set(positions).size, 14, 'different positions')
  }),

  check('the end of a log that has one is the position of its last entry', async ({ log }) => {
    if (log.end === undefined) return
    equal(await log.end(), '', 'the end of an empty log')
    const { positions } = await log.append([bytesOf(1), bytesOf(2)])
    equal(await log.end(), positions[1], 'the end')
    await log.trim(positions[1]!)
    equal(await log.end(), positions[1], 'the end of one that was trimmed')
  }),

  check('reading begins behind a position', async (stores) => {
    const { positions } = await stores.log.append([bytesOf(1), bytesOf(2), bytesOf(3)])
    equal(await firsts(stores, positions[0]), [2, 3], 'behind the first')
    equal(await firsts(stores, positions[2]), [], 'behind the last')
  }),

  check('a thousand entries in one append, and in many', async (stores) => {
    const { positions } = await stores.log.append(Array.from({ length: 1000 }, (_, i) => bytesOf(i & 255, i >> 8)))
    equal(new Set(positions).size, 1000, 'positions')
    for (let i = 0; i < 40; i++) await stores.log.append([pattern(300, i), pattern(20, i)])
    const records = await all(stores)
    equal(records.length, 1080, 'entries')
    equal(
      records.slice(0, 1000).every(({ bytes }, i) => bytes[0] === (i & 255) && bytes[1] === i >> 8),
      true,
      'the content of the first thousand',
    )
    equal(sameBytes(records.at(-2)?.bytes, pattern(300, 39)), true, 'the content of a later one')
    equal(
      records.slice(1, 1000).map(({ position }) => position),
      positions.slice(1),
      'positions as they were told',
    )
  }),

  check('an entry of the largest size', async (stores) => {
    const large = pattern(Math.min(stores.log.maxBytes, 3_000_000), 5)
    await stores.log.append([bytesOf(1), large, bytesOf(2)])
    const records = await all(stores)
    equal(records.length, 3, 'entries')
    equal(sameBytes(records[1]!.bytes, large), true, 'its content')
  }),

  check('appends that overlap take effect in the order they were made', async (stores) => {
    const appended = await Promise.all(Array.from({ length: 20 }, (_, i) => stores.log.append([bytesOf(i)])))
    equal(
      await firsts(stores),
      Array.from({ length: 20 }, (_, i) => i),
      'entries',
    )
    for (let i = 1; i < 20; i++) equal(appended[i]!.after, appended[i - 1]!.positions[0], `what ${i} follows`)
  }),

  check('an entry may be changed once it is appended', async (stores) => {
    const mine = bytesOf(7)
    const done = stores.log.append([mine])
    mine[0] = 8
    await done
    equal(await firsts(stores), [7], 'entries')
  }),

  check('what is behind the trimmed part stays', async (stores) => {
    const { log } = stores
    const { positions } = await log.append([bytesOf(1), bytesOf(2), bytesOf(3), bytesOf(4)])
    await log.trim(positions[1]!)
    equal(await firsts(stores, positions[1]), [3, 4], 'entries behind it')
    equal((await log.trimmed()) <= positions[1]!, true, 'trimmed no more than was allowed')
    await log.trim('')
    await log.trim(positions[0]!)
    equal(await firsts(stores, positions[1]), [3, 4], 'entries after trimming less')
    await log.trim(positions[3]!)
    equal(await firsts(stores, positions[3]), [], 'entries behind the end')
    const { after } = await log.append([bytesOf(5)])
    equal(after, positions[3], 'the end of the log is where it was')
    equal(await firsts(stores, positions[3]), [5], 'the entry after it')
  }),

  check('a snapshot is replaced as a whole', async ({ snapshots }) => {
    const large = pattern(2_500_000, 1)
    await snapshots.save(large, '0000000000000001')
    const loaded = await snapshots.load()
    equal(loaded?.position, '0000000000000001', 'position')
    equal(sameBytes(loaded?.bytes, large), true, 'content')
    await snapshots.save(bytesOf(1, 2, 3), '0000000000000005')
    const second = await snapshots.load()
    equal([second?.position, [...second!.bytes]], ['0000000000000005', [1, 2, 3]], 'the second')
  }),

  check('a snapshot of an earlier position is ignored, one of the same position replaces', async ({ snapshots }) => {
    await snapshots.save(bytesOf(9), '')
    equal((await snapshots.load())?.position, '', 'the position before all entries')
    await snapshots.save(bytesOf(1), '0000000000000005')
    await snapshots.save(bytesOf(2), '0000000000000004')
    equal([...(await snapshots.load())!.bytes], [1], 'after the earlier one')
    await snapshots.save(bytesOf(3), '0000000000000005')
    equal([...(await snapshots.load())!.bytes], [3], 'after the same one')
  }),

  check('appending, saving and trimming at the same time', async (stores) => {
    const { log, snapshots } = stores
    const { positions } = await log.append(Array.from({ length: 50 }, (_, i) => bytesOf(i)))
    const work: Promise<unknown>[] = []
    for (let i = 0; i < 25; i++) {
      work.push(log.append([bytesOf(100 + i)]))
      if (i % 5 === 0) work.push(snapshots.save(pattern(5000, i), positions[i]!), log.trim(positions[i]!))
    }
    await Promise.all(work)
    equal(
      await firsts(stores, positions[20]),
      Array.from({ length: 54 }, (_, i) => (i < 29 ? 21 + i : 71 + i)),
      'entries',
    )
    equal((await snapshots.load())?.position, positions[20], 'the snapshot')
  }),

  checkPlace('everything is there when it is opened again', async (place) => {
    const before = await place.open()
    const { positions } = await before.log.append([bytesOf(1), pattern(70_000, 3), bytesOf(3)])
    await before.snapshots.save(pattern(100_000, 4), positions[0]!)
    await before.log.trim(positions[0]!)
    await before.close()
    const after = await place.open()
    try {
      const records = await all(after, positions[0])
      equal(
        records.map(({ position }) => position),
        positions.slice(1),
        'positions',
      )
      equal(sameBytes(records[0]?.bytes, pattern(70_000, 3)), true, 'content')
      const snapshot = await after.snapshots.load()
      equal(snapshot?.position, positions[0], 'the snapshot')
      equal(sameBytes(snapshot?.bytes, pattern(100_000, 4)), true, 'the content of the snapshot')
      equal((await after.log.append([bytesOf(4)])).after, positions[2], 'what the next follows')
    } finally {
      await after.close()
    }
  }),

  checkPlace('the end of a log that was trimmed to its end is known when it is opened again', async (place) => {
    const before = await place.open()
    const { positions } = await before.log.append([bytesOf(1), bytesOf(2)])
    await before.log.trim(positions[1]!)
    await before.close()
    const after = await place.open()
    try {
      equal((await after.log.append([bytesOf(3)])).after, positions[1], 'what the next follows')
      equal(await firsts(after, positions[1]), [3], 'entries')
    } finally {
      await after.close()
    }
  }),

  check('a second writer is refused, or takes turns', async (stores, place) => {
    if (place.isAlone) return
    if (!stores.log.isShared) {
      await refusedAsBusy(place)
      return
    }
    const other = await place.open()
    try {
      await stores.log.append([bytesOf(1)])
      const second = await other.log.append([bytesOf(2)])
      const third = await stores.log.append([bytesOf(3), bytesOf(4)])
      equal(third.after, second.positions[0], 'what the third follows')
      await Promise.all(
        Array.from({ length: 10 }, async (_, i) => (i % 2 === 0 ? stores : other).log.append([bytesOf(10 + i)])),
      )
      const found = await firsts(other)
      equal(found.slice(0, 4), [1, 2, 3, 4], 'the first entries')
      equal(
        found.slice(4).sort((a, b) => a - b),
        Array.from({ length: 10 }, (_, i) => 10 + i),
        'the ones that overlapped',
      )
      equal(await firsts(stores), found, 'what both read')
    } finally {
      await other.close()
    }
  }),
]

async function refusedAsBusy(place: Place): Promise<void> {
  try {
    const second = await place.open()
    await second.close()
  } catch (thrown) {
    equal((thrown as { code?: unknown }).code, 'store_busy', 'the refusal')
    return
  }
  throw new Error('a second writer was let in')
}
