/** The monitor in Durable Objects, in workerd: the verdicts of one process, kills, concurrency, alarms, faults, the size. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Miniflare, WorkerOptions } from 'miniflare'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict } from '../src/core/monitor/index.ts'
import { createMonitor, type MonitorConfig, type Query } from '../src/embed/index.ts'
import { bundleFile } from './tools/bundle.ts'
import { random } from './tools/random.ts'
import { writeReport } from './tools/report.ts'
import { queries, WATCHED } from './tools/stream.ts'
import { startWorkerd, workerOf } from './tools/workerd.ts'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-cloudflare-'))
const script = join(folder, 'worker.mjs')
beforeAll(() => bundleFile(join(import.meta.dirname, 'cloudflare/worker.ts'), script))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const running: Miniflare[] = []
afterEach(async () => {
  for (const miniflare of running.splice(0)) await miniflare.dispose().catch(() => {}) // it may have been killed
})

interface Options {
  readonly persist?: string
  readonly kv?: boolean
  /** One more worker that uses the objects of the first. */
  readonly second?: boolean
}

/** Starts the test's worker with a configuration; gives a function that asks it, and one that kills it. */
async function start(config: object, { persist, kv = false, second = false }: Options = {}) {
  const objects = { MONITAUR_SHARD: 'MonitorShard', MONITAUR_GLOBAL: 'MonitorGlobal' }
  const own = Object.entries(objects).map(([name, className]) => [name, { className, useSQLite: true }])
  const others = Object.entries(objects).map(([name, className]) => [
    name,
    { className, scriptName: 'first', useSQLite: true },
  ])
  const shared = { bindings: { MONITAUR: config as never }, ...(kv ? { kvNamespaces: ['MONITAUR_KV'] } : {}) }
  const workers: WorkerOptions[] = [
    workerOf(script, { ...shared, name: 'first', durableObjects: Object.fromEntries(own) }),
  ]
  if (second)
    workers.push(
      workerOf(script, {
        ...shared,
        name: 'second',
        unsafeDirectSockets: [{}],
        durableObjects: Object.fromEntries(others),
      }),
    )
  const before = children()
  const { miniflare, url } = await startWorkerd(workers, persist === undefined ? {} : { persist })
  running.push(miniflare)
  const [workerd] = children().filter((pid) => !before.includes(pid))
  const otherUrl = second ? await miniflare.unsafeGetDirectURL('second') : undefined

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  async function ask(path: string, body?: string, at: URL = url): Promise<any> {
    const init = body === undefined ? {} : { method: 'POST', body }
    return (await fetch(new URL(path, at), init)).json()
  }
  return {
    ask,
    url,
    otherUrl,
    inspect: (query: Query, at?: URL): Promise<Verdict> => ask('/inspect', toText(query), at),
    /** The process itself, without a word. */
    kill: () => process.kill(workerd!, 'SIGKILL'),
  }
}

function children(): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), 'workerd'], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

/** JSON knows no NaN. */
function toText(query: Query): string {
  return JSON.stringify(query, (_, value) => (Number.isNaN(value) ? 'NaN' : value))
}

/** As JSON gives it: without the sign of zero. */
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

async function undisturbed(config: MonitorConfig, stream: readonly Query[]): Promise<Verdict[]> {
  return asJson(await createMonitor(config).inspectBatch(stream))
}

/** A limit for clients in each shard would push others out than one limit for all. */
const CONFIG = { ...WATCHED, clients: { maxClients: 1000 } } as const
const HOST = { shards: 3, expireAfterMs: 0, compactAfterMs: 3_600_000 }
const STREAM = queries(11, 220)
/** Each shard has its own time, as each stream has: only one that never goes back is the same for all. */
let latestMs = 0
const FORWARD = STREAM.map((query) => {
  latestMs = Math.max(latestMs, query.timeMs!)
  return { ...query, timeMs: latestMs }
})

