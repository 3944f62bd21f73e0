/** The server's routes: the reference's questions and answers, full verdicts, and one bad body that harms no other. */
import { describe, expect, test } from 'vitest'
import { ROUTES } from '../src/server/http/routes.ts'
import { golden, hasGolden } from './tools/data.ts'
import { metric, testServer } from './tools/serverApp.ts'

const absent = hasGolden('server') ? '' : ' (SKIPPED: no golden/server.json)'

interface Golden {
  readonly sequence: readonly { readonly request: object; readonly response: Readonly<Record<string, unknown>> }[]
  readonly quirks: readonly Quirk[]
}

interface Quirk {
  readonly case: string
  readonly body?: string | null
  readonly status: number
  readonly response?: string
}

/** Numbers within 1e-9, everything else equal. */
function expectClose(got: unknown, expected: unknown): void {
  if (typeof expected === 'number') {
    expect(Math.abs((got as number) - expected)).toBeLessThan(1e-9)
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(got as object).sort()).toEqual(Object.keys(expected).sort())
    for (const [key, value] of Object.entries(expected)) expectClose((got as Record<string, unknown>)[key], value)
  } else {
    expect(got).toEqual(expected)
  }
}

const GOOD = { input_data: 'x', model_output: [0.9, 0.05, 0.05] }

describe('the reference server', () => {
  test.skipIf(!hasGolden('server'))(`its five answers in order are ours${absent}`, async () => {
    const { ask } = await testServer()
    for (const { request, response } of golden<Golden>('server').sequence) {
      const { status, body } = await ask('/detect', request)
      expect(status).toBe(200)
      expectClose(body, response)
    }
  })

  test('the short way of an adapter gives the same answers as the route', async () => {
    const { app, ask } = await testServer()
    const other = await testServer()
    const bodies = [
      '{"input_data":"x","model_output":[0.4,0.6]}',
      '{"input_data":"x","model_output":[0,0]}',
      '[1',
      '{}',
    ]
    for (const text of bodies) {
      const bytes = new TextEncoder().encode(text)
      expect(app.detect.enter(bytes.length)).toBeUndefined()
      const answer = app.detect.answerNow(bytes) ?? (await app.detect.answer(bytes))
      const response = await other.post('/detect', text)
      expect([answer.status, JSON.parse(answer.text)]).toEqual([response.status, await response.json()])
    }
    expect((await ask('/detect', GOOD)).body.metadata.num_scores).toBe(2)
    expect((await other.ask('/detect', GOOD)).body.metadata.num_scores).toBe(2)
  })

  /** What its own client sends and reads: python `requests.post(url, json={...}).json()`, four keys. */
  test('its own client reads the four fields it knows, and nothing is missing', async () => {
    const { ask } = await testServer()
    const samples = [
      ['This is a suspicious input', [0.25, 0.25, 0.25, 0.25], true],
      ['This is a confident prediction', [0.9, 0.05, 0.05], false],
      ['Might be uncertain', [0.4, 0.3, 0.3], true],
    ] as const
    for (const [input_data, model_output, suspicious] of samples) {
      const { status, body } = await ask('/detect', { input_data, model_output })
      expect(status).toBe(200)
      expect(Object.keys(body)).toEqual(['is_suspicious', 'confidence', 'reason', 'metadata'])
      expect(body.is_suspicious).toBe(suspicious)
    }
  })
})

/**
 * The odd requests, and what we say where the reference says something else. Everything that it answered with 200 and
 * "not suspicious" although it could not judge it is refused here; so is everything that made it fail.
 */
