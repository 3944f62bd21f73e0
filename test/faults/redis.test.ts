/** Servers whose Redis is late, gone or full, whose clock steps back, and whose clients send twice. No restart heals any of it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkConfig } from '../../src/server/config/config.ts'
import { createServerApp, type ServerApp } from '../../src/server/http/app.ts'
import { createMetrics } from '../../src/server/metrics/provider.ts'
import { redisStores } from '../../src/server/redis/redisStores.ts'
import { startRedis, type TestRedis } from '../tools/redis.ts'
import { until } from '../tools/until.ts'
import { SECRET } from './tools/replica.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ aof: true })
})
afterAll(() => redis?.stop())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Json = any

let prefix = 0
const apps: ServerApp[] = []
beforeEach(() => {
  prefix++
})
afterEach(async () => {
  for (const app of apps.splice(0)) await app.dispose()
})

/** One more server over the same Redis. */
async function server(policy: object = {}, now: () => number = Date.now) {
  const config = checkConfig({
    detectors: [{ name: 'text_repetition', threshold: 3 }],
    policy: { fadePerMinute: 0, ...policy },
    log: { decisions: 'none' },
  })
  const metrics = await createMetrics({})
  const events: string[] = []
  const app = createServerApp({
    config,
    now,
    meter: metrics.meter,
    exposition: metrics.exposition,
    isLocal: true,
    stores: (name) => redisStores({ url: redis.url, secret: SECRET, name, prefix: `t${prefix}`, timeoutMs: 300 }),
    journal: { retryMs: 20 },
    log: (record) => {
      if (record.kind === 'event') events.push(record.event.kind)
      if (record.kind === 'failure') events.push((record.error as { code?: string }).code ?? String(record.error))
    },
  })
  apps.push(app)
  await app.open()
  const ask = async (path: string, body?: object, method = 'GET'): Promise<{ status: number; json: Json }> => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await app.fetch(new Request(`http://localhost${path}`, body === undefined ? { method } : init))
    const text = await response.text()
    return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : text }
  }
  const metric = async (name: string) => {
    const [, value] = new RegExp(`^monitaur_log_${name}\\{.*\\} (\\S+)$`, 'm').exec(await metrics.exposition()) ?? []
    return Number(value)
  }
  const inspect = (input: string, more: object = {}) => ask('/v1/inspect', { input, client: 'a', ...more })
  const queries = async () => (await ask('/v1/status')).json.models[0].counts.queries
  return { ask, metric, inspect, queries, events, app }
}

const isOk = async (answer: Promise<{ status: number }>) => (await answer).status === 200

describe('a Redis that does not answer', () => {
  const faults: readonly [string, () => unknown, () => unknown][] = [
    ['is stopped in its tracks', () => redis.pause(), () => redis.resume()],
    ['is killed', () => redis.kill(), () => redis.start()],
    [
      'is full',
      () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
      () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    ],
    [
      'cuts all connections, again and again',
      () => {
        cutting = setInterval(() => redis.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {}), 5)
      },
      () => clearInterval(cutting),
    ],
  ]
  let cutting: ReturnType<typeof setInterval>

  test.each(faults)("%s: 'closed' refuses, counts and tells, and goes on by itself", async (_, begin, end) => {
    const { inspect, ask, metric, queries, events } = await server({ onError: 'closed' })
    expect((await inspect('x', { id: '1' })).status).toBe(200)
    await begin()
    const refused = await until(async () => {
      const answer = await inspect('x', { id: '2' })
      return answer.status === 503 ? answer : undefined
    })
    expect(refused.json.error).toMatchObject({ code: 'store_failed' })
    expect(refused.json.error.message).toMatch(/tries again by itself/)
    expect((await ask('/health')).status).toBe(200)
    await until(async () => (await ask('/ready')).status === 503)
    expect(await metric('failing')).toBe(1)
    await end()
    const again = await until(async () => {
      const answer = await inspect('x', { id: '2' })
      return answer.status === 200 ? answer.json : undefined
    })
    expect(again.detections[0].score).toBe(2) // the one that was refused counts once, whether or not it was written
    expect((await inspect('x', { id: '3' })).json.detections[0].score).toBe(3)
    expect(await queries()).toBe(3)
    await until(async () => (await ask('/ready')).status === 200)
    expect(await metric('failing')).toBe(0)
    expect(await metric('failures_total')).toBeGreaterThan(0)
    expect(await metric('refused_total')).toBeGreaterThan(0)
    expect(events).toContain('store_failed')
    expect(events).toContain('store_recovered')
  })

  test.each(faults.slice(0, 3))("%s: 'open' judges in memory, and writes it down later", async (_, begin, end) => {
    const one = await server({ onError: 'open' })
    const other = await server({ onError: 'open' })
    await one.inspect('x')
    await begin()
    const unsaved = await until(async () => {
      const answer = await one.inspect('x')
      return answer.json.errors.length > 0 ? answer : undefined
    })
    expect(unsaved.status).toBe(200)
    expect(unsaved.json.errors[0]).toMatchObject({ code: 'store_failed' })
    expect((await one.ask('/ready')).status).toBe(200)
    const before = unsaved.json.detections[0].score
    await end()
    await until(async () => (await one.metric('failing')) === 0)
    await until(async () => (await other.metric('failing')) === 0)
    expect(await one.metric('unsaved_total')).toBeGreaterThan(0)
    const score = (await one.inspect('x')).json.detections[0].score
    expect(score).toBe(before + 1)
    await until(async () => (await other.queries()) === score)
    expect((await other.inspect('x')).json.detections[0].score).toBe(score + 1)
  })
})