describe('the objects', () => {
  test.each([
    [1, STREAM],
    [3, FORWARD],
  ])('(%i for clients) give the verdicts of one process', async (shards, stream) => {
    const { inspect } = await start({ ...CONFIG, ...HOST, shards })
    const verdicts: Verdict[] = []
    for (const query of stream) verdicts.push(await inspect(query))
    expect(verdicts).toEqual(await undisturbed(CONFIG, stream))
    expect(new Set(verdicts.map(({ action }) => action)).size).toBe(4)
  })

  test('give the verdicts of one process with detectors that see all clients', async () => {
    const [first, second, third] = CONFIG.detectors
    const scope = 'global' as const
    const config = { ...CONFIG, detectors: [{ ...first, scope }, second, { ...third, scope }] }
    const { inspect } = await start({ ...config, ...HOST })
    const verdicts: Verdict[] = []
    for (const query of FORWARD) verdicts.push(await inspect(query))
    expect(verdicts).toEqual(await undisturbed(config, FORWARD))
  })

  test('go on exactly after workerd was killed, again and again', { timeout: 120_000 }, async () => {
    const next = random(5)
    const persist = join(folder, 'killed')
    const config = { ...CONFIG, ...HOST, snapshotEvery: 40 }
    const verdicts: Verdict[] = []
    let { inspect, kill } = await start(config, { persist })
    let untilKill = 10
    for (const query of FORWARD) {
      if (untilKill-- === 0) {
        kill()
        untilKill = Math.floor(60 * next())
        ;({ inspect, kill } = await start(config, { persist }))
      }
      verdicts.push(await inspect(query))
    }
    expect(running.length).toBeGreaterThan(4)
    expect(verdicts).toEqual(await undisturbed(CONFIG, FORWARD))
  })

  test('take 64 queries of one client at the same time, from two workers, one after the other', async () => {
    const config = { detectors: [{ name: 'text_repetition', threshold: 1000, maxHistorySize: 1000 }], ...HOST }
    const { inspect, otherUrl, ask } = await start(config, { second: true })
    expect(otherUrl).toBeDefined()
    const asked = Array.from({ length: 64 }, (_, i) => {
      return inspect({ input: 'the same', client: 'one', id: `${i}` }, i % 2 === 0 ? undefined : otherUrl)
    })
    const scores = (await Promise.all(asked)).map(({ detections }) => detections[0]!.score)
    expect(scores.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
    expect(await ask('/clients')).toEqual([expect.objectContaining({ id: 'one', queries: 64 })])
  })

  test('write a snapshot and cut the log when the alarm rings, and go on the same', async () => {
    const persist = join(folder, 'alarm')
    const config = { ...CONFIG, ...HOST, shards: 1, compactAfterMs: 300 }
    const half = STREAM.slice(0, 110)
    let { inspect, ask, kill } = await start(config, { persist })
    const verdicts: Verdict[] = []
    for (const query of half) verdicts.push(await inspect(query))
    await expect.poll(() => ask('/rows?name=shard-0'), { timeout: 20_000 }).toBe(0)
    expect((await ask('/describe?name=shard-0')).journal).toMatchObject({ state: 'open', entries: 0 })
    verdicts.push(await inspect(STREAM[110]!))
    kill()
    ;({ inspect, ask, kill } = await start(config, { persist }))
    for (const query of STREAM.slice(111)) verdicts.push(await inspect(query))
    expect(verdicts).toEqual(await undisturbed(CONFIG, STREAM))
  })

  test('forget clients that were not seen for long', async () => {
    const config = { ...CONFIG, ...HOST, shards: 1, compactAfterMs: 200, expireAfterMs: 1000 }
    const { inspect, ask } = await start(config)
    await inspect({ input: 'x', modelOutput: [1, 0], client: 'old' })
    expect(await ask('/clients')).toHaveLength(1)
    await expect.poll(() => ask('/clients'), { timeout: 20_000 }).toEqual([])
  })

  test('a damaged log is told, and never taken for an empty one', async () => {
    const persist = join(folder, 'damaged')
    const config = { ...CONFIG, ...HOST, shards: 1 }
    const first = await start(config, { persist })
    await first.inspect(STREAM[0]!)
    await first.inspect(STREAM[1]!)
    await first.ask('/damage?name=shard-0')
    first.kill()
    const second = await start(config, { persist })
    expect(await second.inspect(STREAM[2]!)).toMatchObject({ code: 'bad_snapshot', path: 'log[0000000000000002]' })
  })
})

describe('suspensions', () => {
  const config = { ...CONFIG, ...HOST, mirrorMs: 100, staleMs: 60_000 }

  test('are known to the worker without a round trip', async () => {
    const { ask } = await start({ ...config, mirrorMs: 60_000 })
    expect(await ask('/admit?client=bad')).toEqual({ allowed: true })
    const loaded = await ask('/calls')
    for (let i = 0; i < 20; i++) expect(await ask('/admit?client=bad')).toEqual({ allowed: true })
    expect(await ask('/calls')).toBe(loaded)
    await ask('/suspend?client=bad')
    const refused = await ask('/admit?client=bad')
    expect(refused).toEqual({ allowed: false, suspendedUntilMs: expect.any(Number) })
    expect(await ask('/calls')).toBe(loaded + 1)
    await ask('/release?client=bad')
    expect(await ask('/admit?client=bad')).toEqual({ allowed: true })
  })

  test.each([
    ['from the objects', false, ''],
    ['from the objects, without waitUntil', false, '&waits'],
    ['from KV', true, ''],
  ])('reach another worker %s', async (_, kv, waits) => {
    const { ask, otherUrl } = await start(config, { second: true, kv })
    const admit = () => ask(`/admit?client=bad${waits}`, undefined, otherUrl)
    expect(await admit()).toEqual({ allowed: true })
    await ask('/suspend?client=bad')
    await expect.poll(async () => (await admit()).allowed, { timeout: 10_000 }).toBe(false)
  })

  test('stop a client in front of a model, through the middleware', async () => {
    const { url } = await start(config)
    const ask = async (client: string) => {
      const body = JSON.stringify({ prompt: 'the same question' })
      const headers = { 'content-type': 'application/json', 'x-client': client }
      const response = await fetch(new URL('/model', url), { method: 'POST', headers, body })
      await response.text()
      return response.status
    }
    // Judged after the answers: the last of them is refused once the others are.
    await expect.poll(() => ask('bad'), { timeout: 20_000, interval: 20 }).toBe(403)
    expect(await ask('good')).toBe(200)
  })

  test('survive a kill', async () => {
    const persist = join(folder, 'suspended')
    const first = await start(config, { persist })
    for (let i = 0; i < 12; i++) await first.inspect({ input: 'again', modelOutput: [0.5, 0.5], client: 'bad' })
    first.kill()
    const second = await start(config, { persist })
    expect((await second.ask('/admit?client=bad')).allowed).toBe(false)
    expect((await second.ask('/admit?client=good')).allowed).toBe(true)
  })
})

describe('an object that fails', () => {
  const good: Query = { input: 'x', modelOutput: [1, 0], client: 'a' }

  test.each(['closed', 'open'] as const)('(%s) is dealt with by the policy, and recovers', async (onError) => {
    const policy = { ...CONFIG.policy, onError }
    const { ask, inspect } = await start({ ...CONFIG, ...HOST, policy })
    await inspect(good)
    await ask('/fault?set={"disk":true}')
    const failed = await inspect(good)
    if (onError === 'closed') expect(failed).toMatchObject({ code: 'store_failed' })
    else expect(failed.errors).toEqual([expect.objectContaining({ code: 'store_failed', path: 'store' })])
    await ask('/fault?set={"disk":false}')
    await expect.poll(async () => (await inspect(good)).errors, { timeout: 10_000 }).toEqual([])
  })

  test('by being late is given up', async () => {
    const { ask, inspect } = await start({ ...CONFIG, ...HOST, timeoutMs: 200 })
    await ask('/fault?set={"late":true}')
    expect(await inspect(good)).toMatchObject({ code: 'store_failed', message: expect.stringMatching(/within 200 ms/) })
    expect(await ask('/admit?client=a')).toMatchObject({ code: 'store_failed' })
    await ask('/fault?set={"late":false}')
    expect((await inspect(good)).errors).toEqual([])
  })

  test('a configuration that cannot be is told', async () => {
    const { inspect } = await start({ detectors: ['no_such'] })
    expect(await inspect(good)).toMatchObject({ code: 'bad_config', message: expect.stringContaining('no_such') })
  })
})

describe('the default worker', () => {
  const TOKEN = 'a-token-of-some-length'
  let miniflare: Miniflare
  let url: URL

  beforeAll(async () => {
    const file = join(folder, 'default.mjs')
    await bundleFile(join(root, 'workers/cloudflare.ts'), file)
    const options = {
      bindings: { MONITAUR: { ...CONFIG, shards: 2 } as never, MONITAUR_TOKEN: TOKEN },
      durableObjects: {
        MONITAUR_SHARD: { className: 'MonitorShard', useSQLite: true },
        MONITAUR_GLOBAL: { className: 'MonitorGlobal', useSQLite: true },
      },
    }
    ;({ miniflare, url } = await startWorkerd([workerOf(file, options)]))
  })
  afterAll(() => miniflare?.dispose())

  async function ask(
    path: string,
    {
      body,
      token = TOKEN,
      method = body === undefined ? 'GET' : 'POST',
    }: { body?: unknown; token?: string; method?: string } = {},
  ) {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  test('inspects, refuses the suspended, and takes an operator’s orders', async () => {
    const query = { input: 'hello', modelOutput: [0.9, 0.1], client: 'a b' }
    expect(await ask('/v1/inspect', { body: query })).toMatchObject({
      status: 200,
      body: { action: 'allow', errors: [] },
    })
    expect(await ask('/v1/clients/a%20b/suspend', { body: {} })).toMatchObject({ status: 200 })
    expect(await ask('/v1/inspect', { body: query })).toMatchObject({
      status: 403,
      body: { error: { code: 'suspended' } },
    })
    expect(await ask('/v1/clients/a%20b')).toMatchObject({ body: { allowed: false } })
    expect(await ask('/v1/clients/a%20b/release', { body: {} })).toMatchObject({ status: 200 })
    expect(await ask('/v1/inspect', { body: query })).toMatchObject({ status: 200 })
    expect((await ask('/v1/clients')).body['clients']).toEqual([expect.objectContaining({ id: 'a b', queries: 2 })])
  })

  test('exports and erases a client, in its object’s log too', async () => {
    await ask('/v1/inspect', { body: { input: 'hello', modelOutput: [0.9, 0.1], client: 'to forget' } })
    const { body } = await ask('/v1/clients/to%20forget/export')
    expect(body).toMatchObject({ id: 'to forget', summary: { queries: 1 }, suspension: null })
    expect(JSON.stringify(body)).not.toMatch(/"0":/)
    expect(await ask('/v1/clients/to%20forget', { method: 'DELETE' })).toMatchObject({ body: { erased: true } })
    expect(await ask('/v1/clients/to%20forget/export')).toMatchObject({ status: 422 })
    expect(JSON.stringify((await ask('/v1/clients')).body)).not.toContain('to forget')
  })

  test('answers nobody without the token, and everybody about its health', async () => {
    expect(await ask('/v1/clients', { token: 'another-token-of-length' })).toMatchObject({ status: 401 })
    expect(await ask('/health', { token: 'none' })).toEqual({ status: 200, body: { status: 'ok' } })
  })

  test('refuses what is no query', async () => {
    const refused = { status: 422, body: { error: { code: 'bad_query' } } }
    expect(await ask('/v1/inspect', { body: '{' })).toMatchObject(refused)
    expect(await ask('/v1/inspect', { body: [1] })).toMatchObject(refused)
    expect(await ask('/v1/inspect', { body: { inptu: 'x' } })).toMatchObject(refused)
    expect(await ask('/v1/inspect', { body: { input: 'x', client: 5 } })).toMatchObject(refused)
    expect(await ask('/v1/inspect', { body: 'x'.repeat(1_100_000) })).toMatchObject(refused)
    expect(await ask('/v1/inspect', { body: `{"input":${'['.repeat(900_000)}` })).toMatchObject(refused)
    expect(await ask('/v1/clients/%ff/release', { body: {} })).toMatchObject({ status: 422 })
    expect(await ask('/v1/other', { body: {} })).toMatchObject({ status: 404 })
  })
})

test('the worker is small: wrangler says at most 150 kB, compressed', { timeout: 120_000 }, async () => {
  const wrangler = join(root, 'node_modules/.bin/wrangler')
  const args = ['deploy', '--dry-run', '-c', join(root, 'deploy/wrangler.jsonc'), '--outdir', join(folder, 'dry-run')]
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', XDG_CONFIG_HOME: folder }
  const { stdout } = await promisify(execFile)(wrangler, args, { env })
  const [, kib] = /gzip: ([\d.]+) KiB/.exec(stdout) ?? []
  const kilobytes = Math.round(Number(kib) * 10.24) / 10
  writeReport('cloudflare', [
    { name: 'worker without ONNX, compressed', value: kilobytes, unit: 'kB', goal: 150, met: kilobytes <= 150 },
  ])
  expect(kilobytes).toBeGreaterThan(5)
  expect(kilobytes).toBeLessThanOrEqual(150)
})
