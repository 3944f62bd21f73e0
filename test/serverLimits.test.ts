/** What is too much: bodies, requests at a time, clients in a hurry, a server that stops. */
import { describe, expect, test } from 'vitest'
import { checkLimits } from '../src/server/config/limits.ts'
import { Gate } from '../src/server/http/gate.ts'
import { testServer } from './tools/serverApp.ts'

const GOOD = { input_data: 'x', model_output: [0.9, 0.1] }

/** A body that comes in chunks and may never end. */
function chunked(chunks: AsyncIterable<string> | Iterable<string>, type = 'application/json'): Request {
  const encoder = new TextEncoder()
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  const body = new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
  })
  const init = { method: 'POST', headers: { 'content-type': type }, body, duplex: 'half' }
  return new Request('http://127.0.0.1/detect', init as RequestInit)
}

describe('bodies', () => {
  const limits = { maxBodyBytes: 2000 }

  test('one that says it is too long is refused unread, one that does not say is counted', async () => {
    const { app, post, ask } = await testServer({ limits })
    const long = JSON.stringify({ ...GOOD, input_data: 'x'.repeat(2000) })
    expect((await post('/detect', long, { 'content-length': String(long.length) })).status).toBe(413)
    expect((await post('/detect', long)).status).toBe(413)
    let given = 0
    function* endless() {
      for (;;) {
        given++
        yield 'x'.repeat(500)
      }
    }
    const response = await app.fetch(chunked(endless()))
    expect(response.status).toBe(413)
    expect(given).toBeLessThan(10)
    expect((await ask('/detect', { ...GOOD, input_data: 'x'.repeat(1900) })).status).toBe(200)
  })

  test('one that breaks off is refused', async () => {
    const { app, ask } = await testServer()
    async function* broken() {
      yield '{"input_data":'
      throw new Error('gone')
    }
    const response = await app.fetch(chunked(broken()))
    expect(response.status).toBe(400)
    expect((await ask('/detect', GOOD)).body.metadata.num_scores).toBe(1)
  })

  test('a compressed one is refused, and so is one that is no UTF-8', async () => {
    const { post, app } = await testServer()
    expect((await post('/detect', GOOD, { 'content-encoding': 'gzip' })).status).toBe(415)
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array([0x22, 0xff, 0x22]),
    }
    expect((await app.fetch(new Request('http://127.0.0.1/detect', init))).status).toBe(400)
  })

  test('bytes of all bodies under way are bounded, and given back', async () => {
    const { post, ask } = await testServer({ limits: { maxBytesInFlight: 1024, maxBodyBytes: 4096 } })
    const big = JSON.stringify({ ...GOOD, input_data: 'x'.repeat(3000) })
    const statuses = await Promise.all([post('/detect', big), post('/detect', big)])
    expect(statuses.map(({ status }) => status).sort()).toEqual([200, 503])
    for (let i = 0; i < 5; i++) expect((await ask('/detect', GOOD)).status).toBe(200)
  })
})

describe('requests at a time', () => {
  test('one too many gets 503 and a time to come back; health and metrics answer all the same', async () => {
    const { app, ask, get, post } = await testServer({ limits: { maxConcurrent: 1 } })
    let finish = () => {}
    async function* slow() {
      yield '{"input_data":"x",'
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      yield '"model_output":[1]}'
    }
    const first = app.fetch(chunked(slow()))
    await new Promise((resolve) => setTimeout(resolve, 10))
    const second = await post('/detect', GOOD)
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await get('/health')).status).toBe(200)
    expect((await get('/metrics')).status).toBe(200)
    expect((await get('/v1/status')).status).toBe(200)
    finish()
    expect((await first).status).toBe(200)
    expect((await ask('/detect', GOOD)).status).toBe(200)
  })

  test('the gate counts clients by name, and forgets them', () => {
    const gate = new Gate(checkLimits({ maxPerClient: 2 }))
    gate.enterClient('a')
    gate.enterClient('a')
    gate.enterClient('b')
    expect(() => gate.enterClient('a')).toThrow('2 queries of this client')
    gate.leaveClient('a')
    gate.enterClient('a')
    for (let i = 0; i < 100; i++) gate.enterClient('')
  })

  test('a client in a hurry gets 429, the others are served', async () => {
    const { ask } = await testServer({ detectors: ['image_repetition'], limits: { maxPerClient: 1 } })
    const query = (client: string) => ({ input: PIXEL, modality: 'image', client })
    const answers = await Promise.all([
      ask('/v1/inspect', query('a')),
      ask('/v1/inspect', query('a')),
      ask('/v1/inspect', query('b')),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 200])
    expect((await ask('/v1/inspect', query('a'))).status).toBe(200)
  })
})