describe('the same query twice', () => {
  test('counts once and has one verdict, whichever server it comes to', async () => {
    const [one, other] = [await server(), await server()]
    const first = await one.inspect('x', { id: 'q' })
    for (const { inspect } of [one, other, one]) {
      expect((await inspect('x', { id: 'q' })).json).toEqual(first.json)
    }
    expect((await other.inspect('x', { id: 'r' })).json.detections[0].score).toBe(2)
    await until(async () => (await one.queries()) === 2)
    expect(await one.metric('duplicates_total')).toBe(3)
  })

  test('at the same time, on both', async () => {
    const [one, other] = [await server(), await server()]
    const sent = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : other).inspect('x', { id: 'q' }))
    const answers = await Promise.all(sent)
    for (const { status, json } of answers) expect([status, json]).toEqual([200, answers[0]!.json])
    expect((await one.inspect('x')).json.detections[0].score).toBe(2)
  })

  test('is remembered over a restart of all servers', async () => {
    const one = await server()
    const first = await one.inspect('x', { id: 'q' })
    await apps.pop()!.dispose()
    const later = await server()
    expect((await later.inspect('x', { id: 'q' })).json).toEqual(first.json)
    expect(await later.queries()).toBe(1)
  })

  test('an id hides no other query, and is of one client only', async () => {
    const { inspect } = await server()
    await inspect('x', { id: 'q' })
    await inspect('y', { id: 'q' })
    expect((await inspect('y', { id: 'q2' })).json.detections[0].score).toBe(2)
    await inspect('y', { id: 'q', client: 'b' })
    expect((await inspect('y', { id: 'q2', client: 'b' })).json.detections[0].score).toBe(2)
  })
})

describe('time', () => {
  const YEAR = Date.now() - 365 * 86_400_000

  test('a clock that steps back, or differs between servers, changes no order and lengthens no suspension', async () => {
    let nowMs = YEAR
    const one = await server({ mode: 'enforce' }, () => nowMs)
    const other = await server({ mode: 'enforce' }, () => nowMs - 5000)
    const times: number[] = []
    for (const step of [0, 10, -3_600_000, 20, -86_400_000, 30]) {
      nowMs = YEAR + step
      for (const { inspect } of [one, other]) times.push((await inspect(`text ${times.length}`)).json.timeMs)
    }
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times.at(-1)).toBe(YEAR + 30)
    const { json } = await one.ask('/v1/clients/a/suspend', { forMs: 1000 })
    expect(json.suspendedUntilMs).toBe(YEAR + 1030)
    await until(async () => (await other.inspect('z')).status === 403)
    nowMs = YEAR - 86_400_000
    expect((await one.inspect('z')).status).toBe(403)
    nowMs = YEAR + 1031
    expect((await one.inspect('z')).status).toBe(200)
    expect(await one.metric('failures_total')).toBe(0)
  })

  test('a clock that steps far ahead is refused, and moves no other', async () => {
    let nowMs = Date.now()
    const [one, other] = [await server({ mode: 'enforce' }, () => nowMs), await server({ mode: 'enforce' })]
    await one.ask('/v1/clients/a/suspend', { forMs: 600_000 })
    nowMs += 3_600_000
    const { status, json } = await one.inspect('x', { client: 'b' })
    expect(status).toBe(503)
    expect(json.error).toMatchObject({ code: 'store_failed', path: 'timeMs' })
    expect(json.error.message).toMatch(/ahead.*NTP/)
    expect((await one.ask('/ready')).status).toBe(503)
    expect((await other.inspect('x', { client: 'b' })).json.timeMs).toBeLessThan(nowMs - 3_000_000)
    expect((await other.inspect('x')).status).toBe(403)
    nowMs -= 3_600_000
    expect((await one.inspect('x', { client: 'b' })).status).toBe(200)
    expect((await one.ask('/ready')).status).toBe(200)
  })
})

