/** Floods against the server: slow senders, bombs in pictures, brackets, names that collide. Honest clients are answered. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { crc32, deflateSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createStreamMonitor } from '../../src/core/monitor/index.ts'
import { decodeImage } from '../../src/embed/image.ts'
import { checkConfig } from '../../src/server/config/config.ts'
import { createServerApp, type ServerApp } from '../../src/server/http/app.ts'
import { type Listening, listen } from '../../src/server/serveHost.ts'
import { metric, testServer } from '../tools/serverApp.ts'
import { grownMib, liveBytes } from './tools/memory.ts'
import { runsOf } from './tools/size.ts'

const MIB = 2 ** 20
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server with a socket. */
async function serve(limits: object): Promise<Listening & { readonly app: ServerApp; readonly failures: unknown[] }> {
  const config = checkConfig({ limits, detectors: ['confidence'] })
  const app = createServerApp({ config, isLocal: true })
  const failures: unknown[] = []
  const server = await listen(app, { ...config, port: 0, onFailure: (thrown) => failures.push(thrown) })
  closing.push(async () => {
    await server.stop(50)
    await app.dispose()
    expect(failures).toEqual([])
  })
  return { ...server, app, failures, connections: server.connections }
}

/** A connection that has said so much, and says no more. */
async function silent(port: number, said: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}) // it is cut off
  closing.push(async () => socket.destroy())
  await once(socket, 'connect')
  if (said !== '') socket.write(said)
  return socket
}

async function ask(origin: string, path = '/detect'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input_data: 'x', model_output: [0.5, 0.5] }),
  })
  return { status: response.status, body: await response.json() }
}

const heads = {
  '/detect':
    'POST /detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"input',
  '/v1/inspect':
    'POST /v1/inspect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"inp\r\n',
}

describe('slow senders', () => {
  test.each(Object.entries(heads))(
    'bodies to %s that never end keep nobody out, and are told why',
    async (path, head) => {
      const most = 20
      const { origin, port, app } = await serve({ maxConcurrent: most })
      const slow = await Promise.all(Array.from({ length: most }, () => silent(port, head)))
      const heard: string[] = []
      for (const socket of slow) socket.on('data', (chunk) => heard.push(String(chunk)))
      await wait(300)
      // All places are taken, and nobody has been slow for long.
      expect(await ask(origin)).toMatchObject({ status: 503, body: { error: { code: 'overloaded' } } })
      await wait(1000)
      for (let i = 0; i < 5; i++) expect((await ask(origin)).status, `${path} ${i}`).toBe(200)
      expect((await ask(origin, '/v1/inspect')).status).toBe(200)
      await wait(100)
      const inFlight = (
        (await (await app.fetch(new Request('http://127.0.0.1/v1/status'))).json()) as { inFlight: number }
      ).inFlight
      expect(inFlight).toBeLessThan(most)
      if (path === '/detect') expect(heard.join('')).toContain('too_slow')
    },
  )

  test('bodies that claim much and send little take no room from others', async () => {
    const { origin, port } = await serve({ maxBytesInFlight: 4 * MIB, maxBodyBytes: 2 * MIB })
    const head = `POST /v1/inspect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${2 * MIB}\r\n\r\n{`
    await Promise.all([silent(port, head), silent(port, head)])
    await wait(1200)
    for (let i = 0; i < 3; i++) expect((await ask(origin)).status).toBe(200)
  })

  test('connections that ask nothing are ended for those that do, once there are too many', async () => {
    const { origin, port, connections } = await serve({ maxConnections: 30 })
    const quiet = await Promise.all(Array.from({ length: 30 }, () => silent(port, 'GET / HT')))
    await wait(1100)
    for (let i = 0; i < 5; i++) expect((await ask(origin)).status).toBe(200)
    expect(connections.open).toBeLessThanOrEqual(30)
    expect(connections.dropped).toBeGreaterThanOrEqual(1)
    await wait(50)
    expect(quiet.filter((socket) => socket.destroyed || socket.readableEnded).length).toBeGreaterThanOrEqual(1)
  })

  test('what had to give way is a metric', async () => {
    const { app, exposition, ask: askApp } = await testServer({ limits: { maxConcurrent: 1 } })
    const never = new ReadableStream({ pull: () => new Promise(() => {}) })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: never, duplex: 'half' }
    const slow = app.fetch(new Request('http://127.0.0.1/detect', init as RequestInit))
    await wait(1100)
    expect((await askApp('/detect', { input_data: 'x', model_output: [0.5, 0.5] })).status).toBe(200)
    const refusal = await slow
    expect([refusal.status, refusal.headers.get('connection')]).toEqual([408, 'close'])
    expect(metric(await exposition(), 'http_requests_cut_total')).toBe(1)
    expect(metric(await exposition(), 'http_requests_in_flight')).toBe(0)
  })
})

/** A PNG of one colour, of this many pixels, a bit each. */
function png(width: number, height: number, isHonest = true): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const rows = isHonest ? Buffer.alloc((Math.ceil(width / 8) + 1) * height) : Buffer.alloc(100)
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A lossless WebP that claims 16 384 pixels a side in a few bytes. */
function webp(): Uint8Array {
  const file = Buffer.alloc(40)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(32, 4)
  file.write('WEBPVP8L', 8, 'latin1')
  file.writeUInt32LE(20, 16)
  file.set([0x2f, 0xff, 0xff, 0xff, 0x0f], 20)
  return file
}