/** One white pixel as PNG. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

describe('time', () => {
  test('a query that is not judged in time gets 503, changes nothing, and the next one is judged', async () => {
    let calls = 0
    const embedder = () => (++calls === 2 ? new Promise<number[]>(() => {}) : [1, 0])
    const { ask } = await testServer({ detectors: [{ name: 'similarity', embedder }], limits: { timeoutMs: 30 } })
    expect((await ask('/v1/inspect', { input: 'a' })).status).toBe(200)
    const late = await ask('/v1/inspect', { input: 'b' })
    expect(late).toMatchObject({ status: 503, body: { error: { code: 'timeout' } } })
    expect((await ask('/v1/inspect', { input: 'c' })).body.detections[0].metadata.historySize).toBe(1)
  })

  test('an embedder that fails is the trouble of the server: 503 with its code, counted', async () => {
    const embedder = () => {
      throw new Error('no GPU')
    }
    const { ask, exposition } = await testServer({ detectors: [{ name: 'similarity', embedder }] })
    expect(await ask('/v1/inspect', { input: 'a' })).toMatchObject({
      status: 503,
      body: { error: { code: 'embedder_failed' } },
    })
    expect(await exposition()).toContain('monitaur_errors_total{model="default",code="embedder_failed"} 1')
  })
})

describe('a server that stops', () => {
  test('it refuses new queries, and its state has every answered one', async () => {
    const { app, ask } = await testServer()
    for (let i = 0; i < 3; i++) await ask('/detect', GOOD)
    app.drain()
    const refused = await ask('/detect', GOOD)
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'draining' } } })
    const next = await testServer()
    await next.app.restore(await app.snapshot())
    expect((await next.ask('/detect', GOOD)).body.metadata.num_scores).toBe(4)
  })

  test('the state of other models or detectors is refused, and nothing is changed', async () => {
    const { app } = await testServer()
    const other = await testServer({ detectors: ['text_repetition'] })
    await other.ask('/v1/inspect', { input: 'a' })
    await expect(other.app.restore(await app.snapshot())).rejects.toMatchObject({ code: 'bad_snapshot' })
    const named = await testServer({ models: [{ name: 'm', detectors: ['confidence'] }] })
    await expect(named.app.restore(await app.snapshot())).rejects.toThrow('of other models: expected m, got default')
    expect((await other.ask('/v1/inspect', { input: 'a' })).body.detections[0].score).toBe(2)
  })
  test('if the second of two models does not fit, the first one keeps what it has', async () => {
    const models = (second: string) => ({
      models: [
        { name: 'a', detectors: ['text_repetition'] },
        { name: 'b', detectors: [second] },
      ],
    })
    const old = await testServer(models('text_repetition'))
    const { app, ask } = await testServer(models('text_similarity'))
    await ask('/v1/inspect', { input: 'x' })
    await expect(app.restore(await old.app.snapshot())).rejects.toMatchObject({ code: 'bad_snapshot' })
    expect((await ask('/v1/inspect', { input: 'x' })).body.detections[0].score).toBe(2)
  })
})
