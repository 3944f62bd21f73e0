/** The middleware: what clients notice in each mode. */
import { describe, expect, test, vi } from 'vitest'
import { fromJson, type MonitorOptions, monitorFetch, probabilitiesAt } from '../src/edge/index.ts'
import { createMonitor } from '../src/embed/index.ts'
import { isMonitorError } from '../src/index.ts'
import { acting, classify, fakeWatcher, listened, named, postJson, SCORES } from './tools/edge.ts'

const query = fromJson({ input: '$.text' })
const output = probabilitiesAt('$.scores')
const HOUR = 3_600_000

const suspendedUntil = (untilMs: number) => () => ({ allowed: false, suspendedUntilMs: untilMs }) as const
const ask = (text = 'hello', headers?: Record<string, string>) => postJson({ text }, headers)

describe('observe', () => {
  test("gives the handler the request itself and the client the handler's own response", async () => {
    const monitor = fakeWatcher({ mode: 'observe' })
    const response = Response.json(SCORES, { headers: { 'x-model': 'a' } })
    const handler = vi.fn(async (_: Request) => response)
    const watched = monitorFetch(handler, { ...named, monitor, query, output })
    const request = ask()
    const answer = await watched(request)
    expect(answer).toBe(response)
    expect(handler).toHaveBeenCalledExactlyOnceWith(request)
    expect([...answer.headers.keys()]).toEqual(['content-type', 'x-model'])
    expect(await answer.json()).toEqual(SCORES)
    await watched.settled()
    expect(monitor.asked).toEqual([{ input: 'hello', modelOutput: [0.7, 0.2, 0.1], client: 'mallory' }])
    expect(watched.counts()).toMatchObject({ requests: 1, inspected: 1, refused: 0, failed: {} })
  })

  test('refuses nobody, and does not even ask whether to', async () => {
    const admit = vi.fn(suspendedUntil(Date.now() + HOUR))
    const monitor = fakeWatcher({ admit, inspect: () => acting('suspend') })
    const watched = monitorFetch(classify, {
      ...named,
      monitor,
      query,
      reply: 'observe',
      when: 'before',
      onError: 'closed',
    })
    expect((await watched(ask())).status).toBe(200)
    expect((await watched(postJson({ other: 1 }))).status).toBe(200)
    expect(admit).not.toHaveBeenCalled()
    expect(watched.counts()).toMatchObject({ refused: 0, inspected: 1, failed: { bad_body: 1 } })
  })

  test('passes the arguments of the host on, to the handler and to the functions', async () => {
    const seen: unknown[] = []
    const watched = monitorFetch(
      (_: Request, env: { key: string }, ctx: object) => Response.json({ key: env.key, ctx }),
      {
        monitor: fakeWatcher({ mode: 'observe' }),
        query: (copy, env) => {
          seen.push(copy.url, copy.method, env.key)
          return { input: 'x' }
        },
        client: (_, env) => env.key,
      },
    )
    expect(await (await watched(ask(), { key: 'k' }, { a: 1 })).json()).toEqual({ key: 'k', ctx: { a: 1 } })
    await watched.settled()
    expect(seen).toEqual(['http://model.example/v1/classify', 'POST', 'k'])
  })

  test('leaves a suspicious client of a real monitor alone, and reports it', async () => {
    const monitor = createMonitor({
      detectors: [{ name: 'text_repetition', threshold: 3 }, 'confidence'],
      policy: { throttleAt: 4, fadePerMinute: 0 },
    })
    const { events, onEvent } = listened()
    const watched = monitorFetch(classify, { ...named, monitor, query, output, onEvent })
    for (let i = 0; i < 5; i++) expect((await watched(ask('the same'))).status).toBe(200)
    await watched.settled()
    const verdicts = events.flatMap((event) => (event.kind === 'verdict' ? [event.verdict] : []))
    expect(verdicts.map(({ detections }) => detections.map(({ score }) => Math.round(score * 1000)))).toEqual(
      // Of the scores .7, .2, .1: −Σ p ln p = 0.802 nats.
      [1, 2, 3, 4, 5].map((count) => [1000 * count, 802]),
    )
    expect(verdicts.map(({ proposed }) => proposed)).toEqual(['flag', 'flag', 'flag', 'throttle', 'throttle'])
  })
})