const DEPARTURES: Readonly<Record<string, readonly [status: number, why: string]>> = {
  'empty list': [422, 'it answered "not suspicious"'],
  'all-zero': [422, 'it failed, and the next 99 requests with it'],
  'logits with negatives': [422, 'it failed'],
  'negatives sum 1': [422, 'it failed'],
  'sum zero': [422, 'it failed'],
  'strings numeric': [422, 'it answered "not suspicious"'],
  'strings text': [422, 'it answered "not suspicious"'],
  'null inside': [422, 'it answered "not suspicious"'],
  bools: [422, 'numbers only'],
  'nested (batch of 1)': [422, 'it took a batch for one distribution'],
  'nested 2x2': [422, 'it took a batch for one distribution'],
  'ragged nested': [422, 'it answered "not suspicious"'],
  objects: [422, 'it answered "not suspicious"'],
  'input_data object (tabular)': [200, 'rows are taken'],
  'non-JSON': [400, 'a body that is no JSON'],
  'truncated JSON': [400, 'a body that is no JSON'],
  'empty body': [400, 'a body that is no JSON'],
  '1e400 (inf)': [422, 'it failed'],
  'literal Infinity': [400, 'no JSON'],
  'literal NaN': [400, 'no JSON'],
  'huge int': [200, 'a number as any other'],
  'ctype text/plain': [415, 'the content type says what is wrong'],
  'ctype no content type': [415, 'the content type says what is wrong'],
  'ctype form': [415, 'the content type says what is wrong'],
  'GET /': [200, 'the cockpit'],
  'HEAD /health': [200, 'as GET'],
  'GET /docs': [404, '/openapi.json has it all, without files from elsewhere'],
  'POST /detect/': [404, 'no redirect'],
  '50MB input_data': [413, 'bodies have a limit'],
}

