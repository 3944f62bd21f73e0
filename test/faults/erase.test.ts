/** What is held of a client can be had and be forgotten: in the core, in every host, and on the disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { toBytes } from '../../src/core/index.ts'
import { createStreamMonitor, type QueryEntry } from '../../src/core/monitor/index.ts'
import { durableMonitor, memoryStores } from '../../src/edge/index.ts'
import { createMonitorEngine } from '../../src/embed/index.ts'
import { createMonitor, type Monitor } from '../../src/index.ts'
import { fileStores } from '../../src/server/stores/fileStores.ts'
import { attach, serveWorker } from '../../src/worker/index.ts'
import { testServer } from '../tools/serverApp.ts'

const CONFIG = {
  detectors: [
    { name: 'text_repetition', threshold: 2 },
    { name: 'text_repetition', threshold: 50, label: 'all', scope: 'global' },
  ],
  policy: { mode: 'enforce', throttleAt: 2, suspendAt: 3, suspendForMs: 60_000 },
} as const

const folder = mkdtempSync(join(tmpdir(), 'monitaur-erase-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ports: MessagePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

function entry(client: string, fingerprint: string, timeMs: number): QueryEntry {
  return { kind: 'query', client, timeMs, observations: [{ fingerprint }, { fingerprint }] }
}

describe('the stream monitor', () => {
  test('erased, a client is as one that was never seen; the memory that all share keeps what has no name', () => {
    const monitor = createStreamMonitor(CONFIG)
    for (let i = 0; i < 5; i++) monitor.apply(entry('eve', 'x', i))
    monitor.apply(entry('bob', 'y', 6))
    expect(monitor.admit('eve', 7).allowed).toBe(false)
    const bytes = monitor.describe().clients.bytes
    const { events } = monitor.apply({ kind: 'erase', client: 'eve', timeMs: 8 })
    expect(events).toEqual([
      { kind: 'released', client: 'eve', timeMs: 8 },
      { kind: 'erased', client: 'eve', timeMs: 8 },
    ])
    expect(monitor.clients().map(({ id }) => id)).toEqual(['bob'])
    expect(monitor.describe().clients.bytes).toBeLessThan(bytes)
    expect(JSON.stringify(monitor.snapshot())).not.toContain('eve')
    expect(monitor.admit('eve', 9).allowed).toBe(true)
    const { verdict } = monitor.apply(entry('eve', 'x', 9))
    expect(verdict.client.evidence).toBe(0)
    expect(verdict.detections.map(({ score }) => score)).toEqual([1, 6])
  })

  test('the client that was seen last can be erased, and comes back as new', () => {
    const monitor = createStreamMonitor(CONFIG)
    monitor.apply(entry('eve', 'x', 1))
    monitor.apply({ kind: 'erase', client: 'eve', timeMs: 2 })
    expect([monitor.clients(), monitor.describe().clients.bytes]).toEqual([[], 0])
    monitor.apply(entry('eve', 'x', 3))
    monitor.apply(entry('eve', 'x', 4))
    expect(monitor.clients()).toMatchObject([{ id: 'eve', queries: 2 }])
  })

  test('an unknown one is erased without a word, a malformed name is refused', () => {
    const monitor = createStreamMonitor(CONFIG)
    expect(monitor.apply({ kind: 'erase', client: 'nobody', timeMs: 1 }).events).toEqual([])
    const bad = 5 as unknown as string
    expect(() => monitor.apply({ kind: 'erase', client: bad, timeMs: 1 })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'client' }),
    )
    expect(() => monitor.exportClient(bad)).toThrow(expect.objectContaining({ code: 'bad_query', path: 'client' }))
  })

  test('the export has the summary, the suspension and every memory of its own, and changes nothing', () => {
    const monitor = createStreamMonitor(CONFIG)
    for (let i = 0; i < 5; i++) monitor.apply(entry('eve', 'x', i))
    const before = toBytes(monitor.snapshot())
    const held = monitor.exportClient('eve')!
    expect(held).toMatchObject({ id: 'eve', summary: { queries: 5, suspicious: 4 }, suspension: { untilMs: 60_004 } })
    expect(held.memories.map(({ label, snapshot }) => [label, snapshot.detector])).toEqual([
      ['text_repetition', 'text_repetition'],
    ])
    expect(JSON.stringify(held.memories)).toContain('"x"')
    expect(monitor.exportClient('bob')).toBeUndefined()
    expect(toBytes(monitor.snapshot())).toEqual(before)
  })

  test('of a client that is suspended and forgotten the suspension is all that is held', () => {
    const monitor = createStreamMonitor(CONFIG)
    monitor.apply({ kind: 'suspend', client: 'eve', timeMs: 1, untilMs: 50 })
    const suspension = { untilMs: 50, sinceMs: null }
    expect(monitor.exportClient('eve')).toEqual({ id: 'eve', group: '', summary: null, suspension, memories: [] })
  })
})

describe.each(['in process', 'in a worker', 'over a journal'])('a monitor %s', (where) => {
  async function make(): Promise<Monitor> {
    if (where === 'in process') return createMonitor(CONFIG)
    if (where === 'over a journal') return durableMonitor(createMonitorEngine(CONFIG), { stores: memoryStores() })
    const { port1, port2 } = new MessageChannel()
    ports.push(port1, port2)
    serveWorker(port2 as never)
    return attach(port1 as never).createMonitor(CONFIG)
  }

  test('exports and erases', async () => {
    const monitor = await make()
    for (let i = 0; i < 5; i++) await monitor.inspect({ input: 'again', client: 'eve' })
    expect(monitor.admit('eve').allowed).toBe(false)
    expect(await monitor.exportClient('eve')).toMatchObject({ id: 'eve', summary: { queries: 5 } })
    expect(await monitor.exportClient('bob')).toBeUndefined()
    await monitor.erase('eve')
    expect(await monitor.exportClient('eve')).toBeUndefined()
    expect(monitor.admit('eve').allowed).toBe(true)
    expect((await monitor.inspect({ input: 'again', client: 'eve' })).detections[0]).toMatchObject({ score: 1 })
    await monitor.dispose()
  })
})

describe('the server', () => {
  const ORIGIN = 'http://127.0.0.1'
  const remove = (path: string, headers = {}) => new Request(ORIGIN + path, { method: 'DELETE', headers })

  test('exports and erases a client, verdicts included, and says 404 for one that nobody knows', async () => {
    const { app, ask, get } = await testServer({ detectors: ['text_repetition', 'text_similarity'] })
    for (const input of ['one', 'two']) await ask('/v1/inspect', { input, client: 'ada/ß?' })
    const path = `/v1/clients/${encodeURIComponent('ada/ß?')}`
    const response = await get(`${path}/export`)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { held, queries } = await response.json()
    expect(held).toMatchObject({ id: 'ada/ß?', summary: { queries: 2 }, suspension: null })
    expect(queries).toHaveLength(2)
    // Lists of numbers are lists, not objects with numbered fields.
    expect(JSON.stringify(held)).not.toMatch(/"0":/)
    const erased = await app.fetch(remove(path))
    expect([erased.status, await erased.json()]).toEqual([200, { model: 'default', id: 'ada/ß?', erased: true }])
    for (const after of [path, `${path}/export`]) expect((await get(after)).status).toBe(404)
    expect((await app.fetch(remove(path))).status).toBe(404)
    expect((await (await get('/v1/clients')).json()).total).toBe(0)
  })

  test('asks for the token, and refuses the pages of other sites', async () => {
    const { app } = await testServer({ token: 'a-token-of-some-length' })
    expect((await app.fetch(remove('/v1/clients/a'))).status).toBe(401)
    const authorization = 'Bearer a-token-of-some-length'
    expect((await app.fetch(remove('/v1/clients/a', { authorization }))).status).toBe(404)
    const foreign = remove('/v1/clients/a', { authorization, origin: 'https://evil.example' })
    expect((await app.fetch(foreign)).status).toBe(403)
    const request = new Request(`${ORIGIN}/v1/clients/a/export`)
    expect((await app.fetch(request)).status).toBe(401)
  })

  test('leaves nothing of an erased client on the disk', async () => {
    const place = join(folder, 'journal')
    const { app, ask } = await testServer({ detectors: ['text_repetition'] }, { stores: () => fileStores(place) })
    await app.open()
    const onDisk = () =>
      readdirSync(place)
        .map((name) => readFileSync(join(place, name), 'latin1'))
        .join('')
    for (const client of ['a certain eve', 'somebody else']) await ask('/v1/inspect', { input: 'x', client })
    expect(onDisk()).toContain('a certain eve')
    expect((await app.fetch(remove('/v1/clients/a%20certain%20eve'))).status).toBe(200)
    expect(onDisk()).not.toContain('a certain eve')
    expect(onDisk()).toContain('somebody else')
    await app.dispose()
    expect(onDisk()).not.toContain('a certain eve')
  })
})
