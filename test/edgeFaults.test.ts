/** The middleware when something fails: the policy decides, the response is what it says, and it is counted. */
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fromJson, fromMultipart, type MonitorOptions, monitorFetch, probabilitiesAt } from '../src/edge/index.ts'
import { createMonitor } from '../src/embed/index.ts'
import { MonitorError } from '../src/index.ts'
import { acting, classify, fakeWatcher, gate, listened, named, post, postJson, SCORES } from './tools/edge.ts'
import { until } from './tools/until.ts'

const query = fromJson({ input: '$.text' })
const ask = (text = 'x') => postJson({ text })
const never = () => new Promise<never>(() => {})
const limits = { timeoutMs: 20, holdMs: 100 }

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  await wait(1)
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

describe('a handler that throws', () => {
  test.each(['before', 'between', 'after'] as const)(
    '%s: throws on as it is, and its query is judged',
    async (when) => {
      const error = new TypeError('the model is gone')
      const handler = vi.fn(async () => {
        throw error
      })
      const monitor = fakeWatcher()
      const { events, onEvent } = listened()
      const watched = monitorFetch(handler, { ...named, monitor, query, when, onEvent })
      await expect(watched(ask())).rejects.toBe(error)
      await watched.settled()
      expect(monitor.asked).toEqual([{ input: 'x', client: 'mallory' }])
      expect(watched.counts()).toMatchObject({ inspected: 1, failed: { handler_threw: 1 } })
      expect(events).toContainEqual({
        kind: 'failed',
        client: 'mallory',
        code: 'handler_threw',
        message: 'the model is gone',
      })
    },
  )

  test('also one that throws at once, and one that throws what is no error', async () => {
    for (const thrown of [new Error('at once'), 'a text', undefined]) {
      const handler = () => {
        throw thrown
      }
      const watched = monitorFetch(handler, { ...named, monitor: fakeWatcher(), query })
      await expect(watched(ask())).rejects.toBe(thrown)
      await watched.settled()
      expect(watched.counts().failed).toEqual({ handler_threw: 1 })
    }
  })
})

describe('a monitor that fails or is late', () => {
  const broken = () => Promise.reject(new MonitorError('store_failed', 'the disk is full'))
  const thrower = () => {
    throw new Error('a bug')
  }
  const faults = [
    ['admit rejects', { admit: broken }, 'after', 'store_failed'],
    ['admit throws', { admit: thrower }, 'after', 'monitor_failed'],
    ['admit is late', { admit: never }, 'after', 'timeout'],
    ['inspect rejects', { inspect: broken }, 'before', 'store_failed'],
    ['inspect throws', { inspect: thrower }, 'before', 'monitor_failed'],
    ['inspect is late', { inspect: never }, 'before', 'timeout'],
    ['inspect is late', { inspect: never }, 'between', 'timeout'],
  ] as const

  test.each(faults)('%s: closed refuses, open serves, both count', async (_, fault, when, code) => {
    for (const [onError, status] of [
      ['closed', 503],
      ['open', 200],
    ] as const) {
      const monitor = fakeWatcher(fault as never)
      const watched = monitorFetch(classify, { ...named, monitor, query, when, onError, limits })
      const response = await watched(ask())
      expect(response.status).toBe(status)
      if (status === 503) {
        expect(response.headers.get('retry-after')).toBe('1')
        expect(await response.json()).toEqual({
          error: { code: 'monitor_failed', message: 'not available at the moment' },
        })
      } else {
        expect(await response.json()).toEqual(SCORES)
      }
      expect(watched.counts().failed).toEqual({ [code]: 1 })
    }
  })

  test.each(faults)('%s: with silence the answer is harmless', async (_, fault, when, code) => {
    const monitor = fakeWatcher(fault as never)
    const output = probabilitiesAt('$.scores')
    const watched = monitorFetch(classify, {
      ...named,
      monitor,
      query,
      output,
      when,
      onError: 'closed',
      reply: 'silent',
      limits,
    })
    expect(await (await watched(ask())).json()).toEqual({ label: 'cat', scores: [0.9, 0.05, 0.05] })
    await watched.settled()
    expect(watched.counts().failed).toMatchObject({ [code]: expect.any(Number) })
  })

  test('after: the response is not touched, whatever the policy', async () => {
    for (const onError of ['closed', 'open'] as const) {
      const watched = monitorFetch(classify, { ...named, monitor: fakeWatcher({ inspect: broken }), query, onError })
      expect((await watched(ask())).status).toBe(200)
      await watched.settled()
      expect(watched.counts().failed).toEqual({ store_failed: 1 })
    }
  })

  test('a verdict that comes late still counts for the client', async () => {
    const judging = gate()
    const monitor = fakeWatcher({ inspect: () => judging.promise.then(() => ({})) })
    const watched = monitorFetch(classify, { ...named, monitor, query, when: 'before', onError: 'open', limits })
    expect((await watched(ask())).status).toBe(200)
    expect(watched.counts()).toMatchObject({ inspected: 0, failed: { timeout: 1 } })
    judging.open()
    await watched.settled()
    expect(watched.counts().inspected).toBe(1)
  })

  test('one that is late and then fails is not told twice', async () => {
    const judging = gate()
    const monitor = fakeWatcher({ inspect: () => judging.promise.then(broken) })
    const watched = monitorFetch(classify, { ...named, monitor, query, when: 'before', onError: 'open', limits })
    await watched(ask())
    judging.open()
    await watched.settled()
    expect(watched.counts().failed).toEqual({ timeout: 1 })
  })

  test('a monitor that was disposed is one that fails', async () => {
    const monitor = createMonitor({ detectors: ['text_repetition'], policy: { mode: 'enforce' } })
    await monitor.dispose()
    const watched = monitorFetch(classify, { ...named, monitor, query, when: 'before' })
    expect((await watched(ask())).status).toBe(503)
    expect(watched.counts().failed).toEqual({ disposed: 1 })
  })
})

