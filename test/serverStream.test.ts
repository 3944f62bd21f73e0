/** Streams: lines in and out, and events. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Hub } from '../src/server/http/hub.ts'
import { metric, type TestServer, testServer } from './tools/serverApp.ts'

const encoder = new TextEncoder()
const GOOD = '{"input":"x","modelOutput":[0.9,0.1]}'

/** Posts lines that come one by one. */
function stream(
  app: TestServer['app'],
  lines: AsyncIterable<string> | Iterable<string>,
  type = 'application/x-ndjson',
) {
  const iterator = Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]()
  let isCancelled = false
  const body = new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    cancel() {
      isCancelled = true
    },
  })
  const init = { method: 'POST', headers: { 'content-type': type }, body, duplex: 'half' } as RequestInit
  const response = app.fetch(new Request('http://127.0.0.1/v1/inspect/batch', init))
  return { response: Promise.resolve(response), wasCancelled: () => isCancelled }
}

const objects = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('lines in, lines out', () => {
  test('each line gets its answer, in order; a bad one harms no other', async () => {
    const { app, exposition } = await testServer({ limits: { maxBodyBytes: 2000 } })
    const lines = [
      GOOD,
      'bad',
      '',
      `{"input":"${'x'.repeat(3000)}"}`,
      '{"input":"x","modelOutput":[0,0]}',
      '\xff',
      GOOD,
    ]
    const response = await stream(app, [`${lines.join('\n')}\r\n`, '  \n', GOOD]).response
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    const answers = objects(await response.text())
    expect(answers.map(({ line, error }) => [line, error?.code])).toEqual([
      [1, undefined],
      [2, 'bad_json'],
      [4, 'payload_too_large'],
      [5, 'bad_query'],
      [6, 'bad_json'],
      [7, undefined],
      [9, undefined],
    ])
    expect(answers.at(-1).verdict.detections[0].metadata.scores).toBe(3)
    expect(metric(await exposition(), 'detector_errors_total{detector="confidence"}')).toBe(4)
  })

  test('an answer leaves as soon as it is there, while the sender waits for it', async () => {
    const { app } = await testServer()
    let answer: (text: string) => void = () => {}
    const heard: unknown[] = []
    async function* conversation() {
      for (let i = 0; i < 3; i++) {
        const next = new Promise<string>((resolve) => {
          answer = resolve
        })
        yield `${GOOD}\n`
        heard.push(...objects(await next))
      }
    }
    const { response } = stream(app, conversation())
    const reader = (await response).body!.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      answer(new TextDecoder().decode(value))
    }
    expect(heard).toHaveLength(3)
  })

  test('nothing more is read than the reader of the answers takes', async () => {
    const { app } = await testServer()
    let given = 0
    async function* endless() {
      for (;;) {
        given++
        yield `${GOOD}\n`.repeat(10)
      }
    }
    const { response, wasCancelled } = stream(app, endless())
    const reader = (await response).body!.getReader()
    await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const before = given
    expect(before).toBeLessThan(50)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(given).toBe(before)
    await reader.read()
    await reader.cancel()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(wasCancelled()).toBe(true)
  })

  test('a stream takes its place among the requests for as long as it lasts', async () => {
    const { app, ask } = await testServer({ limits: { maxConcurrent: 1 } })
    let finish = () => {}
    async function* slow() {
      yield `${GOOD}\n`
      await new Promise<void>((resolve) => {
        finish = resolve
      })
    }
    const first = await stream(app, slow()).response
    const answer = first.text()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await ask('/v1/inspect', JSON.parse(GOOD))).status).toBe(503)
    finish()
    expect(objects(await answer)).toHaveLength(1)
    expect((await ask('/v1/inspect', JSON.parse(GOOD))).status).toBe(200)
  })

  test('a server that stops says which line comes first next time', async () => {
    const { app } = await testServer()
    async function* lines() {
      yield `${GOOD}\n`
      await new Promise((resolve) => setTimeout(resolve, 20))
      app.drain()
      yield `${GOOD}\n`
    }
    const answers = objects(await (await stream(app, lines()).response).text())
    expect(answers.map(({ line, error }) => [line, error?.code])).toEqual([
      [1, undefined],
      [2, 'draining'],
    ])
  })

  test('ten thousand lines keep their order', async () => {
    const { app } = await testServer({ detectors: ['text_repetition'] })
    const lines = Array.from({ length: 10_000 }, (_, i) => `${JSON.stringify({ input: `text ${i}`, id: String(i) })}\n`)
    const answers = objects(await (await stream(app, [lines.join('')]).response).text())
    expect(answers.map(({ verdict }) => verdict.id)).toEqual(lines.map((_, i) => String(i)))
  })
})

