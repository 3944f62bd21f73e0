/** The middleware and bodies: they flow through unchanged, unbuffered, and are looked at within limits. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import {
  fromBody,
  fromJson,
  type MonitorOptions,
  monitorFetch,
  probabilitiesAt,
  type RequestCopy,
} from '../src/edge/index.ts'
import { classify, fakeWatcher, gate, listened, named, post, postJson, SCORES, streamOf } from './tools/edge.ts'
import { until } from './tools/until.ts'

const LIMIT = 1000
const limits = { bodyBytes: LIMIT, totalBytes: 10 * LIMIT }
const json = { 'content-type': 'application/json' }

const bytesOf = async (message: Request | Response) => new Uint8Array(await message.arrayBuffer())

/** Bytes around the limit, cut into chunks, sent with or without their length. */
const bodies = fc
  .record({
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ minLength: LIMIT - 3, maxLength: LIMIT + 3 }),
      fc.uint8Array({ minLength: 3 * LIMIT, maxLength: 5 * LIMIT }),
    ),
    cuts: fc.array(fc.nat(5 * LIMIT), { maxLength: 6 }),
    isDeclared: fc.boolean(),
  })
  .map(({ bytes, cuts, isDeclared }) => {
    const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
    return { bytes, isDeclared, chunks: places.slice(1).map((end, i) => bytes.slice(places[i]!, end)) }
  })

const whens = fc.constantFrom<NonNullable<MonitorOptions['when']>>('before', 'between', 'after')

describe('pass-through', () => {
  test('any request reaches the handler, and any response the client, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, bodies, whens, async (sent, answered, when) => {
        const seen: Uint8Array[] = []
        const headersOf = ({ isDeclared, bytes }: typeof sent) => ({
          ...json,
          ...(isDeclared ? { 'content-length': String(bytes.length) } : {}),
        })
        const handler = async (request: Request) => {
          seen.push(await bytesOf(request))
          return new Response(streamOf(answered.chunks), { headers: headersOf(answered) })
        }
        const copies: RequestCopy[] = []
        const query = (copy: RequestCopy) => {
          copies.push(copy)
          return { input: 'x' }
        }
        const output = () => [1]
        const watched = monitorFetch(handler, {
          ...named,
          monitor: fakeWatcher(),
          query,
          output,
          limits,
          when,
          onError: 'open',
        })
        const response = await watched(post(streamOf(sent.chunks), headersOf(sent)))
        expect(await bytesOf(response)).toEqual(answered.bytes)
        expect(seen).toEqual([sent.bytes])
        await watched.settled()
        // What was looked at is the body, or nothing.
        expect(copies.map(({ bytes }) => bytes)).toEqual(sent.bytes.length > LIMIT ? [] : [sent.bytes])
        const isSeen = when === 'before' || answered.bytes.length <= LIMIT
        expect(watched.counts().failed).toEqual({
          ...(sent.bytes.length > LIMIT ? { body_too_large: 1 } : {}),
          ...(isSeen ? {} : { answer_too_large: 1 }),
        })
      }),
      { numRuns: 300, seed: 20261201 },
    )
  })

  test('a request keeps its method, its headers, its signal and its identity', async () => {
    const abort = new AbortController()
    const request = new Request('http://model.example/a?b=c', {
      method: 'PUT',
      body: '{"text":"x"}',
      headers: { 'x-a': 'b' },
      signal: abort.signal,
    })
    let seen: Request | undefined
    const handler = async (given: Request) => {
      seen = given
      return new Response(await given.text())
    }
    const watched = monitorFetch(handler, { ...named, monitor: fakeWatcher(), query: fromJson({ input: '$.text' }) })
    await watched(request)
    expect(seen).toBe(request)
    abort.abort()
    expect(seen!.signal.aborted).toBe(true)
  })

  test('a handler that does not read its request is no hindrance', async () => {
    const watched = monitorFetch(() => new Response('ok'), {
      ...named,
      monitor: fakeWatcher(),
      query: fromBody({ kind: 'text' }),
      limits,
    })
    expect(await (await watched(post(streamOf(new Array(50).fill(new Uint8Array(100)))))).text()).toBe('ok')
    await watched.settled()
    expect(watched.counts().failed).toEqual({ body_too_large: 1 })
  })

  test('responses without a body, and those that change the protocol, are given back as they are', async () => {
    for (const response of [
      new Response(null, { status: 204 }),
      new Response(null, { status: 304 }),
      Response.error(),
      Response.redirect('http://a.example'),
    ]) {
      const watched = monitorFetch(() => response, {
        ...named,
        monitor: fakeWatcher(),
        output: probabilitiesAt('$'),
        query: fromBody({ kind: 'text' }),
      })
      expect(await watched(post('x'))).toBe(response)
      await watched.settled()
      expect(watched.counts()).toMatchObject({ failed: {}, inspected: 1 })
    }
  })
})