describe('tag', () => {
  const tagged = (inspect: () => object, more: Partial<MonitorOptions> = {}) => {
    const seen: (string | null)[] = []
    const monitor = fakeWatcher({ mode: 'observe', inspect })
    const handler = async (request: Request) => {
      seen.push(request.headers.get('x-monitaur-action'), await request.text())
      return Response.json(SCORES, { status: 201, headers: { etag: 'e' } })
    }
    const options = { ...named, monitor, query, reply: 'tag', when: 'before', ...more } as const
    return { seen, watched: monitorFetch(handler, options) }
  }

  test('before: the handler and the client see what enforcement would do', async () => {
    const { seen, watched } = tagged(() => acting('flag', { proposed: 'throttle' }))
    const response = await watched(ask())
    expect(response.headers.get('x-monitaur-action')).toBe('throttle')
    expect([response.status, response.headers.get('etag'), await response.json()]).toEqual([201, 'e', SCORES])
    expect(seen).toEqual(['throttle', '{"text":"hello"}'])
  })

  test('a tag that the client has sent does not reach the handler', async () => {
    const { seen, watched } = tagged(() => acting('suspend'))
    await watched(ask('x', { 'X-Monitaur-Action': 'allow' }))
    expect(seen[0]).toBe('suspend')
  })

  test('between: only the response knows', async () => {
    const { seen, watched } = tagged(() => acting('suspend'), { when: 'between', output })
    expect((await watched(ask())).headers.get('x-monitaur-action')).toBe('suspend')
    expect(seen[0]).toBe('allow')
  })

  test('a request that cannot be watched is tagged as onError says, whatever else is found', async () => {
    for (const [onError, tag] of [
      ['closed', 'throttle'],
      ['open', 'allow'],
    ] as const) {
      const { watched } = tagged(() => ({}), { onError, when: 'between', output })
      const response = await watched(postJson({ no: 'text' }))
      expect([response.status, response.headers.get('x-monitaur-action')]).toEqual([201, tag])
    }
  })
})

