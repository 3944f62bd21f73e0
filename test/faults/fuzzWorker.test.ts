/** Two borders as hostile input: the messages of a worker, and the bodies that the middleware reads. */
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { fromBody, fromJson, fromMultipart, monitorFetch, probabilitiesAt } from '../../src/edge/index.ts'
import { createMonitor, type Query } from '../../src/index.ts'
import { packQueries } from '../../src/worker/packing.ts'
import type { HostApi, Reply } from '../../src/worker/protocol.ts'
import { createHost, serveWorker } from '../../src/worker/serve.ts'
import { listened, named } from '../tools/edge.ts'
import { expectClean, fuzz } from './tools/fuzz.ts'
import { oddValue, spoilt, spoiltBytes } from './tools/odd.ts'

const CODES = [
  'bad_query',
  'bad_config',
  'bad_snapshot',
  'plugin_failed',
  'disposed',
  'embedder_failed',
  'aborted',
  'missing_package',
]
const config = { kind: 'monitor', config: { detectors: ['text_repetition', 'confidence'] } } as const

describe('the verbs of a worker', () => {
  const verbs = fc.constantFrom<[keyof HostApi, ...unknown[]]>(
    ['hello'],
    ['open', 'm2', config, () => {}],
    ['open', 'm3', { kind: 'detector', name: 'text_repetition', config: {} }, () => {}],
    ['process', 'm1', 1, [{ input: 'x', modelOutput: [0.5, 0.5], client: 'a' }], false],
    ['process', 'm1', 2, [{ input: 'x' }, { input: 'y' }], true],
    ['apply', 'm1', [{ kind: 'release', client: 'a', timeMs: 5 }]],
    ['cancel', 'm1', 1],
    ['snapshot', 'm1'],
    ['restore', 'm1', { detector: 'monitor', version: 2, state: {} }],
    ['reset', 'm1'],
    ['describe', 'm1'],
    ['clients', 'm1'],
    ['suspensions', 'm1'],
    ['exportClient', 'm1', 'a'],
    ['capabilities', 'm1'],
    ['warmup', 'm1', 4],
    ['close', 'm3'],
  )
  const call = verbs.chain(([verb, ...args]) => spoilt(fc.constant(args)).map((given) => ({ verb, given })))

  fuzz(
    'calls with odd arguments',
    { of: fc.array(call, { minLength: 1, maxLength: 4 }), short: 1000, full: 80_000 },
    async (calls) => {
      const host = createHost()
      expect((await host.open('m1', config, () => {})).ok).toBe(true)
      for (const { verb, given } of calls) {
        const args = Array.isArray(given) ? given : [given]
        const answer = await (host[verb] as (...all: unknown[]) => Promise<unknown>)(...args)
        if (verb === 'hello' || verb === 'cancel') continue
        const reply = answer as Reply<unknown>
        if (!reply.ok) expect(CODES, reply.error.message).toContain(reply.error.code)
      }
      expectClean()
    },
  )
})

describe('messages to a worker', () => {
  const packed = (queries: Query[], batch: boolean) =>
    packQueries(queries, { batch, isKept: true }, (bytes) => new ArrayBuffer(bytes))
  const good = fc.constantFrom<unknown>(
    { id: 1, verb: 'hello', given: [] },
    { id: 2, verb: 'open', given: ['m', config] },
    { id: 3, verb: 'process', given: ['m', 0, packed([{ input: 'x' }, { input: 'y' }], true)] },
    { id: 4, verb: 'process', given: ['m', 1, packed([{ embedding: [1, 2] }], false)] },
    { id: 5, verb: '__proto__', given: [{ polluted: 1 }] },
    { id: 6, verb: 'constructor', given: ['globalThis.polluted = 1'] },
    { id: 7, verb: 'bye', given: [] },
    { all: [{ id: 8, verb: 'hello', given: [] }, null, { id: 9, verb: 'describe', given: ['m'] }] },
    { id: '8', type: 'CONSTRUCT', path: ['hello', 'constructor'], argumentList: [{ type: 'RAW', value: 1 }] },
  )
  fuzz('a message', { of: fc.oneof(spoilt(good), oddValue), short: 2000, full: 120_000 }, async (data) => {
    const listeners: ((event: object) => void)[] = []
    const answers: unknown[] = []
    serveWorker({
      postMessage: (message: unknown) => answers.push(message),
      addEventListener: (_: string, listener: unknown) => listeners.push(listener as never),
      removeEventListener: () => {},
    } as never)
    for (const listener of listeners) listener({ data, origin: '', ports: [] })
    await new Promise((resolve) => setImmediate(resolve))
    expectClean()
    expect((globalThis as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('bodies before the middleware', () => {
  const encoder = new TextEncoder()
  const boundary = 'frontier'
  const bodies = [
    JSON.stringify({ text: 'hello', messages: [{ content: 'a' }], vector: [1, 2], id: 'x' }),
    JSON.stringify([[{ text: 5 }]]),
    `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nbytes\r\n--${boundary}--\r\n`,
    '['.repeat(3000),
    '',
  ].map((text) => encoder.encode(text))
  const readers = fc.constantFrom(
    fromJson({ input: ['$.text', '$.messages[*].content'], id: '$.id' }),
    fromJson({ input: '$.text', kind: 'image' }),
    fromJson({ embedding: '$.vector' }),
    fromMultipart({ field: 'image' }),
    fromBody({ kind: 'text' }),
    fromBody({ kind: 'image' }),
  )
  const types = fc.constantFrom(
    'application/json',
    `multipart/form-data; boundary=${boundary}`,
    'image/png',
    '',
    'text/plain; charset=x',
  )
  const encodings = fc.constantFrom(undefined, undefined, undefined, 'gzip', 'br', 'identity', 'what, ever')
  const requests = fc.record({ body: spoiltBytes(bodies), reader: readers, type: types, encoding: encodings })

  fuzz('a request', { of: requests, short: 1500, full: 80_000 }, async ({ body, reader, type, encoding }) => {
    const { events, onEvent } = listened()
    const monitor = createMonitor({
      detectors: ['text_repetition', 'confidence'],
      policy: { mode: 'enforce', onError: 'open' },
    })
    const handler = async () => new Response(JSON.stringify({ scores: [0.5, 0.5] }))
    const options = { ...named, monitor, query: reader, output: probabilitiesAt('$.scores'), onEvent } as never
    const watched = monitorFetch(handler, options)
    const headers = { 'content-type': type, ...(encoding === undefined ? {} : { 'content-encoding': encoding }) }
    const response = await watched(new Request('http://127.0.0.1/', { method: 'POST', headers, body }))
    expect([200, 400, 403, 413, 415, 422, 503]).toContain(response.status)
    await response.arrayBuffer()
    await watched.settled()
    for (const event of events) if (event.kind === 'failed') expect(event.code).toMatch(/^[a-z_]+$/)
    expectClean()
  })
})
