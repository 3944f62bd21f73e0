/** The server on Deno, Bun and Node, killed in the middle of a stream, again and again: what it answered it remembers. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { memoryStores } from '../src/edge/index.ts'
import type { Query } from '../src/embed/index.ts'
import { bundleFile, OPTIONAL } from './tools/bundle.ts'
import { random } from './tools/random.ts'
import { type Answer, testServer } from './tools/serverApp.ts'
import { queries, WATCHED } from './tools/stream.ts'

const root = resolve(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'monitaur-restart-'))
const program = join(folder, 'cli.mjs')
beforeAll(() => bundleFile(join(root, 'src/server/cli.ts'), program, OPTIONAL, 'node'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The servers stamp the time themselves, so nothing may depend on it. */
const CONFIG = {
  port: 0,
  detectors: WATCHED.detectors,
  clients: { maxClients: 8 },
  policy: { ...WATCHED.policy, suspendForMs: 3_600_000, fadePerMinute: 0 },
}
const STREAM = queries(23, 150)

interface Runtime {
  readonly name: string
  readonly command: (place: string) => readonly [program: string, args: readonly string[], env: Record<string, string>]
}

const MONITAUR = JSON.stringify(CONFIG)
writeFileSync(join(folder, 'config.json'), MONITAUR)
const RUNTIMES: readonly Runtime[] = [
  {
    name: 'Deno with its KV',
    command: (place) => {
      const flags = ['--unstable-kv', '--no-prompt', '--allow-net', '--allow-env', '--allow-sys']
      const files = [`--allow-read=${root},${folder}`, `--allow-write=${folder}`]
      return [bin('deno'), ['run', ...flags, ...files, join(root, 'workers/deno.ts')], { MONITAUR, MONITAUR_KV: place }]
    },
  },
  {
    name: 'Bun with files',
    command: (place) => [bin('bun'), [join(root, 'workers/bun.ts')], { MONITAUR, MONITAUR_JOURNAL: place }],
  },
  {
    name: 'Node with files',
    command: (place) => {
      const config = ['--config', join(folder, 'config.json')]
      return [process.execPath, [program, 'serve', ...config, '--journal', place, '--quiet'], {}]
    },
  },
]

let running: ChildProcess | undefined
afterEach(() => kill())

/** Starts a server; gives its address. */
async function start({ command }: Runtime, place: string): Promise<string> {
  const [file, args, env] = command(place)
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  running = child
  for await (const line of createInterface({ input: child.stdout! })) {
    const [, address] = /monitaur: (\S+)/.exec(line) ?? []
    if (address !== undefined) return address
  }
  throw new Error(`it ended with ${child.exitCode} before it told its address`)
}

async function kill(): Promise<void> {
  const child = running
  running = undefined
  if (child === undefined || child.exitCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function post(address: string, { input, modelOutput, client, id }: Query): Promise<Answer> {
  const response = await fetch(new URL('v1/inspect', address), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input, model_output: modelOutput, client_id: client, id }),
  })
  return { status: response.status, body: await response.json() }
}

/** Without times, and without the sentences that tell them. */
function timeless({ status, body }: Answer): Answer {
  const text = JSON.stringify(body, (key, value) =>
    key === 'timeMs' || key === 'suspendedUntilMs' ? undefined : value,
  )
  return { status, body: JSON.parse(text.replace(/until \d{4}-\S+Z/g, 'until then')) }
}

/** Queries that were learned, of all clients. */
async function learned(address: string): Promise<number> {
  const { clients } = (await (await fetch(new URL('v1/clients?limit=1000', address))).json()) as {
    clients: { queries: number }[]
  }
  return clients.reduce((sum, { queries }) => sum + queries, 0)
}