describe('requests that cannot be read', () => {
  const form = (body: string) => post(body, { 'content-type': 'multipart/form-data; boundary=x' })
  const used = async () => {
    const request = ask()
    await request.text()
    return request
  }
  const bad = [
    ['malformed multipart', fromMultipart({ field: 'a' }), () => form('--x\r\nnonsense'), 400, 'bad_body'],
    ['no JSON', query, () => post('{'), 400, 'bad_body'],
    [
      'a body that broke off',
      query,
      () => post(new ReadableStream({ pull: (c) => c.error(new Error('gone')) })),
      400,
      'body_broken',
    ],
    ['a body that somebody has read', query, used, 503, 'body_used'],
    ['an unknown encoding', query, () => post('{"text":"x"}', { 'content-encoding': 'br' }), 415, 'body_encoding'],
  ] as const

  test.each(bad)(
    '%s: closed refuses before the handler runs, open lets the handler see',
    async (_, read, request, status, code) => {
      const handler = vi.fn(async () => new Response('served'))
      const options: MonitorOptions = { ...named, monitor: fakeWatcher(), query: read }
      const closed = monitorFetch(handler, { ...options, onError: 'closed' })
      expect((await closed(await request())).status).toBe(status)
      expect(handler).not.toHaveBeenCalled()
      expect(closed.counts()).toMatchObject({ refused: 1, inspected: 0, failed: { [code]: 1 } })
      const open = monitorFetch(handler, { ...options, onError: 'open' })
      expect(await (await open(await request())).text()).toBe('served')
      await open.settled()
      expect(open.counts()).toMatchObject({ refused: 0, inspected: 0, failed: { [code]: 1 } })
    },
  )

  test('what the model answered is judged all the same', async () => {
    const monitor = fakeWatcher()
    const options = { ...named, monitor, query, output: probabilitiesAt('$.scores'), onError: 'open' } as const
    const watched = monitorFetch(async () => Response.json(SCORES), options)
    await watched(post('{'))
    await watched.settled()
    expect(monitor.asked).toEqual([{ client: 'mallory', modelOutput: SCORES.scores }])
  })
})

describe('answers that cannot be read', () => {
  test('reach the client as they are', async () => {
    for (const when of ['between', 'after'] as const) {
      const body = '{"scores":[NaN,0.5]}'
      const answer = async () => new Response(body, { headers: { 'content-type': 'application/json', 'x-model': 'm' } })
      const options = {
        ...named,
        monitor: fakeWatcher(),
        query,
        output: probabilitiesAt('$.scores'),
        onError: 'closed',
        when,
      } as const
      const watched = monitorFetch(answer, options)
      const response = await watched(ask())
      expect([response.headers.get('x-model'), await response.text()]).toEqual(['m', body])
      await watched.settled()
      expect(watched.counts()).toMatchObject({ inspected: 1, refused: 0, failed: { bad_answer: 1 } })
    }
  })

  test('one that breaks off breaks off for the client too', async () => {
    const body = () =>
      new ReadableStream({
        start: (c) => c.enqueue(new TextEncoder().encode('{"scores":')),
        pull: (c) => c.error(new Error('the model is gone')),
      })
    const answer = () => new Response(body(), { headers: { 'content-type': 'application/json' } })
    const watched = monitorFetch(answer, {
      ...named,
      monitor: fakeWatcher(),
      query,
      output: probabilitiesAt('$.scores'),
    })
    await expect((await watched(ask())).text()).rejects.toThrow('the model is gone')
    await watched.settled()
    expect(watched.counts()).toMatchObject({ inspected: 1, failed: { bad_answer: 1 } })
  })
})