describe('enforce', () => {
  test('a suspended client gets 403 with the time, and the handler does not run', async () => {
    const handler = vi.fn(classify)
    const monitor = fakeWatcher({ admit: suspendedUntil(90_500) })
    const { events, onEvent } = listened()
    const watched = monitorFetch(handler, { ...named, monitor, query, onEvent, now: () => 1000 })
    const response = await watched(ask())
    expect(response.status).toBe(403)
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'retry-after': '90',
    })
    expect(await response.json()).toEqual({ error: { code: 'suspended', message: 'this client is suspended' } })
    expect(handler).not.toHaveBeenCalled()
    expect(monitor.asked).toEqual([])
    expect(events).toEqual([{ kind: 'refused', client: 'mallory', code: 'suspended', status: 403 }])
  })

  test('before: a query that the policy throttles gets 429 and does not reach the model', async () => {
    const handler = vi.fn(classify)
    const monitor = fakeWatcher({ inspect: () => acting('throttle') })
    const watched = monitorFetch(handler, { ...named, monitor, query, when: 'before' })
    const response = await watched(ask())
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '60']) // one query fades in a minute
    expect(handler).not.toHaveBeenCalled()
  })

  test('between: the answer is held back, and its stream is stopped', async () => {
    const cancel = vi.fn()
    const body = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(10)), cancel })
    const monitor = fakeWatcher({
      inspect: () => acting('suspend', { client: { id: 'mallory', evidence: 9, suspendedUntilMs: 5000 } }),
    })
    const watched = monitorFetch(() => new Response(body), { ...named, monitor, query, when: 'between', now: () => 0 })
    const response = await watched(ask())
    expect([response.status, response.headers.get('retry-after')]).toEqual([403, '5'])
    expect(cancel).toHaveBeenCalledOnce()
  })

  test('after: this query is answered, the next one of a suspended client is not', async () => {
    const monitor = createMonitor({
      detectors: [{ name: 'text_repetition', threshold: 2 }],
      policy: { mode: 'enforce', throttleAt: 1, suspendAt: 2, fadePerMinute: 0 },
    })
    const watched = monitorFetch(classify, { ...named, monitor, query })
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) {
      statuses.push((await watched(ask('the same'))).status)
      await watched.settled()
    }
    expect(statuses).toEqual([200, 200, 200, 403, 403])
  })

  test('a query that no detector could judge is refused for that, not for its client', async () => {
    const monitor = createMonitor({ detectors: ['text_repetition'], policy: { mode: 'enforce', onError: 'closed' } })
    const broken = () => ({ input: { data: new Uint8Array(2), width: 0, height: 0 } })
    const watched = monitorFetch(classify, { ...named, monitor, query: broken, when: 'before' })
    const response = await watched(ask())
    expect([response.status, await response.json()]).toEqual([
      422,
      { error: { code: 'bad_query', message: 'the query cannot be judged' } },
    ])
  })

  test("refusals can be in the caller's own words", async () => {
    const monitor = fakeWatcher({ admit: suspendedUntil(2000) })
    const refusal = ({ code, retryAfter }: { code: string; retryAfter?: number }, { url }: Request) =>
      Response.json({ type: code, wait: retryAfter, url }, { status: 429 })
    const watched = monitorFetch(classify, { ...named, monitor, query, refusal, now: () => 0 })
    const response = await watched(ask())
    expect(await response.json()).toEqual({ type: 'suspended', wait: 2, url: 'http://model.example/v1/classify' })
    expect(watched.counts().refused).toBe(1)
  })

  test('a refusal that throws is replaced by the usual one, and counted', async () => {
    const refusal = () => {
      throw new Error('no')
    }
    const watched = monitorFetch(classify, {
      ...named,
      monitor: fakeWatcher({ admit: suspendedUntil(9e15) }),
      query,
      refusal,
    })
    expect((await watched(ask())).status).toBe(403)
    expect(watched.counts().failed).toEqual({ refusal_failed: 1 })
  })

  test('admission alone needs neither query nor output', async () => {
    const monitor = fakeWatcher({ admit: (client) => ({ allowed: client === 'good' }) as never })
    const watched = monitorFetch(classify, { monitor, client: (r) => r.headers.get('x-user') ?? undefined })
    expect((await watched(ask('a', { 'x-user': 'good' }))).status).toBe(200)
    expect((await watched(ask('a', { 'x-user': 'bad' }))).status).toBe(403)
    expect(monitor.asked).toEqual([])
  })
})

