/** The operator's routes, and who may use them. */
import { describe, expect, test } from 'vitest'
import { metric, testServer } from './tools/serverApp.ts'

const TOKEN = 'a token of some length'
const BEARER = { authorization: `Bearer ${TOKEN.replaceAll(' ', '')}` }
const GUARDED = { token: TOKEN.replaceAll(' ', '') }
const ENFORCING = {
  detectors: [{ name: 'text_repetition', threshold: 2 }],
  policy: { mode: 'enforce', throttleAt: 2, suspendAt: 3, suspendForMs: 60_000 },
}

describe('clients', () => {
  test('those with the most evidence come first, with the reason of the last suspicion', async () => {
    const { ask, get } = await testServer(ENFORCING)
    await ask('/v1/inspect', { input: 'a', client: 'calm' })
    await ask('/v1/inspect', { input: 'a', client: 'eager' })
    await ask('/v1/inspect', { input: 'a', client: 'eager' })
    const { total, clients } = await (await get('/v1/clients')).json()
    expect(total).toBe(2)
    expect(clients[0]).toMatchObject({
      id: 'eager',
      evidence: 1,
      queries: 2,
      suspicious: 1,
      reason: 'Query repeated 2 times.',
    })
    expect(clients[1].id).toBe('calm')
    expect((await (await get('/v1/clients?limit=1')).json()).clients).toHaveLength(1)
    for (const limit of ['0', 'x', '1001', '1.5']) expect((await get(`/v1/clients?limit=${limit}`)).status).toBe(422)
  })

  test('one of them is shown with its last verdicts, newest first, and nothing of what it asked', async () => {
    const { ask, get } = await testServer({ ...ENFORCING, limits: { recentPerClient: 3 } })
    for (const input of ['one', 'two', 'three', 'a secret', 'a secret']) {
      await ask('/v1/inspect', { input, client: 'ada/ß?', id: input.slice(0, 1) })
    }
    const response = await get(`/v1/clients/${encodeURIComponent('ada/ß?')}`)
    const text = await response.text()
    const { client, queries } = JSON.parse(text)
    expect(client).toMatchObject({ id: 'ada/ß?', queries: 5 })
    expect(queries.map(({ suspicious }: { suspicious: boolean }) => suspicious)).toEqual([true, false, false])
    expect(text).not.toMatch(/secret|fingerprint/)
    expect((await get('/v1/clients/nobody')).status).toBe(404)
  })

  test('its verdicts keep their order, however often somebody looks', async () => {
    const { ask, get } = await testServer(ENFORCING)
    for (const id of ['1', '2', '3']) await ask('/v1/inspect', { input: id, client: 'ada', id })
    const look = async () => (await (await get('/v1/clients/ada')).json()).queries.map(({ id }: { id: string }) => id)
    expect(await look()).toEqual(['3', '2', '1'])
    expect(await look()).toEqual(['3', '2', '1'])
  })

  test('queries without a name are those of the client ""', async () => {
    const { ask, get } = await testServer()
    await ask('/detect', { input_data: 'x', model_output: [0.5, 0.5] })
    const { client } = await (await get('/v1/clients/%22%22')).json()
    expect(client).toMatchObject({ id: '', queries: 1 })
  })

  test('a suspended client is refused until it is released, and what it asks meanwhile is not learned', async () => {
    const { ask, exposition } = await testServer(ENFORCING)
    const query = { input: 'a', client: 'eve' }
    await ask('/v1/inspect', query)
    const suspended = await ask('/v1/clients/eve/suspend', { forMs: 60_000 })
    expect(suspended.body).toMatchObject({ id: 'eve', enforced: true })
    expect((await ask('/v1/inspect', query)).body.error).toMatchObject({ code: 'suspended', path: 'client' })
    const refused = await ask('/detect', { input_data: 'a', client_id: 'eve' })
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'suspended', path: 'client_id' } } })
    expect((await ask('/v1/inspect', { ...query, client: 'bob' })).status).toBe(200)
    await ask('/v1/clients/eve/release', {})
    const after = await ask('/v1/inspect', query)
    expect(after).toMatchObject({ status: 200, body: { detections: [{ score: 2 }] } })
    const text = await exposition()
    expect(metric(text, 'monitaur_refused_total{model="default"}')).toBe(2)
    expect(metric(text, 'monitaur_suspensions_total{model="default"}')).toBe(1)
    expect(metric(text, 'monitaur_releases_total{model="default"}')).toBe(1)
  })

  test('in mode observe the suspension is told, and nobody is refused', async () => {
    const { ask } = await testServer()
    expect((await ask('/v1/clients/eve/suspend', {})).body.enforced).toBe(false)
    const query = { input: 'a', model_output: [0.9, 0.1], client: 'eve' }
    expect(await ask('/v1/inspect', query)).toMatchObject({
      status: 200,
      body: { action: 'allow', proposed: 'suspend' },
    })
  })

  test('the policy suspends by itself, and retry-after says for how long', async () => {
    const { post } = await testServer(ENFORCING, { now: () => 1e12 }) // nothing fades
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await post('/v1/inspect', { input: 'a', client: 'eve' })).status)
    expect(statuses).toEqual([200, 200, 200, 200, 403, 403])
    const response = await post('/v1/inspect', { input: 'a', client: 'eve' })
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(50)
  })

  test.each([
    ['/v1/clients/a/suspend', { forMs: 0 }, 'forMs'],
    ['/v1/clients/a/suspend', { forMs: 'long' }, 'forMs'],
    ['/v1/clients/a/suspend', { until: 1 }, 'until'],
    ['/v1/clients/a/release', { now: true }, 'now'],
    [`/v1/clients/${'a'.repeat(257)}/suspend`, {}, 'client'],
    ['/v1/clients/a/suspend?model=none', {}, 'model'],
    ['/v1/feedback', { kind: 'maybe' }, 'kind'],
    ['/v1/feedback', { kind: 'true_positive', detector: 'x' }, 'detector'],
    ['/v1/feedback', { kind: 'true_positive', model: 7 }, 'model'],
  ])('%s with %j is refused at %s', async (path, body, at) => {
    const { ask } = await testServer()
    expect(await ask(path, body)).toMatchObject({ status: 422, body: { error: { path: at } } })
  })

  test('feedback is counted by what it says', async () => {
    const { ask, exposition } = await testServer()
    expect((await ask('/v1/feedback', { kind: 'false_positive', detector: 'confidence' })).status).toBe(200)
    await ask('/v1/feedback', { kind: 'false_positive', detector: 'confidence' })
    await ask('/v1/feedback', { kind: 'true_positive' })
    const text = await exposition()
    const labels = 'model="default",detector="confidence",kind="false_positive"'
    expect(metric(text, `monitaur_feedback_total{${labels}}`)).toBe(2)
    expect(metric(text, 'monitaur_feedback_total{model="default",detector="",kind="true_positive"}')).toBe(1)
  })

  test('the status tells settings, and no secret', async () => {
    const { get } = await testServer(
      { ...GUARDED, log: { key: 'another secret text' } },
      { build: { version: '1', runtime: 'x' } },
    )
    const text = await (await get('/v1/status', BEARER)).text()
    expect(JSON.parse(text)).toMatchObject({
      build: { version: '1' },
      isGuarded: true,
      state: 'ready',
      models: [{ name: 'default', detectors: [{ label: 'confidence', threshold: 0.8, unit: 'nats' }] }],
    })
    expect(text).not.toContain(GUARDED.token)
    expect(text).not.toContain('another secret')
  })
})

