import { afterAll, beforeAll, expect, test } from 'vitest'
import { redisStores } from '../../src/server/redis/redisStores.ts'
import { startRedis, type TestRedis } from '../tools/redis.ts'
import { until } from '../tools/until.ts'
import { STORE_CHECKS } from './suite.ts'

const SECRET = 'a secret of the tests'
let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ aof: true })
})
afterAll(() => redis?.stop())

let names = 0
const place = (more: object = {}) => {
  const name = `place${names++}`
  return {
    name,
    open: (other: object = {}) => redisStores({ url: redis.url, secret: SECRET, name, ...more, ...other }),
  }
}

for (const { name, run } of STORE_CHECKS) {
  test(name, () => run({ open: place({ keepEntries: 0 }).open }))
}

const ONE = Uint8Array.of(1, 2, 3)

async function read(stores: Awaited<ReturnType<typeof redisStores>>, after = ''): Promise<number[][]> {
  const found: number[][] = []
  for await (const { bytes } of stores.log.read(after)) found.push([...bytes])
  return found
}

test('an append tells what stands between, and others hear of it', async () => {
  const { open } = place()
  const [a, b] = [await open(), await open()]
  const heard: string[] = []
  const end = b.onNews!((position) => heard.push(position))
  const { positions } = await a.log.append([ONE], '')
  await a.log.append([Uint8Array.of(4)], positions[0])
  const { after, between } = await b.log.append([Uint8Array.of(5)], '')
  expect(between?.map(({ bytes }) => [...bytes])).toEqual([[1, 2, 3], [4]])
  expect(after).toBe(between?.at(-1)?.position)
  expect((await a.log.append([ONE], after)).between).toHaveLength(1)
  expect(await b.log.end!()).toBe('0000000000000004')
  await until(() => heard.at(-1) === '0000000000000004')
  end()
  await a.log.append([ONE])
  await a.log.append([ONE])
  expect(await b.log.end!()).toBe('0000000000000006')
  expect(heard.at(-1)).toBe('0000000000000004')
  await Promise.all([a.close(), b.close()])
})

test('entries that replicas may not have read stay behind a snapshot', async () => {
  const stores = await place({ keepEntries: 3 }).open()
  const { positions } = await stores.log.append(Array.from({ length: 10 }, (_, i) => Uint8Array.of(i)))
  await stores.log.trim(positions.at(-1)!)
  expect(await stores.log.trimmed()).toBe(positions[6])
  expect(await read(stores, positions[6])).toEqual([[7], [8], [9]])
  await stores.close()
})

test('all of them go where all must', async () => {
  const stores = await place({ keepEntries: 3 }).open()
  const { positions } = await stores.log.append(Array.from({ length: 10 }, (_, i) => Uint8Array.of(i)))
  await stores.log.trim(positions.at(-1)!, { all: true })
  expect(await stores.log.trimmed()).toBe(positions[9])
  expect(await read(stores, positions[9])).toEqual([])
  await stores.log.append([Uint8Array.of(10)])
  expect(await read(stores, positions[9])).toEqual([[10]])
  await stores.close()
})

test('nothing of an entry, a snapshot or a client can be read in Redis', async () => {
  const { open, name } = place()
  const stores = await open()
  const words = new TextEncoder().encode('client-of-mine and its features')
  const { positions } = await stores.log.append([words])
  await stores.snapshots.save(words, positions[0]!)
  stores.suspensions!.post('client-of-mine', Date.now() + 60_000, positions[0]!)
  await until(async () => (await redis.command('HLEN', `monitaur:{${name}}:suspended`)).startsWith(':1'))
  const keys = (await redis.command('KEYS', `monitaur:{${name}}:*`)).match(/monitaur:\S+/g)!
  expect(keys.length).toBeGreaterThanOrEqual(6)
  const token = keys.find((key) => key.includes(':snapshot:'))!
  const texts = [
    await redis.command('XRANGE', `monitaur:{${name}}:log`, '-', '+'),
    await redis.command('LRANGE', token, '0', '-1'),
    await redis.command('HGETALL', `monitaur:{${name}}:suspended`),
  ]
  for (const text of texts) {
    expect(text.length).toBeGreaterThan(40)
    expect(text).not.toMatch(/client|mine|features/)
  }
  expect(await read(stores)).toEqual([[...words]])
  expect([...(await stores.snapshots.load())!.bytes]).toEqual([...words])
  await stores.close()
})