describe('silent', () => {
  const HIDDEN = { label: 'cat', scores: [0.9, 0.05, 0.05] }
  const silent = (more: Partial<MonitorOptions> = {}, handler = classify) => {
    const monitor = fakeWatcher({
      admit: (client) => (client === 'good' ? { allowed: true } : { allowed: false, suspendedUntilMs: 9e15 }),
    })
    const client = (request: Request) => request.headers.get('x-user') ?? 'bad'
    return { monitor, watched: monitorFetch(handler, { monitor, client, query, output, reply: 'silent', ...more }) }
  }

  test('a suspended client gets the label and nothing of the scores, with the same headers', async () => {
    const { watched, monitor } = silent()
    const good = await watched(ask('x', { 'x-user': 'good' }))
    const bad = await watched(ask('x'))
    expect(await good.json()).toEqual(SCORES)
    expect(await bad.json()).toEqual(HIDDEN)
    expect([...bad.headers]).toEqual([...good.headers])
    expect([bad.status, bad.statusText]).toEqual([good.status, good.statusText])
    await watched.settled()
    expect(monitor.asked.map(({ modelOutput }) => modelOutput)).toEqual([SCORES.scores, SCORES.scores])
    expect(watched.counts()).toMatchObject({ decoys: 1, refused: 0, inspected: 2, failed: {} })
  })

  test('the length is right, and what was packed is packed', async () => {
    const text = JSON.stringify(SCORES)
    const packed = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).bytes()
    for (const body of [text, packed]) {
      const headers = {
        'content-type': 'application/json',
        'content-length': String(body.length),
        ...(typeof body === 'string' ? {} : { 'content-encoding': 'gzip' }),
      }
      const { watched } = silent({}, async () => new Response(body as BodyInit, { headers }))
      const response = await watched(ask())
      const bytes = await response.bytes()
      expect(response.headers.get('content-length')).toBe(String(bytes.length))
      expect(response.headers.get('content-encoding')).toBe(typeof body === 'string' ? null : 'gzip')
      const plain =
        typeof body === 'string'
          ? new Blob([bytes]).stream()
          : new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
      expect(await new Response(plain).json()).toEqual(HIDDEN)
    }
  })

  test('before: a throttled query is answered harmlessly too', async () => {
    const monitor = fakeWatcher({ inspect: () => acting('throttle') })
    const watched = monitorFetch(classify, { ...named, monitor, query, output, reply: 'silent', when: 'before' })
    expect(await (await watched(ask())).json()).toEqual(HIDDEN)
  })

  test('an error of the handler is not the model, and stays', async () => {
    const { watched } = silent({}, async () => new Response('no such model', { status: 404 }))
    const response = await watched(ask())
    expect([response.status, await response.text()]).toEqual([404, 'no such model'])
  })

  test.each([
    ['a stream of events', () => new Response('data: 1\n\n', { headers: { 'content-type': 'text/event-stream' } })],
    ['an answer above the limit', () => Response.json({ scores: [1], more: 'x'.repeat(2000) })],
    ['broken JSON', () => new Response('{', { headers: { 'content-type': 'application/json' } })],
    ['scores that are none', () => Response.json({ scores: 'high' })],
  ])('%s cannot be made harmless and is not given', async (_, answer) => {
    const { watched } = silent({ limits: { bodyBytes: 1000 } }, async () => answer())
    const response = await watched(ask())
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ error: { code: 'monitor_failed', message: 'not available at the moment' } })
    expect(watched.counts().failed).toMatchObject({ decoy_failed: 1 })
  })

  test('a decoy of your own gets request and answer; one that throws gives nothing away', async () => {
    const decoy = async (request: Request, response: Response) =>
      new Response(`${request.method} ${(await response.text()).length}`, { status: 202 })
    const { watched } = silent({ decoy })
    const response = await watched(ask())
    expect([response.status, await response.text()]).toEqual([202, `POST ${JSON.stringify(SCORES).length}`])
    const failing = silent({ decoy: () => Promise.reject(new Error('no')) }).watched
    expect((await failing(ask())).status).toBe(503)
    expect(failing.counts().failed).toEqual({ decoy_failed: 1 })
  })
})