describe('what the cockpit draws', () => {
  test('the status counts the scores of each detector by bucket', async () => {
    const { ask, get } = await testServer(ENFORCING)
    for (const input of ['a', 'a', 'b', 'a']) await ask('/v1/inspect', { input, client: 'ada' })
    const { models } = await (await get('/v1/status')).json()
    const [{ judged, suspicious, errors, scores }] = models[0].detectors
    expect({ judged, suspicious, errors }).toEqual({ judged: 4, suspicious: 2, errors: 0 })
    expect(scores.bounds.slice(0, 3)).toEqual([1, 2, 3])
    expect(scores.counts.slice(0, 4)).toEqual([2, 1, 1, 0])
    expect(scores.counts).toHaveLength(scores.bounds.length + 1)
  })

  test('a tick counts what was decided, and who was turned away', async () => {
    const { app, ask, get } = await testServer(ENFORCING, { now: () => 1e12 }) // nothing fades
    for (let i = 0; i < 6; i++) await ask('/v1/inspect', { input: 'a', client: 'eve' })
    const reader = (await get('/v1/events')).body!.getReader()
    const [, data = ''] =
      /^event: hello\ndata: (.*)\n/.exec(new TextDecoder().decode((await reader.read()).value)) ?? []
    expect(JSON.parse(data).models[0].decisions).toEqual({ allow: 1, flag: 1, throttle: 1, suspend: 1, refused: 2 })
    await reader.cancel()
    await app.dispose()
  })

  test('a server that is stopping takes no new listener, which would keep it from its end', async () => {
    const { app, get } = await testServer()
    app.drain()
    expect((await get('/v1/events')).status).toBe(503)
  })
})