describe.each(RUNTIMES)('$name', (runtime) => {
  test('answers as one that was never killed, whenever it is', { timeout: 240_000 }, async () => {
    const next = random(3)
    const { app, ask } = await testServer(CONFIG)
    const place = join(folder, runtime.name.replace(/\W/g, '-'))
    let address = await start(runtime, place)
    let kills = 0
    let untilKill = 4
    for (const query of STREAM) {
      const { input, modelOutput, client, id } = query
      const expected = await ask('/v1/inspect', { input, model_output: modelOutput, client_id: client, id })
      expect(timeless(await post(address, query)), id).toEqual(timeless(expected))
      if (untilKill-- > 0) continue
      await kill()
      kills++
      untilKill = Math.floor(30 * next())
      address = await start(runtime, place)
    }
    expect(kills).toBeGreaterThan(5)
    await app.dispose()
  })

  test('killed while it judges, it has learned what it answered, and nothing twice', { timeout: 240_000 }, async () => {
    const next = random(9)
    const place = join(folder, `${runtime.name.replace(/\W/g, '-')}-flight`)
    let answered = 0
    let sent = 0
    for (let round = 0; round < 5; round++) {
      const address = await start(runtime, place)
      const before = await learned(address)
      expect(before).toBeGreaterThanOrEqual(answered)
      expect(before).toBeLessThanOrEqual(sent)
      answered = before
      sent = before
      const ask = async (_: unknown, i: number) => {
        sent++
        const { status } = await post(address, { input: `${round} ${i}`, modelOutput: [1, 0], client: `c${i % 4}` })
        if (status === 200) answered++
      }
      const asked = Promise.allSettled(Array.from({ length: 40 }, ask))
      await new Promise((resolve) => setTimeout(resolve, 60 * next()))
      await kill()
      await asked
    }
    const last = await learned(await start(runtime, place))
    expect(last).toBeGreaterThanOrEqual(answered)
    expect(last).toBeLessThanOrEqual(sent)
  })
})

describe('the app over stores', () => {
  test('says that it is not ready, and lets queries wait, until its memory is read', async () => {
    let give: () => void = () => {}
    const given = new Promise<void>((resolve) => {
      give = resolve
    })
    const { app, get, ask } = await testServer(CONFIG, {
      stores: async () => {
        await given
        return memoryStores()
      },
    })
    expect((await get('/ready')).status).toBe(503)
    const asked = ask('/v1/inspect', { input: 'x', model_output: [1, 0] })
    give()
    expect((await asked).status).toBe(200)
    await app.open()
    expect((await get('/ready')).status).toBe(200)
    await app.dispose()
  })

  test('answers nothing over stores that are damaged, and says why', async () => {
    const stores = memoryStores()
    await stores.log.append([Uint8Array.of(1, 2, 3)])
    const failures: unknown[] = []
    const { app, ask, get } = await testServer(CONFIG, {
      stores: async () => stores,
      log: (record) => record.kind === 'failure' && failures.push(record.error),
    })
    await expect(app.open()).rejects.toMatchObject({ code: 'bad_snapshot' })
    const { status, body } = await ask('/v1/inspect', { input: 'x', model_output: [1, 0] })
    expect([status, body.error.code]).toEqual([503, 'bad_snapshot'])
    expect((await get('/ready')).status).toBe(503)
    await app.dispose()
  })

  test('keeps new thresholds for what comes after them', async () => {
    const stores = memoryStores()
    const config = { detectors: [{ name: 'text_repetition', threshold: 2 }], policy: { fadePerMinute: 0 } }
    const open = { stores: async () => stores }
    const first = await testServer(config, open)
    const query = { input: 'again', client_id: 'a' }
    for (let i = 0; i < 3; i++) await first.ask('/v1/inspect', query)
    const stricter = { ...config, detectors: [{ name: 'text_repetition', threshold: 10 }] }
    const { checkConfig } = await import('../src/server/config/config.ts')
    await first.app.reload(checkConfig(stricter))
    await first.ask('/v1/inspect', query)
    // Killed here. The two suspicious ones of before are remembered as such.
    const second = await testServer(stricter, open)
    const { body } = await second.ask('/v1/inspect', query)
    expect(body).toMatchObject({ suspicious: false, client: { evidence: 2 } })
    expect(body.detections[0]).toMatchObject({ score: 5, threshold: 10 })
  })
})