describe('delayed', () => {
  const key = 'a secret of 16 bytes and more'
  const options = { query, reply: 'delayed', delay: { minMs: 60_000, maxMs: 600_000 }, key } as const

  /** When a client suspended at 0 for an hour is refused first, looking every second. */
  async function firstRefusal(client: string, untilMs = HOUR, more = {}): Promise<number> {
    let nowMs = 0
    const monitor = fakeWatcher({ admit: suspendedUntil(untilMs) })
    const watched = monitorFetch(async () => new Response(), {
      ...options,
      monitor,
      client: () => client,
      now: () => nowMs,
      ...more,
    })
    for (; nowMs < HOUR; nowMs += 1000) {
      const { status, headers } = await watched(ask())
      if (status === 200) continue
      expect([status, headers.get('retry-after')]).toEqual([403, null])
      return nowMs
    }
    return Number.NaN
  }

  test('the refusal begins between the limits, at a time of its own for each client and each suspension', async () => {
    const begins = await Promise.all(Array.from({ length: 20 }, (_, i) => firstRefusal(`client ${i}`)))
    for (const begin of begins) {
      expect(begin).toBeGreaterThanOrEqual(60_000)
      expect(begin).toBeLessThanOrEqual(601_000)
    }
    expect(new Set(begins).size).toBeGreaterThan(15)
    expect(await firstRefusal('client 0', HOUR + 1)).not.toBe(begins[0])
    expect(await firstRefusal('client 0', HOUR, { key: 'another secret of 16 bytes' })).not.toBe(begins[0])
  })

  test('every process with the same key begins at the same time', async () => {
    expect(await firstRefusal('a')).toBe(await firstRefusal('a'))
  })

  test('once it has begun it lasts until the end', async () => {
    let nowMs = 700_000
    const monitor = fakeWatcher({ admit: suspendedUntil(HOUR) })
    const watched = monitorFetch(classify, { ...named, ...options, monitor, now: () => nowMs })
    const statuses: number[] = []
    for (const time of [700_000, 100, HOUR - 1]) {
      nowMs = time
      statuses.push((await watched(ask())).status)
    }
    expect(statuses).toEqual([403, 403, 403])
  })

  test("an operator's longer suspension is felt at once, to its end", async () => {
    expect(await firstRefusal('a', 24 * HOUR)).toBe(0)
  })

  test('no query is refused for itself, not even the one that leads to the suspension', async () => {
    for (const action of ['throttle', 'suspend'] as const) {
      const monitor = fakeWatcher({
        inspect: () => acting(action, { client: { id: 'mallory', evidence: 9, suspendedUntilMs: HOUR } }),
      })
      const watched = monitorFetch(classify, { ...named, ...options, monitor, when: 'before', now: () => 0 })
      expect((await watched(ask())).status).toBe(200)
    }
  })

  test('what cannot be watched is refused at once: it is not about the client', async () => {
    const watched = monitorFetch(classify, { ...named, ...options, monitor: fakeWatcher(), onError: 'closed' })
    expect((await watched(postJson({}))).status).toBe(400)
  })
})

describe('the configuration', () => {
  const enforcing = fakeWatcher()
  const observing = fakeWatcher({ mode: 'observe' })
  test.each([
    ['no monitor', { query }, 'options.monitor'],
    ['nothing to watch', { monitor: observing }, 'options'],
    ['an unknown option', { monitor: observing, query, repli: 'tag' }, 'options.repli'],
    ['an unknown reply', { monitor: observing, query, reply: 'block' }, 'options.reply'],
    ['an unknown time', { monitor: observing, query, when: 'never' }, 'options.when'],
    ['enforcing what a monitor only observes', { monitor: observing, query, reply: 'enforce' }, 'options.reply'],
    ['silence without a harmless answer', { monitor: enforcing, query, reply: 'silent' }, 'options.decoy'],
    ['a tag after the response', { monitor: enforcing, query, reply: 'tag' }, 'options.when'],
    ['an output before the model', { monitor: enforcing, output, when: 'before' }, 'options.when'],
    ['a short key', { monitor: enforcing, query, key: 'short' }, 'client.key.length'],
    ['a delay longer than the suspension', { monitor: enforcing, query, delay: { maxMs: 1e9 } }, 'delay.maxMs'],
    ['a limit that is none', { monitor: enforcing, query, limits: { bodyBytes: 0 } }, 'options.limits.bodyBytes'],
    ['less room than one body', { monitor: enforcing, query, limits: { totalBytes: 5 } }, 'options.limits.totalBytes'],
    ['a query that is no function', { monitor: enforcing, query: '$.text' }, 'options.query'],
  ])('%s is refused', (_, options, path) => {
    let error: unknown
    try {
      monitorFetch(classify, options as never)
    } catch (thrown) {
      error = thrown
    }
    expect(isMonitorError(error) && error.code).toBe('bad_config')
    expect((error as { path: string }).path).toBe(path)
  })

  test('the reply follows the mode of the policy', async () => {
    for (const [mode, status] of [
      ['observe', 200],
      ['enforce', 403],
    ] as const) {
      const monitor = fakeWatcher({ mode, admit: suspendedUntil(9e15) })
      expect((await monitorFetch(classify, { ...named, monitor, query })(ask())).status).toBe(status)
    }
  })
})