const OPERATOR: readonly (readonly [string, string])[] = [
  ['GET', '/v1/clients'],
  ['GET', '/v1/clients/a'],
  ['POST', '/v1/clients/a/suspend'],
  ['POST', '/v1/clients/a/release'],
  ['POST', '/v1/feedback'],
  ['GET', '/v1/events'],
  ['GET', '/v1/status'],
]

describe('access', () => {
  test.each(OPERATOR)('%s %s wants the token', async (method, path) => {
    const { app } = await testServer(GUARDED)
    const ask = async (headers: Record<string, string>) =>
      (await app.fetch(new Request(`http://127.0.0.1${path}`, { method, headers }))).status
    expect(await ask({})).toBe(401)
    expect(await ask({ authorization: `Bearer ${GUARDED.token}x` })).toBe(401)
    expect(await ask({ authorization: `Bearer ${GUARDED.token.slice(0, -1)}` })).toBe(401)
    expect(await ask({ authorization: `Basic ${GUARDED.token}` })).toBe(401)
    expect(await ask({ authorization: GUARDED.token })).toBe(401)
    expect(await ask(BEARER)).not.toBe(401)
    await app.dispose()
  })

  test('the other routes do not', async () => {
    const { get, ask } = await testServer(GUARDED)
    for (const path of ['/', '/health', '/ready', '/metrics', '/openapi.json'])
      expect((await get(path)).status).toBe(200)
    expect((await ask('/detect', { input_data: 'x', model_output: [1] })).status).toBe(200)
  })

  test('without a token they are open on loopback only, and not to a name that merely resolves to it', async () => {
    const local = await testServer()
    expect((await local.get('/v1/clients')).status).toBe(200)
    const at = async (host: string) => (await local.app.fetch(new Request(`http://${host}/v1/clients`))).status
    expect(await at('localhost:8000')).toBe(200)
    expect(await at('[::1]:8000')).toBe(200)
    expect(await at('evil.example')).toBe(403)
    expect(await at('127.0.0.1.evil.example')).toBe(403)
    const remote = await testServer({}, { isLocal: false })
    expect((await remote.get('/v1/clients')).status).toBe(403)
  })

  test('a page of another site can change nothing, unless its origin is in the list', async () => {
    const GOOD = { input_data: 'x', model_output: [1] }
    const closed = await testServer()
    expect((await closed.post('/detect', GOOD, { origin: 'http://evil.example' })).status).toBe(403)
    expect((await closed.post('/detect', GOOD, { origin: 'null' })).status).toBe(403)
    expect((await closed.post('/v1/clients/a/suspend', {}, { origin: 'http://evil.example' })).status).toBe(403)
    expect((await closed.post('/detect', GOOD, { origin: 'http://127.0.0.1' })).status).toBe(200)
    const open = await testServer({ cors: ['https://good.example'] })
    const response = await open.post('/detect', GOOD, { origin: 'https://good.example' })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://good.example',
    ])
    expect((await open.post('/detect', GOOD, { origin: 'https://good.example.evil' })).status).toBe(403)
  })

  test('a browser that asks first hears yes only for an origin in the list', async () => {
    const ask = async (config: object, origin: string) => {
      const { app } = await testServer(config)
      return app.fetch(new Request('http://127.0.0.1/detect', { method: 'OPTIONS', headers: { origin } }))
    }
    const yes = await ask({ cors: ['https://good.example'] }, 'https://good.example')
    expect([yes.status, yes.headers.get('access-control-allow-methods')]).toEqual([204, 'POST'])
    for (const [config, origin] of [
      [{}, 'https://good.example'],
      [{ cors: ['https://good.example'] }, 'https://evil.example'],
    ] as const) {
      const no = await ask(config, origin)
      expect([no.status, no.headers.get('access-control-allow-origin')]).toEqual([405, null])
    }
  })
})