/** Reads events until `count` of a kind have come. */
async function readEvents(response: Response, kind: string, count: number) {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const events = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .map((block) => {
        const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/s.exec(block)!
        return { event, data: JSON.parse(data) }
      })
  while (events().filter(({ event }) => event === kind).length < count) {
    const { done, value } = await reader.read()
    if (done) break
    text += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  return events()
}

describe('events', () => {
  test('verdicts are told without what was asked, and what happens to clients', async () => {
    const { app, get, ask } = await testServer({ detectors: [{ name: 'text_repetition', threshold: 1 }] })
    const response = await get('/v1/events')
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await ask('/v1/inspect', { input: 'a secret', client: 'ada' })
    await ask('/v1/clients/ada/suspend', {})
    const events = await readEvents(response, 'suspended', 1)
    expect(events.map(({ event }) => event)).toEqual(['hello', 'verdict', 'suspended'])
    expect(events[1]!.data).toMatchObject({ model: 'default', client: 'ada', suspicious: true })
    expect(JSON.stringify(events)).not.toMatch(/secret|fingerprint/)
    await app.dispose()
  })

  test('one listener too many gets 503, and a place that was left is free again', async () => {
    const { get, app } = await testServer({ limits: { maxListeners: 1 } })
    const first = await get('/v1/events')
    expect((await get('/v1/events')).status).toBe(503)
    await first.body!.cancel()
    expect((await get('/v1/events')).status).toBe(200)
    await app.dispose()
  })

  test('a server that stops says so and ends the stream', async () => {
    const { get, app } = await testServer()
    const response = await get('/v1/events')
    app.drain()
    expect(await response.text()).toMatch(/event: bye\n.*\n\n$/)
  })
})

describe('the hub', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const read = async (stream: ReadableStream<Uint8Array>) => new Response(stream).text()

  test('a slow listener is told that it is dropped, and the others hear on', async () => {
    const onDrop = vi.fn()
    const hub = new Hub({ maxListeners: 2, listenerQueue: 3, maxEventsPerSecond: 1000 }, { onDrop, tick: () => ({}) })
    const slow = hub.listen()
    const quick = hub.listen()
    const heard: string[] = []
    const reader = quick.getReader()
    for (let i = 0; i < 6; i++) {
      hub.publish('verdict', () => ({ i }))
      heard.push(new TextDecoder().decode((await reader.read()).value))
    }
    expect(onDrop).toHaveBeenCalledTimes(1)
    expect(hub.size).toBe(1)
    const text = await read(slow)
    expect(text).toMatch(/event: dropped\ndata: .*more than 3 events/)
    expect(text).not.toContain('"i":3') // what waited is let go
    expect(heard[0]).toContain('event: hello')
    hub.close()
    expect(hub.size).toBe(0)
  })

  test('a listener that waits for the next event hears the farewell and then the end', async () => {
    const limits = { maxListeners: 1, listenerQueue: 3, maxEventsPerSecond: 1000 }
    const hub = new Hub(limits, { onDrop: () => {}, tick: () => ({}) })
    const text = read(hub.listen())
    await vi.advanceTimersByTimeAsync(1)
    hub.close()
    expect(await text).toMatch(/^event: hello\n[\s\S]*event: bye\ndata: .*stopping"}\n\n$/)
  })

  test('verdicts beyond the rate are counted in the next tick, and then told again', async () => {
    const limits = { maxListeners: 1, listenerQueue: 100, maxEventsPerSecond: 2 }
    const hub = new Hub(limits, { onDrop: () => {}, tick: () => ({ n: 1 }) })
    const reader = hub.listen().getReader()
    for (let i = 0; i < 5; i++) hub.publish('verdict', () => ({ i }), { isMany: true })
    hub.publish('suspended', () => ({}))
    vi.advanceTimersByTime(1000)
    hub.publish('verdict', () => ({ i: 5 }), { isMany: true })
    const heard: string[] = []
    for (let i = 0; i < 6; i++)
      heard.push(
        new TextDecoder()
          .decode((await reader.read()).value)
          .replace(/\n/g, ' ')
          .trim(),
      )
    expect(heard).toEqual([
      'event: hello data: {"n":1}',
      'event: verdict data: {"i":0}',
      'event: verdict data: {"i":1}',
      'event: suspended data: {}',
      'event: tick data: {"n":1,"omitted":3}',
      'event: verdict data: {"i":5}',
    ])
    hub.close()
  })

  test('without listeners nothing is made, and no timer runs', () => {
    const hub = new Hub(
      { maxListeners: 1, listenerQueue: 1, maxEventsPerSecond: 1 },
      { onDrop: () => {}, tick: () => ({}) },
    )
    const data = vi.fn(() => ({}))
    hub.publish('verdict', data)
    expect(data).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
    const stream = hub.listen()
    expect(vi.getTimerCount()).toBe(1)
    stream.cancel()
    expect(vi.getTimerCount()).toBe(0)
  })
})