describe('streams', () => {
  const encoder = new TextEncoder()

  test('the first event of an answer is there before the second one is made', async () => {
    let pulls = 0
    let giveSecond = () => {}
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        pulls++
        if (pulls === 2) await new Promise<void>((resolve) => (giveSecond = resolve))
        controller.enqueue(encoder.encode(`data: ${pulls}\n\n`))
        if (pulls === 2) controller.close()
      },
    })
    const response = () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const watched = monitorFetch(response, {
      ...named,
      monitor: fakeWatcher(),
      query: fromJson({ input: '$.text' }),
      output: probabilitiesAt('$'),
    })
    const answer = await watched(postJson({ text: 'x' }))
    const reader = answer.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n')
    await watched.settled()
    expect(watched.counts()).toMatchObject({ inspected: 1, failed: {} })
    giveSecond()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 2\n\n')
    expect((await reader.read()).done).toBe(true)
  })

  test('JSON that comes in pieces flows in pieces, and is read when it is whole', async () => {
    const monitor = fakeWatcher()
    const gates = [gate<string>(), gate<string>()]
    let at = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (at === gates.length) return controller.close()
        controller.enqueue(encoder.encode(await gates[at++]!.promise))
      },
    })
    const watched = monitorFetch(() => new Response(body, { headers: json }), {
      ...named,
      monitor,
      output: probabilitiesAt('$.scores'),
    })
    const reader = (await watched(post('{}'))).body!.getReader()
    gates[0]!.open('{"scores":[0.5,')
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('{"scores":[0.5,')
    expect(monitor.asked).toEqual([])
    gates[1]!.open('0.5]}')
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('0.5]}')
    await reader.read()
    await watched.settled()
    expect(monitor.asked).toEqual([{ client: 'mallory', modelOutput: [0.5, 0.5] }])
  })

  test('no more than the limit is read ahead of whoever reads slowly', async () => {
    const made = { request: 0, response: 0 }
    const endless = (which: keyof typeof made) =>
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            made[which] += 100
            controller.enqueue(new Uint8Array(100))
          },
        },
        { highWaterMark: 0 },
      )
    const handler = () => new Response(endless('response'), { headers: json })
    const watched = monitorFetch(handler, {
      ...named,
      monitor: fakeWatcher(),
      query: fromBody({ kind: 'text' }),
      output: probabilitiesAt('$'),
      limits,
    })
    const response = await watched(post(endless('request')))
    await watched.settled()
    expect(watched.counts().failed).toEqual({ body_too_large: 1, answer_too_large: 1 })
    const reader = response.body!.getReader()
    for (let i = 0; i < 20; i++) await reader.read()
    await new Promise((done) => setTimeout(done, 20))
    // The limit, the chunk that goes beyond it, and one that the tee asks for in advance.
    expect(made.request).toBeLessThanOrEqual(LIMIT + 200)
    expect(made.response).toBeLessThanOrEqual(2000 + 200)
  })

  test('a client that goes away stops the answer', async () => {
    const cancel = vi.fn()
    let isOpen = true
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await new Promise((done) => setTimeout(done, 1))
        if (isOpen) controller.enqueue(new Uint8Array(100))
      },
      cancel: (reason) => {
        isOpen = false
        cancel(reason)
      },
    })
    const watched = monitorFetch(() => new Response(body, { headers: json }), {
      ...named,
      monitor: fakeWatcher(),
      output: probabilitiesAt('$'),
      limits,
    })
    const response = await watched(post('{}'))
    await response.body!.cancel('gone')
    await until(() => cancel.mock.calls.length === 1)
    await watched.settled()
  })
})

