/** What lies in Redis as hostile input: sealed bytes, what is in them, and whatever else somebody may write there. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isMonitorError, toFrame } from '../../src/core/index.ts'
import { createStreamMonitor } from '../../src/core/monitor/index.ts'
import { decodeEntry, encodeEntry } from '../../src/edge/journal/record.ts'
import { redisStores } from '../../src/server/redis/redisStores.ts'
import { createSeal } from '../../src/server/seal.ts'
import { startRedis, type TestRedis } from '../tools/redis.ts'
import { expectClean, expectRefusal, fuzz } from './tools/fuzz.ts'
import { oddValue, spoiltBytes } from './tools/odd.ts'
import { SECRET } from './tools/replica.ts'

const seal = createSeal(SECRET, 'monitaur:{default}:')
const ENTRY = encodeEntry({
  writer: 'a',
  number: 1,
  entry: { kind: 'query', client: 'c', timeMs: 1e12, observations: [{ fingerprint: 'x' }] },
})
const SEALED = seal.seal(ENTRY)

fuzz('sealed bytes', { of: spoiltBytes([SEALED]), short: 800, full: 200_000 }, (bytes) => {
  let opened: Uint8Array
  try {
    opened = seal.open(bytes, 'log[1]')
  } catch (thrown) {
    return expectRefusal(thrown, ['bad_snapshot'])
  }
  expect(Buffer.compare(opened, ENTRY)).toBe(0) // only what was sealed comes out
})

/** By somebody who has the secret. */
const plainLists = fc
  .tuple(fc.constantFrom('query', 'suspend', 'release', 'erase', 'expire', 'x'), fc.array(oddValue, { maxLength: 6 }))
  .map(([kind, rest]) => ['w', 1, kind, ...rest])

fuzz('entries', { of: fc.oneof(plainLists, fc.array(oddValue)), short: 800, full: 200_000 }, (list) => {
  const monitor = createStreamMonitor({ detectors: [{ name: 'text_repetition' }] })
  try {
    const bytes = toFrame('MTEN', list as never)
    monitor.apply(decodeEntry(bytes, '1').entry)
  } catch (thrown) {
    expectRefusal(thrown, ['bad_snapshot', 'bad_query', 'bad_config'])
  }
  expectClean()
})

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis?.stop())

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', '-1', '1e999', 'NaN', '0', '3', '99999999999999999999'),
)
const KEYS = ['log', 'head', 'snapshot', 'claim', 'suspended', 'suspended:ends']
const commands = fc.oneof(
  fc.tuple(fc.constantFrom('last', 'trimmed', 'x'), text).map(([field, value]) => ['HSET', 'head', field, value]),
  fc.tuple(fc.constantFrom('position', 'token'), text).map(([field, value]) => ['HSET', 'snapshot', field, value]),
  fc
    .tuple(fc.nat(9), fc.array(text, { minLength: 2, maxLength: 2 }))
    .map(([n, pair]) => ['XADD', 'log', `0-${n + 4}`, ...pair]),
  fc.nat(4).map((n) => ['XDEL', 'log', `0-${n}`]),
  fc.tuple(text, text).map(([name, note]) => ['HSET', 'suspended', name, note]),
  fc.tuple(fc.constantFrom(...KEYS), text).map(([key, value]) => ['SET', key, value]),
  fc.constantFrom(...KEYS).map((key) => ['DEL', key]),
)
let runs = 0

fuzz(
  'what else is in Redis',
  { of: fc.array(commands, { minLength: 1, maxLength: 4 }), short: 60, full: 5000 },
  async (list) => {
    const options = { url: redis.url, secret: SECRET, prefix: `f${runs++}` }
    const first = await redisStores(options)
    await first.log.append([ENTRY, ENTRY, ENTRY])
    await first.snapshots.save(ENTRY, '0000000000000001')
    await first.close()
    for (const [name, key, ...rest] of list) {
      await redis.command(name!, `${options.prefix}:{default}:${key}`, ...rest).catch(() => {})
    }
    try {
      const stores = await redisStores(options)
      try {
        for (const step of [
          async () => void (await stores.snapshots.load()),
          async () => {
            for await (const { bytes } of stores.log.read('')) {
              expect(Buffer.compare(bytes, ENTRY)).toBe(0)
            }
          },
          async () => void (await stores.log.end?.()),
          async () => void (await stores.log.append([ENTRY])),
          async () => void (await stores.log.trim?.('0000000000000001')),
          async () => void stores.suspensions?.of('c'),
        ]) {
          await step().catch((thrown) => {
            if (!isMonitorError(thrown)) throw thrown
            expectRefusal(thrown, ['bad_snapshot', 'store_failed'])
          })
        }
      } finally {
        await stores.close()
      }
    } catch (thrown) {
      expectRefusal(thrown, ['bad_snapshot', 'store_failed'])
    }
  },
)

test('a head that is no number, an entry without a body, and a snapshot of nowhere are refused, not taken for an empty log', async () => {
  const spoil = async (prefix: string, ...command: readonly string[]) => {
    const options = { url: redis.url, secret: SECRET, prefix }
    const stores = await redisStores(options)
    await stores.log.append([ENTRY])
    await stores.snapshots.save(ENTRY, '0000000000000001')
    const [name, key, ...rest] = command
    await redis.command(name!, `${prefix}:{default}:${key}`, ...rest)
    return stores
  }
  const readAll = async (stores: Awaited<ReturnType<typeof spoil>>) => {
    for await (const _ of stores.log.read(''));
  }
  const headless = await spoil('h', 'HSET', 'head', 'last', 'many')
  await expect(readAll(headless)).rejects.toMatchObject({ code: 'bad_snapshot', path: 'head.last' })
  const lost = await spoil('p', 'HSET', 'snapshot', 'position', 'here')
  await expect(lost.snapshots.load()).rejects.toMatchObject({ code: 'bad_snapshot', path: 'snapshot.position' })
  await Promise.all([headless.close(), lost.close()])
})