test('another secret, or an entry of another log, is refused', async () => {
  const [one, two] = [place(), place()]
  const mine = await one.open()
  await mine.log.append([ONE])
  await mine.snapshots.save(ONE, '0000000000000001')
  const stranger = await one.open({ secret: 'another secret of the tests' })
  await expect(read(stranger)).rejects.toMatchObject({ code: 'bad_snapshot', path: 'log[0000000000000001]' })
  await expect(read(stranger)).rejects.toThrow(/give the secret that it was written with, the same to all replicas/)
  await expect(stranger.snapshots.load()).rejects.toMatchObject({ code: 'bad_snapshot', path: 'snapshot' })
  await redis.command('COPY', `monitaur:{${one.name}}:log`, `monitaur:{${two.name}}:log`)
  await redis.command('COPY', `monitaur:{${one.name}}:head`, `monitaur:{${two.name}}:head`)
  const other = await two.open()
  await expect(read(other)).rejects.toMatchObject({ code: 'bad_snapshot' })
  await Promise.all([mine.close(), stranger.close(), other.close()])
})

test('a log that has lost entries is refused, and told as that', async () => {
  const { open, name } = place()
  const stores = await open()
  const { positions } = await stores.log.append([ONE, ONE, ONE])
  await redis.command('XDEL', `monitaur:{${name}}:log`, '0-2')
  await expect(read(stores)).rejects.toThrow(/entry 0000000000000002 is missing/)
  await redis.command('DEL', `monitaur:{${name}}:log`, `monitaur:{${name}}:head`)
  await expect(read(stores, positions[2])).rejects.toThrow(/ends at entry 0, but entry 3 was in it/)
  await expect(stores.log.append([ONE])).rejects.toMatchObject({ code: 'bad_snapshot' })
  await stores.close()
})

test('a suspension is known to everybody, also to who comes later; the latest counts', async () => {
  const { open } = place()
  const [a, b] = [await open(), await open()]
  const untilMs = Date.now() + 60_000
  a.suspensions!.post('x', untilMs, '0000000000000005')
  await until(() => b.suspensions!.of('x')?.untilMs === untilMs)
  b.suspensions!.post('x', 1, '0000000000000004') // of a replica that is behind
  b.suspensions!.post('y', untilMs, '0000000000000006')
  a.suspensions!.post('x', 0, '0000000000000007')
  await until(() => b.suspensions!.of('x')?.untilMs === 0)
  const late = await open()
  expect(late.suspensions!.of('x')).toEqual({ untilMs: 0, position: '0000000000000007' })
  expect(late.suspensions!.of('y')).toEqual({ untilMs, position: '0000000000000006' })
  expect(late.suspensions!.of('z')).toBeUndefined()
  await Promise.all([a.close(), b.close(), late.close()])
})

test('a Redis that hangs is given up in time, and found again', async () => {
  const stores = await place({ timeoutMs: 300 }).open()
  await stores.log.append([ONE])
  redis.pause()
  await expect(stores.log.append([ONE])).rejects.toMatchObject({ code: 'store_failed' })
  await expect(stores.log.append([ONE])).rejects.toMatchObject({ code: 'store_failed' })
  redis.resume()
  await until(() =>
    stores.log.append([Uint8Array.of(9)]).then(
      () => true,
      () => false,
    ),
  )
  const found = await read(stores)
  expect(found.at(-1)).toEqual([9])
  expect(found.length).toBeGreaterThanOrEqual(2)
  await stores.close()
})

test('what was acknowledged is there when Redis was killed, and the connection comes back', async () => {
  const { open } = place()
  const stores = await open()
  const heard: string[] = []
  stores.onNews!((end) => heard.push(end))
  await stores.log.append([ONE])
  await redis.kill()
  await expect(stores.log.append([ONE])).rejects.toMatchObject({ code: 'store_failed' })
  await redis.start()
  await until(() =>
    stores.log.append([Uint8Array.of(9)]).then(
      () => true,
      () => false,
    ),
  )
  expect(await read(stores)).toEqual([[1, 2, 3], [9]])
  await until(async () => {
    await stores.log.append([ONE])
    return heard.length > 1
  })
  await stores.close()
})

test.each([
  [{ url: 'http://x' }, 'bad_config', /redis:\/\/ or rediss:/],
  [{ secret: 'short' }, 'bad_config', /16 … 1024 characters/],
  [{ name: 'a b' }, 'bad_config', /letters, digits/],
  [{ keepEntries: -1 }, 'bad_config', /keepEntries/],
  [{ url: 'redis://user:hidden@127.0.0.1:1' }, 'store_failed', /redis:\/\/127\.0\.0\.1:1 cannot be reached/],
])('%j is refused', async (options, code, message) => {
  const thrown: unknown = await place()
    .open(options)
    .catch((error: unknown) => error)
  expect(thrown).toMatchObject({ code })
  expect((thrown as Error).message).toMatch(message)
  expect((thrown as Error).message).not.toContain('hidden')
})