describe('odd requests', () => {
  const quirks = hasGolden('server') ? golden<Golden>('server').quirks : []

  function requestOf({ case: name, body }: Quirk): Request {
    const [, method = 'POST', path = '/detect'] = /^(GET|PUT|HEAD|OPTIONS|POST) (\/\S*)$/.exec(name) ?? []
    const types: Record<string, string> = {
      'ctype text/plain': 'text/plain',
      'ctype form': 'application/x-www-form-urlencoded',
    }
    const type = types[name] ?? 'application/json'
    const init: RequestInit = { method }
    if (method === 'POST' || method === 'PUT') {
      init.body = new TextEncoder().encode(body ?? bodyOf(name))
      if (name !== 'ctype no content type') init.headers = { 'content-type': type }
    }
    return new Request(`http://127.0.0.1${path}`, init)
  }

  function bodyOf(name: string): string {
    const [, count] = /^huge (\d+)$/.exec(name) ?? []
    if (count !== undefined)
      return JSON.stringify({ input_data: 'x', model_output: new Array(Number(count)).fill(1 / Number(count)) })
    if (name === '50MB input_data') return JSON.stringify({ input_data: 'x'.repeat(50e6), model_output: [0.5, 0.5] })
    return JSON.stringify({ input_data: 'x', model_output: [0.5, 0.5] })
  }

  test(`there are 54 of them${absent}`, () => {
    if (hasGolden('server')) expect(quirks).toHaveLength(54)
  })

  test.each(quirks.map((quirk) => [quirk.case, quirk] as const))('%s', async (name, quirk) => {
    const { app, ask } = await testServer()
    const response = await app.fetch(requestOf(quirk))
    const text = await response.text()
    expect(response.status, text.slice(0, 200)).toBe(DEPARTURES[name]?.[0] ?? quirk.status)
    if (response.status >= 400) {
      const { error } = JSON.parse(text)
      expect(error.code).toMatch(/^[a-z_]+$/)
      expect(error.message).not.toMatch(/\n|\bat \w+ \(|\.ts:/) // no stack
    } else if (quirk.response?.includes('"confidence"')) {
      const [got, expected] = [JSON.parse(text), JSON.parse(quirk.response)]
      if (DEPARTURES[name] !== undefined) return
      expect(Math.abs(got.confidence - expected.confidence)).toBeLessThan(1e-9)
      expect([got.is_suspicious, got.reason]).toEqual([expected.is_suspicious, expected.reason])
    }
    // Whatever it was, the next one is judged, and a refused one is in no window.
    const next = await ask('/detect', GOOD)
    expect(next.status).toBe(200)
    const wasJudged = text.includes('"num_scores"') ? 1 : 0
    expect(next.body.metadata.num_scores).toBe(1 + wasJudged)
  })

  test('one poisonous body harms none of the next hundred', async () => {
    const { ask, exposition } = await testServer()
    expect((await ask('/detect', { input_data: 'x', model_output: [0, 0, 0] })).status).toBe(422)
    for (let i = 0; i < 100; i++) expect((await ask('/detect', GOOD)).status).toBe(200)
    const text = await exposition()
    expect(metric(text, 'detector_errors_total{detector="confidence"}')).toBe(1)
    expect(metric(text, 'detector_requests_total{detector="confidence"}')).toBe(100)
    expect(metric(text, 'detection_confidence_score_sum{detector="confidence"}')).toBeCloseTo(39.43976911, 6)
  })
})

describe('a refusal says where', () => {
  test.each([
    [{ input_data: 'x', model_output: [0.5, -1] }, 'model_output[1]'],
    [{ input_data: 'x', model_output: [0, 0] }, 'model_output'],
    [{ input_data: 'x', model_output: 0.5 }, 'model_output'],
    [{ input_data: 'x' }, 'model_output'],
    [{ model_output: [0.5, 0.5] }, 'input_data'],
    [{ input_data: 5, model_output: [0.5, 0.5] }, 'input_data'],
    [{ input_data: ['a', 1], model_output: [0.5, 0.5] }, 'input_data'],
    [{ input_data: 'x', model_output: [1], client_id: 7 }, 'client_id'],
    [{ input_data: 'x', model_output: [1], client_id: 'a'.repeat(257) }, 'client_id'],
    [{ input_data: 'x', model_output: [1], client_id: '\ud800' }, 'client_id'],
    [{ input_data: 'x', model_output: [1], modality: 'sound' }, 'modality'],
    [{ input_data: 'x', model_output: [1], modality: 'tabular' }, 'input_data'],
    [{ input_data: 'not base64!', model_output: [1], modality: 'image' }, 'input_data'],
    [{ input_data: 'x', model_output: [1], model: 'other' }, 'model'],
    [{ input_data: 'x', input: 'y', model_output: [1] }, 'input'],
    [[], ''],
  ])('%j is refused at %s', async (body, path) => {
    const { ask } = await testServer()
    const answer = await ask('/detect', body)
    expect(answer.status).toBe(422)
    expect(answer.body.error).toMatchObject({ code: 'bad_query', path })
  })

  test('unknown fields are ignored by /detect, as there, and refused by /v1/inspect with the nearest name', async () => {
    const { ask } = await testServer()
    expect((await ask('/detect', { ...GOOD, extra: 1 })).status).toBe(200)
    const { status, body } = await ask('/v1/inspect', { ...GOOD, modal_output: [1] })
    expect(status).toBe(422)
    expect(body.error.message).toContain("did you mean 'model_output'?")
  })

  test('brackets a thousand deep are refused before they are parsed, in text they are text', async () => {
    const { post, ask } = await testServer()
    const deep = `{"input_data":"x","model_output":${'['.repeat(1000)}${']'.repeat(1000)}}`
    expect((await post('/detect', deep)).status).toBe(400)
    expect((await post('/detect', '['.repeat(2_000_000))).status).toBe(400)
    expect((await ask('/detect', { ...GOOD, input_data: '[{"\\'.repeat(1000) })).status).toBe(200)
    expect((await ask('/detect', { ...GOOD, metadata: Array.from({ length: 100 }, () => [{}]) })).status).toBe(200)
  })
})

describe('full verdicts', () => {
  test('/v1/inspect says everything, per client', async () => {
    const { ask } = await testServer({ detectors: [{ name: 'text_repetition', threshold: 2 }, 'confidence'] })
    const query = { input: 'Hello', modelOutput: [0.9, 0.1], client: 'ada', id: 'q1' }
    await ask('/v1/inspect', query)
    const { status, body } = await ask('/v1/inspect', query)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      suspicious: true,
      action: 'flag',
      proposed: 'flag',
      client: { id: 'ada' },
      id: 'q1',
      detections: [
        { detector: 'text_repetition', score: 2, suspicious: true },
        { detector: 'confidence', suspicious: false },
      ],
    })
    const other = await ask('/v1/inspect', { ...query, client: 'bob' })
    expect(other.body.detections[0].score).toBe(1)
  })

  test('with several detectors the most telling one speaks on /detect, and the others are told beside it', async () => {
    const { ask } = await testServer({ detectors: [{ name: 'text_repetition', threshold: 2 }, 'confidence'] })
    await ask('/detect', GOOD)
    const { body } = await ask('/detect', GOOD)
    expect(body).toMatchObject({ is_suspicious: true, confidence: 1, reason: 'Query repeated 2 times.' })
    expect(body.metadata.detectors.map(({ detector }: { detector: string }) => detector)).toEqual([
      'text_repetition',
      'confidence',
    ])
  })

  test('models have memories of their own, and are chosen in the body or the address', async () => {
    const model = (name: string) => ({ name, detectors: [{ name: 'text_repetition', threshold: 2 }] })
    const { ask } = await testServer({ models: [model('a'), model('b')] })
    expect((await ask('/v1/inspect', { input: 'x' })).body.detections[0].score).toBe(1)
    expect((await ask('/v1/inspect', { input: 'x', model: 'b' })).body.detections[0].score).toBe(1)
    expect((await ask('/v1/inspect?model=b', { input: 'x' })).body.detections[0].score).toBe(2)
    expect((await ask('/v1/inspect?model=c', { input: 'x' })).body.error).toMatchObject({ path: 'model' })
  })

  test('a batch judges each query by itself', async () => {
    const { ask } = await testServer()
    const { status, body } = await ask('/v1/inspect/batch', [GOOD, { input: 'x', model_output: [-1] }, 7, GOOD])
    expect(status).toBe(200)
    expect(body.map((one: object) => Object.keys(one))).toEqual([
      ['index', 'verdict'],
      ['index', 'error'],
      ['index', 'error'],
      ['index', 'verdict'],
    ])
    expect(body[3].verdict.detections[0].metadata.scores).toBe(2)
    expect(body[1].error).toEqual({ code: 'bad_query', message: expect.any(String), path: 'model_output[0]' })
  })

  test('a batch that is too long or no list is refused as a whole', async () => {
    const { ask } = await testServer({ limits: { maxBatch: 2 } })
    expect((await ask('/v1/inspect/batch', [GOOD, GOOD, GOOD])).status).toBe(413)
    expect((await ask('/v1/inspect/batch', GOOD)).status).toBe(422)
  })
})