describe('limits', () => {
  test.each([
    ['whose length is declared', (length: number) => post('x'.repeat(length), { 'content-length': String(length) })],
    ['in chunks', (length: number) => post(streamOf([new Uint8Array(length).fill(120)]))],
  ])('a body %s is judged up to the limit, and refused above it under closed', async (_, request) => {
    for (const [length, status] of [
      [LIMIT, 200],
      [LIMIT + 1, 413],
    ] as const) {
      const handler = vi.fn(async (given: Request) => new Response(String((await given.text()).length)))
      const watched = monitorFetch(handler, {
        ...named,
        monitor: fakeWatcher(),
        query: fromBody({ kind: 'text' }),
        onError: 'closed',
        limits,
      })
      const response = await watched(request(length))
      expect(response.status).toBe(status)
      expect(handler).toHaveBeenCalledTimes(status === 200 ? 1 : 0)
      if (status === 200) expect(await response.text()).toBe(String(length))
      else
        expect(await response.json()).toEqual({ error: { code: 'body_too_large', message: 'the body is too large' } })
    }
  })

  test('bodies that are looked at share their room; without any a request is not inspected', async () => {
    const judging = gate()
    const monitor = fakeWatcher({ inspect: () => judging.promise.then(() => ({})) })
    const handler = async (request: Request) => new Response(await request.text())
    const options = {
      ...named,
      monitor,
      query: fromBody({ kind: 'text' }),
      limits: { bodyBytes: 1000, totalBytes: 2500 },
    } as const
    const watched = monitorFetch(handler, options)
    const body = 'x'.repeat(1000)
    for (let i = 0; i < 4; i++) {
      const request =
        i % 2 === 0 ? post(body, { 'content-length': '1000' }) : post(streamOf([new TextEncoder().encode(body)]))
      expect(await (await watched(request)).text()).toBe(body)
    }
    await until(() => watched.counts().failed.overloaded === 2)
    judging.open()
    await watched.settled()
    expect(monitor.asked).toHaveLength(2)
    expect(await (await watched(post(body, { 'content-length': '1000' }))).text()).toBe(body)
    await watched.settled()
    expect(watched.counts()).toMatchObject({ inspected: 3, failed: { overloaded: 2 } })
  })

  test('requests that are never judged give their room to others after a while', async () => {
    let nowMs = 0
    const monitor = fakeWatcher({ inspect: () => new Promise(() => {}) })
    const watched = monitorFetch(classify, {
      ...named,
      monitor,
      query: fromJson({ input: '$.text' }),
      limits: { pending: 2, holdMs: 500 },
      now: () => nowMs,
    })
    for (let i = 0; i < 3; i++) await watched(postJson({ text: 'x' }))
    expect(watched.counts().failed).toEqual({ overloaded: 1 })
    nowMs = 501
    for (let i = 0; i < 3; i++) await watched(postJson({ text: 'x' }))
    expect(watched.counts().failed).toEqual({ overloaded: 2 })
    await until(() => monitor.asked.length === 4)
  })
})

describe('packed bodies', () => {
  const pack = async (text: string, how: CompressionFormat) =>
    new Uint8Array(await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream(how))).arrayBuffer())
  const echo = async (request: Request) => new Response(await request.arrayBuffer())

  test.each(['gzip', 'deflate'] as const)('%s is unpacked for the monitor, not for the handler', async (how) => {
    const monitor = fakeWatcher()
    const packed = await pack('{"text":"hello"}', how)
    const watched = monitorFetch(echo, { ...named, monitor, query: fromJson({ input: '$.text' }) })
    expect(await bytesOf(await watched(post(packed, { 'content-encoding': how })))).toEqual(packed)
    await watched.settled()
    expect(monitor.asked).toEqual([{ input: 'hello', client: 'mallory' }])
  })

  test('a packed answer is read', async () => {
    const monitor = fakeWatcher()
    const packed = await pack(JSON.stringify(SCORES), 'gzip')
    const answer = () => new Response(packed, { headers: { ...json, 'content-encoding': 'gzip' } })
    const watched = monitorFetch(answer, { ...named, monitor, output: probabilitiesAt('$.scores') })
    expect(await bytesOf(await watched(post('{}')))).toEqual(packed)
    await watched.settled()
    expect(monitor.asked[0]).toMatchObject({ modelOutput: SCORES.scores })
  })

  test('a header that is not true hides nothing', async () => {
    for (const encoding of ['gzip', 'deflate', 'identity']) {
      const monitor = fakeWatcher()
      const watched = monitorFetch(echo, { ...named, monitor, query: fromJson({ input: '$.text' }) })
      await watched(postJson({ text: 'plain' }, { 'content-encoding': encoding }))
      await watched.settled()
      expect(monitor.asked).toMatchObject([{ input: 'plain' }])
    }
  })

  test('what unpacks above the limit, is cut off, or is packed otherwise is given up and counted', async () => {
    const bomb = await pack('x'.repeat(100 * LIMIT), 'gzip')
    expect(bomb.length).toBeLessThan(LIMIT)
    const { events, onEvent } = listened()
    const watched = monitorFetch(echo, {
      ...named,
      monitor: fakeWatcher(),
      query: fromBody({ kind: 'text' }),
      limits,
      onEvent,
    })
    for (const [body, encoding] of [
      [bomb, 'gzip'],
      [bomb.slice(0, -20), 'gzip'],
      [bomb, 'br'],
      [bomb, 'gzip, gzip'],
    ] as const) {
      expect(await bytesOf(await watched(post(body, { 'content-encoding': encoding })))).toEqual(body)
      await watched.settled()
    }
    expect(events.map((event) => event.kind === 'failed' && event.code)).toEqual([
      'body_too_large',
      'body_too_large',
      'body_encoding',
      'body_encoding',
    ])
    const short = (await pack('{"text":"hello"}', 'gzip')).slice(0, -10)
    await watched(post(short, { 'content-encoding': 'gzip' }))
    await watched.settled()
    expect(watched.counts().failed.body_broken).toBe(1)
  })
})