describe('names and words from outside', () => {
  test('cannot put headers or fields into a response', async () => {
    const evil = 'x\r\nset-cookie: a=b"}, "admin": {"'
    const monitor = fakeWatcher({
      admit: () => ({ allowed: false, suspendedUntilMs: Number.NaN }),
      inspect: () => acting('flag'),
    })
    const watched = monitorFetch(classify, { monitor, query, client: () => evil })
    const response = await watched(postJson({ text: evil }))
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(await response.json()).toEqual({ error: { code: 'suspended', message: 'this client is suspended' } })
  })

  test('no event holds anything of a query', async () => {
    const { events, onEvent } = listened()
    const watched = monitorFetch(classify, { ...named, monitor: fakeWatcher(), query, onEvent, onError: 'open' })
    const secret = 'my password'
    for (const body of [
      secret,
      `{"text":{"${secret}":["${secret}"]`,
      JSON.stringify({ text: [1, secret] }),
      JSON.stringify({ [secret]: secret }),
    ]) {
      await watched(post(body)).catch(() => {})
    }
    await watched.settled()
    expect(events.filter(({ kind }) => kind === 'failed').length).toBeGreaterThanOrEqual(4)
    const told = events.filter((event) => event.kind !== 'failed' || event.code !== 'handler_threw')
    expect(JSON.stringify(told)).not.toContain(secret)
  })
})

describe('the host', () => {
  test('keeps work after the response, where it can', async () => {
    const judging = gate()
    const monitor = fakeWatcher({ inspect: () => judging.promise.then(() => ({})) })
    const kept: Promise<unknown>[] = []
    class Context {
      readonly kept = kept
      waitUntil(promise: Promise<unknown>): void {
        this.kept.push(promise) // it must be called on its object
      }
    }
    const watched = monitorFetch(classify as (r: Request, env: object, ctx: Context) => Promise<Response>, {
      ...named,
      monitor,
      query,
    })
    await watched(ask(), {}, new Context())
    expect(kept).toHaveLength(1)
    await watched.settled() // nothing is held here
    judging.open()
    await Promise.all(kept)
    expect(watched.counts().inspected).toBe(1)
  })

  test('whose event is over does not keep it, so it is held here', async () => {
    const waitUntil = vi.fn(() => {
      throw new Error('the event has been handled')
    })
    const watched = monitorFetch(classify, { ...named, monitor: fakeWatcher(), query, waitUntil })
    await watched(ask())
    await watched.settled()
    expect(waitUntil).toHaveBeenCalledOnce()
    expect(watched.counts().inspected).toBe(1)
  })

  test('a listener that throws breaks nothing, and is counted', async () => {
    const onEvent = () => {
      throw new Error('a bug')
    }
    const watched = monitorFetch(classify, { ...named, monitor: fakeWatcher(), query, onEvent })
    expect((await watched(ask())).status).toBe(200)
    await watched.settled()
    expect(watched.counts()).toMatchObject({ inspected: 1, listenerErrors: 1 })
  })

  test('a client that goes away while it uploads is counted', async () => {
    const abort = new AbortController()
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"text":'))
        abort.signal.addEventListener('abort', () => controller.error(abort.signal.reason))
      },
    })
    const watched = monitorFetch(classify, { ...named, monitor: fakeWatcher(), query })
    const answer = watched(post(body))
    abort.abort()
    await expect(answer).rejects.toThrow(/abort/)
    await watched.settled()
    expect(watched.counts().failed).toEqual({ handler_threw: 1, body_broken: 1 })
  })
})

describe('64 requests of one client in flight', () => {
  const texts = Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? 'the same' : `text ${i}`))
  const config = (when: string) =>
    ({
      detectors: [{ name: 'text_repetition', threshold: 4 }, ...(when === 'before' ? [] : ['confidence'])],
      policy: { mode: 'enforce', suspendAt: 1000, throttleAt: 1000 },
    }) as const
  const now = () => 1000
  const options = { ...named, query, output: probabilitiesAt('$.scores') }

  test.each(['before', 'between', 'after'] as const)(
    '%s: are judged once each, in order, as if they had come one by one',
    async (when) => {
      const one = createMonitor(config(when), { now })
      const alone = monitorFetch(classify, { ...options, monitor: one, when })
      for (const text of texts) {
        await alone(ask(text))
        await alone.settled()
      }
      const other = createMonitor(config(when), { now })
      const together = monitorFetch(classify, { ...options, monitor: other, when })
      const statuses = await Promise.all(texts.map(async (text) => (await together(ask(text))).status))
      await together.settled()
      expect(new Set(statuses)).toEqual(new Set([200]))
      expect(together.counts()).toEqual(alone.counts())
      expect(together.counts().inspected).toBe(64)
      expect(await other.snapshot()).toEqual(await one.snapshot())
    },
  )

  test('one that stays open does not keep the others from being judged', async () => {
    const open = gate()
    const handler = async (request: Request) => {
      const { text } = (await request.json()) as { text: string }
      if (text === 'slow') await open.promise
      return Response.json(SCORES)
    }
    const monitor = fakeWatcher()
    const watched = monitorFetch(handler, { ...options, monitor })
    const slow = watched(ask('slow'))
    await Promise.all(texts.map((text) => watched(ask(text))))
    await until(() => monitor.asked.length === 64)
    open.open()
    await slow
    await watched.settled()
    expect(monitor.asked.at(-1)?.input).toBe('slow')
  })
})