function gif(width: number, height: number): Uint8Array {
  const file = Buffer.alloc(40)
  file.write('GIF89a', 0, 'latin1')
  file.writeUInt16LE(width, 6)
  file.writeUInt16LE(height, 8)
  return file
}

describe('bombs in pictures', () => {
  const bombs: [string, Uint8Array][] = [
    ['a PNG of 400 million pixels', png(20_000, 20_000)],
    ['a PNG that claims more than there is', png(65_535, 65_535, false)],
    ['a PNG of the largest size a header can hold', png(2 ** 31 - 1, 2 ** 31 - 1, false)],
    ['a WebP of 268 million pixels', webp()],
    ['a GIF, which is not taken at all', gif(65_535, 65_535)],
  ]

  test.each(bombs)('%s is refused by its header, before anything is unpacked', async (_, bytes) => {
    expect(bytes.length).toBeLessThan(MIB)
    const before = process.memoryUsage().rss
    for (let i = 0; i < 20; i++) {
      await expect(decodeImage(bytes)).rejects.toMatchObject({ code: 'bad_query', path: 'input' })
    }
    expect((process.memoryUsage().rss - before) / MIB).toBeLessThan(60)
  })

  test('the server refuses them, and goes on to judge', async () => {
    const { app, ask: askApp } = await testServer({
      detectors: ['image_repetition', 'confidence'],
      policy: { onError: 'open' },
    })
    const grown = await grownMib(async () => {
      for (const [, bytes] of bombs) {
        const query = { input: Buffer.from(bytes).toString('base64'), modality: 'image', client: 'bomber' }
        const answers = await Promise.all(Array.from({ length: 5 }, () => askApp('/v1/inspect', query)))
        for (const { status, body } of answers) expect([status, body.error.code]).toEqual([422, 'bad_query'])
      }
    })
    expect(grown).toBeLessThan(60)
    const small = { input: Buffer.from(png(16, 16)).toString('base64'), modality: 'image', client: 'honest' }
    expect((await askApp('/v1/inspect', small)).body).toMatchObject({ action: 'allow' })
    await app.dispose()
  })
})

describe('brackets', () => {
  test.each(['[', '{"a":', '[{"a":'])('%s without end is refused on every route, in bounded memory', async (open) => {
    const { ask: askApp, post } = await testServer()
    const text = open.repeat(Math.floor((8 * MIB) / open.length))
    const grown = await grownMib(async () => {
      for (const path of ['/detect', '/v1/inspect', '/v1/inspect/batch', '/v1/feedback', '/v1/clients/a/suspend']) {
        const response = await post(path, text)
        expect([path, response.status, (await response.json()).error.code]).toEqual([path, 400, 'bad_json'])
      }
    })
    expect(grown).toBeLessThan(60)
    expect((await askApp('/detect', { input_data: 'x', model_output: [0.5, 0.5] })).status).toBe(200)
  })
})

describe('names that collide', () => {
  /** Texts of digits: engines without a seed for these put them into few buckets of their tables. */
  const digits = (count: number) => Array.from({ length: count }, (_, i) => String(i * 2 ** 12))
  const special = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '', '-0', 'NaN']

  test('as clients: each has its own memory, however they are called', () => {
    const count = runsOf(30_000, 400_000)
    const detectors = [{ name: 'text_repetition', threshold: 2 }]
    const monitor = createStreamMonitor({ detectors, clients: { maxClients: count + 100, maxBytes: 2 ** 33 } })
    const names = [...digits(count), ...special]
    for (const round of [1, 2]) {
      for (const [i, client] of names.entries()) {
        const { verdict } = monitor.apply({ kind: 'query', client, timeMs: i, observations: [{ fingerprint: 'x' }] })
        if (verdict.detections[0]!.score !== round) throw new Error(`${client}: ${verdict.detections[0]!.score}`)
      }
    }
  })

  test('as columns of a row: each counts, and no row is taken for another', async () => {
    const { ask: askApp } = await testServer({ detectors: ['tabular_repetition'] })
    const rowOf = (value: number) => Object.fromEntries(digits(900).map((name) => [name, value]))
    const score = async (row: object) => (await askApp('/v1/inspect', { input: row })).body.detections[0].score
    expect(await score(rowOf(1))).toBe(1)
    expect(await score(rowOf(2))).toBe(1)
    expect(await score(rowOf(1))).toBe(2)
    const own = JSON.parse('{"__proto__":1,"constructor":2}')
    expect(await askApp('/v1/inspect', { input: own })).toMatchObject({
      status: 422,
      body: { error: { code: 'bad_query' } },
    })
    for (const name of ['valueOf', 'toString', 'hasOwnProperty', 'length']) expect(await score({ [name]: 2 })).toBe(1)
  })

  test('as keys of a body: refused or ignored, in bounded memory', async () => {
    const { post } = await testServer()
    const before = liveBytes()
    const metadata = Object.fromEntries(digits(50_000).map((name) => [name, 1]))
    const body = { input_data: 'x', model_output: [0.5, 0.5], metadata }
    expect((await post('/detect', body)).status).toBe(200)
    expect((liveBytes() - before) / MIB).toBeLessThan(60)
  })
})