describe('a suspension', () => {
  test('by one server holds at all of them at once, and so does its end', async () => {
    const [one, other] = [await server({ mode: 'enforce' }), await server({ mode: 'enforce' })]
    await one.ask('/v1/clients/a/suspend', { forMs: 60_000 })
    await until(async () => (await other.inspect('x')).status === 403)
    const late = await server({ mode: 'enforce' })
    expect((await late.inspect('x')).status).toBe(403)
    await other.ask('/v1/clients/a/release', {})
    await until(() => isOk(one.inspect('x')))
    await until(() => isOk(late.inspect('y')))
  })

  test('is refused by a server that has not read that far yet, from the note', async () => {
    const one = await server({ mode: 'enforce' })
    await one.inspect('x')
    const stores = await redisStores({ url: redis.url, secret: SECRET, name: 'default', prefix: `t${prefix}` })
    const position = '0000000000000099' // of an entry that is on its way
    stores.suspensions!.post('a', Date.now() + 60_000, position)
    await until(async () => (await one.inspect('x')).status === 403)
    expect((await one.inspect('x', { client: 'b' })).status).toBe(200)
    stores.suspensions!.post('a', 0, '0000000000000100')
    await until(() => isOk(one.inspect('x')))
    await stores.close()
  })
})

test('an erased client leaves nothing in the log, and the other servers go on', async () => {
  const [one, other] = [await server(), await server()]
  for (let i = 0; i < 5; i++) await one.inspect('secret', { client: 'eve', id: `e${i}` })
  await one.inspect('x', { client: 'bob', id: 'b1' })
  const length = () => redis.command('XLEN', `t${prefix}:{default}:log`)
  expect(await length()).toMatch(/^:6/)
  expect((await one.ask('/v1/clients/eve', undefined, 'DELETE')).status).toBe(200)
  expect(await length()).toMatch(/^:0/)
  // The other one has read none of it: it takes the snapshot.
  expect((await other.inspect('x', { client: 'bob', id: 'b2' })).json.detections[0].score).toBe(2)
  expect((await other.inspect('secret', { client: 'eve', id: 'e9' })).json.detections[0].score).toBe(1)
  expect((await one.inspect('x', { client: 'bob', id: 'b3' })).json.detections[0].score).toBe(3)
})

test('a log that has lost entries is told, and judges nothing more', async () => {
  const { inspect, ask, events } = await server()
  await inspect('x', { id: '1' })
  await inspect('x', { id: '2' })
  await redis.command('FLUSHALL')
  const { status, json } = await inspect('x', { id: '3' })
  expect(status).toBe(503)
  expect(json.error.message).toMatch(/has lost entries/)
  expect((await ask('/ready')).status).toBe(503)
  expect(events).toContain('bad_snapshot')
  await apps.pop()!.dispose()
  const restarted = await server()
  expect((await restarted.inspect('x', { id: '3' })).json.detections[0].score).toBe(1)
})

test('a server is not behind once it has heard of the others', async () => {
  const [one, other] = [await server(), await server()]
  for (let i = 0; i < 50; i++) await one.inspect(`text ${i}`)
  await until(async () => (await other.queries()) === 50)
  expect(await other.metric('lag_entries')).toBe(0)
  redis.pause()
  await until(async () => (await other.metric('lag_seconds')) > 0, 15_000)
  redis.resume()
  await until(async () => (await other.metric('lag_seconds')) === 0)
})
