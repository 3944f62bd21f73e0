/** The middleware in a hono app. */
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { fromJson, honoMonitor, identifyClient, probabilitiesAt } from '../src/edge/index.ts'
import { createMonitor } from '../src/embed/index.ts'
import { acting, fakeWatcher, listened, named, postJson, SCORES } from './tools/edge.ts'

const query = fromJson({ input: '$.text' })
const output = probabilitiesAt('$.scores')
const ask = (text = 'x', headers?: Record<string, string>) => postJson({ text }, headers)

function appWith(monitorMiddleware: ReturnType<typeof honoMonitor>, after?: (app: Hono) => void): Hono {
  const app = new Hono()
  app.use('/v1/*', monitorMiddleware)
  app.post('/v1/classify', async (c) => {
    const { text } = await c.req.json()
    c.header('x-model', 'm')
    return c.json({ ...SCORES, text })
  })
  app.get('/health', (c) => c.text('ok'))
  after?.(app)
  return app
}

describe('honoMonitor', () => {
  test('watches the routes it stands in front of, and changes nothing', async () => {
    const monitor = fakeWatcher({ mode: 'observe' })
    const watched = honoMonitor({ ...named, monitor, query, output })
    const app = appWith(watched)
    const response = await app.request(ask('hello'))
    expect([response.headers.get('x-model'), await response.json()]).toEqual(['m', { ...SCORES, text: 'hello' }])
    expect(await (await app.request('/health')).text()).toBe('ok')
    await watched.settled()
    expect(monitor.asked).toEqual([{ input: 'hello', modelOutput: SCORES.scores, client: 'mallory' }])
    expect(watched.counts().requests).toBe(1)
  })

  test('refuses a suspended client before any handler', async () => {
    const monitor = fakeWatcher({ admit: () => ({ allowed: false, suspendedUntilMs: 9e15 }) })
    const response = await appWith(honoMonitor({ ...named, monitor, query })).request(ask())
    expect([response.status, response.headers.get('x-model')]).toEqual([403, null])
    expect(await response.json()).toEqual({ error: { code: 'suspended', message: 'this client is suspended' } })
  })

  test('between: withholds the answer, and nothing of its headers stays', async () => {
    const monitor = fakeWatcher({ inspect: () => acting('throttle') })
    const response = await appWith(honoMonitor({ ...named, monitor, query, when: 'between' })).request(ask())
    expect([response.status, response.headers.get('x-model')]).toEqual([429, null])
  })

  test('tag: the handler sees the tag, and so does the response', async () => {
    const monitor = fakeWatcher({ inspect: () => acting('flag') })
    const app = new Hono()
    app.use(honoMonitor({ ...named, monitor, query, reply: 'tag', when: 'before' }))
    app.post('*', async (c) => c.json({ action: c.req.header('x-monitaur-action'), body: await c.req.json() }))
    const response = await app.request(ask('x', { 'x-monitaur-action': 'allow' }))
    expect(response.headers.get('x-monitaur-action')).toBe('flag')
    expect(await response.json()).toEqual({ action: 'flag', body: { text: 'x' } })
  })

  test('silent: the answer is harmless and its headers are the same', async () => {
    const monitor = fakeWatcher({ admit: () => ({ allowed: false, suspendedUntilMs: 9e15 }) })
    const response = await appWith(honoMonitor({ ...named, monitor, query, output, reply: 'silent' })).request(ask())
    expect([response.status, response.headers.get('x-model')]).toEqual([200, 'm'])
    expect(await response.json()).toEqual({ label: 'cat', scores: [0.9, 0.05, 0.05], text: 'x' })
  })

  test("functions get hono's context, and its host's waitUntil is used", async () => {
    const kept: Promise<unknown>[] = []
    const monitor = fakeWatcher()
    const client = identifyClient({ by: (_, c: { env: { user: string } }) => c.env.user })
    const watched = honoMonitor({ monitor, query: (_, c) => ({ input: c.req.path }), client })
    await appWith(watched).fetch(
      ask(),
      { user: 'ada' },
      { waitUntil: (p: Promise<unknown>) => kept.push(p), passThroughOnException() {}, props: {} },
    )
    expect(kept).toHaveLength(1)
    await Promise.all(kept)
    expect(monitor.asked).toMatchObject([{ input: '/v1/classify', client: expect.stringMatching(/^u_/) }])
  })

  test('an error that hono answers is an answer; one that nobody answers goes on', async () => {
    const { events, onEvent } = listened()
    const watched = honoMonitor({ ...named, monitor: fakeWatcher(), query, onEvent })
    const app = new Hono()
    app.use(watched)
    app.post('*', () => {
      throw new Error('the model is gone')
    })
    app.onError((_, c) => c.text('sorry', 500))
    const response = await app.request(ask())
    expect([response.status, await response.text()]).toEqual([500, 'sorry'])
    await watched.settled()
    expect(events.map(({ kind }) => kind)).toEqual(['verdict'])
  })

  test('a body that something before has read is counted as such', async () => {
    const watched = honoMonitor({ ...named, monitor: fakeWatcher(), query, onError: 'open' })
    const app = new Hono()
    app.use(async (c, next) => {
      await c.req.json()
      await next()
    })
    app.use(watched)
    app.post('*', async (c) => c.json(await c.req.json()))
    expect(await (await app.request(ask())).json()).toEqual({ text: 'x' })
    await watched.settled()
    expect(watched.counts().failed).toEqual({ body_used: 1 })
  })

  test('a real monitor suspends who repeats', async () => {
    const monitor = createMonitor({
      detectors: [{ name: 'text_repetition', threshold: 2 }],
      policy: { mode: 'enforce', throttleAt: 1, suspendAt: 2, fadePerMinute: 0 },
    })
    const app = appWith(honoMonitor({ monitor, query, when: 'before', client: identifyClient() }))
    const statusOf = async (user: string) =>
      (await app.request(ask('the same', { authorization: `Bearer ${user}` }))).status
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push(await statusOf('mallory'))
    expect([...statuses, await statusOf('ada')]).toEqual([200, 429, 403, 403, 200])
  })
})