describe('routes', () => {
  test('the OpenAPI document has every route, and every route answers as it says', async () => {
    const { get, app } = await testServer()
    const document = await (await get('/openapi.json')).json()
    expect(document.openapi).toBe('3.1.0')
    const documented = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) => {
      return Object.keys(methods).map((method) => `${method} ${path}`)
    })
    const served = app.hono.routes.map(
      ({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
    )
    expect(documented.sort()).toEqual([...new Set(served)].sort())
    const schemas = JSON.stringify(document).match(/#\/components\/schemas\/\w+/g) ?? []
    for (const reference of schemas) expect(document.components.schemas).toHaveProperty(reference.split('/').at(-1)!)
  })

  test('a wrong method is told the right one, a wrong path is told so', async () => {
    const { get, app } = await testServer()
    const response = await get('/detect')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await response.json()).toMatchObject({ error: { code: 'method_not_allowed' } })
    expect((await get('/nope')).status).toBe(404)
    const put = await app.fetch(new Request('http://127.0.0.1/v1/clients/a', { method: 'PUT' }))
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, DELETE'])
  })

  test('health and readiness', async () => {
    const { get, app } = await testServer()
    expect(await (await get('/health')).json()).toEqual({ status: 'ok' })
    expect((await get('/ready')).status).toBe(200)
    app.drain()
    expect((await get('/health')).status).toBe(200)
    expect((await get('/ready')).status).toBe(503)
  })

  test('the cockpit stands at / if there is one, else a page of text', async () => {
    const plain = await testServer()
    expect(await (await plain.get('/')).text()).toContain('POST /detect')
    const assets = new Map([['/', { type: 'text/html; charset=utf-8', body: '<p>cockpit' }]])
    const { get } = await testServer({}, { assets })
    const response = await get('/')
    expect(await response.text()).toBe('<p>cockpit')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
  })

  test('the table names no route twice', () => {
    const keys = ROUTES.map(({ method, path }) => `${method} ${path}`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
