/**
 * Twenty thousand odd requests. Each is answered with 200 or a refusal that has a code; a refused one is counted and
 * leaves every memory as it was; and whatever came, the server goes on.
 */
import { describe, expect, test } from 'vitest'
import { random } from './tools/random.ts'
import { metric, type TestServer, testServer } from './tools/serverApp.ts'

/** Shortened in `npm test`; ten times as much where `MONITAUR_FAULTS` is `full`. */
const TIMES = process.env['MONITAUR_FAULTS'] === 'full' ? 10 : 1

const SEED = Number(process.env['MONITAUR_SEED'] ?? 20_261_124)

type Next = () => number

const pick = <T>(next: Next, list: readonly T[]): T => list[Math.floor(next() * list.length)]!
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** Words that programs stumble over. */
const STRINGS = [
  '',
  'x',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\ud800',
  '\u202e',
  '💩',
  'NaN',
  '0',
  ' ',
  'a'.repeat(300),
  '"',
  '\\',
  'true',
  'data:image/png;base64,',
  'AAAA',
  '../../etc/passwd',
  '\u2028',
  'null',
]
const NUMBERS = [0, -0, 1, -1, 0.5, 1e308, -1e308, 5e-324, 2 ** 53, 0.1, 1e-10, 255, 1e21]
const KEYS = [
  'input_data',
  'input',
  'model_output',
  'modelOutput',
  'embedding',
  'client_id',
  'client',
  'id',
  'modality',
  'model',
  'metadata',
  'timeMs',
  'extra',
  '__proto__',
  'constructor',
  'toString',
  '',
]

function value(next: Next, depth = 0): unknown {
  const roll = Math.floor(next() * (depth > 3 ? 5 : 8))
  if (roll === 0) return pick(next, STRINGS)
  if (roll === 1) return pick(next, NUMBERS)
  if (roll === 2) return pick(next, [true, false, null])
  if (roll === 3) return next()
  if (roll === 4) return times(Math.floor(next() * 5), () => next())
  if (roll === 5) return times(Math.floor(next() * 4), () => value(next, depth + 1))
  return Object.fromEntries(times(Math.floor(next() * 4), () => [pick(next, KEYS), value(next, depth + 1)]))
}

/** Mostly a good query, with something wrong here and there. */
function query(next: Next): Record<string, unknown> {
  const body: Record<string, unknown> = { input_data: pick(next, STRINGS), model_output: distribution(next) }
  if (next() < 0.2) body['client_id'] = pick(next, ['a', 'b', 'c', ...STRINGS])
  if (next() < 0.1) body['modality'] = pick(next, ['text', 'tabular', 'image', 'any', 'sound'])
  while (next() < 0.35) body[pick(next, KEYS)] = value(next)
  if (next() < 0.1) delete body[pick(next, Object.keys(body))]
  return body
}

function distribution(next: Next): unknown[] {
  const list: unknown[] = times(1 + Math.floor(next() * 5), () => next())
  if (next() < 0.2) list[Math.floor(next() * list.length)] = value(next)
  if (next() < 0.1) return list.map(() => 0)
  return list
}

/** Numbers that JSON has no word for, written where some parsers take them. */
function text(next: Next, given: unknown): string {
  let json = JSON.stringify(given)
  if (next() < 0.05)
    json = json.replace(
      /\d+(\.\d+)?/,
      pick(next, ['NaN', 'Infinity', '-Infinity', '1e999', '0x10', '01', '1_000', '+1', '.5']),
    )
  if (next() < 0.05) json = json.replace('{', '{"input_data":"twice","client_id":"a",')
  return json
}

/** Bytes with some of them changed, cut, or added. */
function mangle(next: Next, bytes: Uint8Array): Uint8Array {
  if (next() < 0.4) return bytes.slice(0, Math.floor(next() * bytes.length))
  const copy = [...bytes]
  for (let i = 0; i < 1 + next() * 4; i++) {
    const at = Math.floor(next() * copy.length)
    copy.splice(at, next() < 0.5 ? 1 : 0, Math.floor(next() * 256))
  }
  return Uint8Array.from(copy)
}

function form(next: Next): { readonly bytes: Uint8Array; readonly type: string } {
  const boundary = pick(next, ['xyz', '--', 'a b', ''.padEnd(80, 'b')])
  const names = ['image', 'input_data', 'model_output', 'client_id', 'extra', 'image"; x="', '__proto__', '']
  const parts = times(Math.floor(next() * 4), () => {
    const isFile = next() < 0.4 ? `; filename="${pick(next, STRINGS).replaceAll('"', '')}"` : ''
    const content = pick(next, ['[0.5,0.5]', '[1', 'x', '\x89PNG\r\n\x1a\n', '{"a":1}', ''])
    return `--${boundary}\r\nContent-Disposition: form-data; name="${pick(next, names)}"${isFile}\r\n\r\n${content}\r\n`
  })
  const bytes = new TextEncoder().encode(`${parts.join('')}--${boundary}--\r\n`)
  const type = `multipart/form-data; boundary=${pick(next, [boundary, 'other', '', `"${boundary}"`])}`
  return { bytes, type }
}

interface Shot {
  readonly path: string
  readonly bytes: Uint8Array
  readonly headers: Record<string, string>
}

const encoder = new TextEncoder()
const ROUTES = [
  '/detect',
  '/detect',
  '/detect',
  '/v1/inspect',
  '/v1/inspect',
  '/v1/inspect/batch',
  '/v1/feedback',
  '/v1/clients/a/suspend',
  '/v1/clients/a/release',
]

function shot(next: Next): Shot {
  const path = pick(next, ROUTES)
  const kind = next()
  if (kind < 0.12) {
    const { bytes, type } = form(next)
    return { path, bytes: next() < 0.4 ? mangle(next, bytes) : bytes, headers: { 'content-type': type } }
  }
  if (kind < 0.24) {
    const lines = times(Math.floor(next() * 5), () => (next() < 0.3 ? pick(next, STRINGS) : text(next, query(next))))
    const bytes = encoder.encode(lines.join(pick(next, ['\n', '\r\n', '\n\n'])))
    const headers = { 'content-type': 'application/x-ndjson' }
    return { path: '/v1/inspect/batch', bytes: next() < 0.3 ? mangle(next, bytes) : bytes, headers }
  }
  const type =
    next() < 0.9
      ? 'application/json'
      : pick(next, [
          'text/plain',
          '',
          'application/json; charset=utf-16',
          'application/xml',
          'APPLICATION/JSON',
          'application/problem+json',
          '*/*',
          'a'.repeat(200),
        ])
  const headers = { 'content-type': type, ...oddHeaders(next) }
  if (kind < 0.27) {
    const open = pick(next, ['[', '{"a":', '[{"a":'])
    return { path, bytes: encoder.encode(open.repeat(Math.floor(next() * 3000))), headers }
  }
  if (kind < 0.271) return { path, bytes: new Uint8Array(200_000).fill(0x31), headers }
  if (kind < 0.3) return { path, bytes: Uint8Array.from(times(Math.floor(next() * 50), () => next() * 256)), headers }
  const body =
    path === '/v1/inspect/batch'
      ? times(Math.floor(next() * 4), () => query(next))
      : kind < 0.4
        ? value(next)
        : query(next)
  const bytes = encoder.encode(text(next, body ?? null))
  return { path, bytes: next() < 0.25 ? mangle(next, bytes) : bytes, headers }
}

function oddHeaders(next: Next): Record<string, string> {
  if (next() < 0.9) return {}
  return pick<Record<string, string>>(next, [
    { 'content-encoding': 'gzip' },
    { 'content-length': 'abc' },
    { 'content-length': '1' },
    { 'content-length': '99999999999' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { authorization: 'Bearer x' },
    { accept: 'x'.repeat(5000) },
    { expect: '100-continue' },
    { 'x-forwarded-for': '1.2.3.4, '.repeat(100) },
    { cookie: '__proto__=1' },
  ])
}

interface Memory {
  readonly shared: string
  readonly clients: ReadonlyMap<string, string>
}

/** What the detectors remember, and what is held against whom: all but counts. */
async function memoryOf({ app }: TestServer): Promise<Memory> {
  const { state } = await app.snapshot()
  // biome-ignore lint/suspicious/noExplicitAny: the inside of a snapshot
  const { global, suspended, clients } = (state as any).models.default.state
  // biome-ignore lint/suspicious/noExplicitAny: the inside of a snapshot
  const known = clients.map(({ id, evidence, detectors, suspicious }: any) => {
    return [id, JSON.stringify({ evidence, suspicious, detectors })]
  })
  return { shared: JSON.stringify({ global, suspended }), clients: new Map(known) }
}

/** A client that was not known before may be known now, by name only. */
function expectSame(after: Memory, before: Memory, about: string): void {
  expect(after.shared, about).toBe(before.shared)
  for (const [id, memory] of before.clients) expect(after.clients.get(id), about).toBe(memory)
  for (const id of after.clients.keys()) expect(before.clients.has(id), about).toBe(true)
}

/** Refusals inside a list or a stream of answers. */
function refusedInside(text: string): number {
  return (text.match(/"error":\{"code":"(?!suspended)/g) ?? []).length
}

const QUERY_ROUTES = new Set(['/detect', '/v1/inspect', '/v1/inspect/batch'])

async function bombard(config: object, seed: number, count: number) {
  const server = await testServer({ limits: { maxBodyBytes: 100_000 }, ...config }, { now: () => 1e12 })
  const next = random(seed)
  const statuses = new Map<number, number>()
  let refused = 0
  for (let i = 0; i < count; i++) {
    const { path, bytes, headers } = shot(next)
    const isQuery = QUERY_ROUTES.has(path)
    const before = isQuery ? await memoryOf(server) : undefined
    const request = new Request(`http://127.0.0.1${path}`, {
      method: 'POST',
      headers,
      body: bytes as Uint8Array<ArrayBuffer>,
    })
    const response = await server.app.fetch(request)
    const text = await response.text()
    const about = `seed ${seed}, request ${i}: ${path} ${response.status} ${text.slice(0, 300)}`
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    if (response.status === 200) {
      if (response.headers.get('content-type') === 'application/json') JSON.parse(text)
      if (isQuery) refused += refusedInside(text)
      expect(text, about).not.toMatch(/"(?:score|confidence|threshold|evidence|avg_score)":(?![-\d])/)
      continue
    }
    expect([400, 403, 413, 415, 422], about).toContain(response.status)
    expect(JSON.parse(text).error.code, about).toMatch(/^[a-z_]+$/)
    if (before !== undefined) expectSame(await memoryOf(server), before, about)
    if (isQuery && response.status !== 403) refused++
  }
  return { server, statuses, refused }
}

describe('odd requests without end', () => {
  test(`the confidence detector takes ${16_000 * TIMES} of them (seed ${SEED})`, { timeout: 3_600_000 }, async () => {
    const { server, statuses, refused } = await bombard({}, SEED, 16_000 * TIMES)
    // The generator reaches both sides.
    for (const status of [200, 400, 403, 413, 415, 422]) expect(statuses.get(status) ?? 0).toBeGreaterThan(10)
    const text = await server.exposition()
    expect(metric(text, 'detector_errors_total{detector="confidence"}')).toBe(refused)
    expect(metric(text, 'http_requests_in_flight')).toBe(0)
    expect(metric(text, 'detection_confidence_score_sum{detector="confidence"}')).toBeGreaterThan(0)
    const good = await server.ask('/detect', { input_data: 'x', model_output: [0.25, 0.25, 0.25, 0.25] })
    expect(good.body).toMatchObject({ is_suspicious: true, confidence: expect.closeTo(Math.log(4), 8) })
  })

  test(`many detectors at once take ${5000 * TIMES} of them (seed ${SEED + 1})`, { timeout: 3_600_000 }, async () => {
    // Short memories: each refused request compares all of them.
    const similar = ['text_similarity', 'tabular_similarity', 'similarity'].map((name) => ({ name, maxHistorySize: 2 }))
    const equal = ['text_repetition', 'tabular_repetition', 'image_repetition'].map((name) => ({
      name,
      maxHistorySize: 5,
    }))
    const detectors = ['confidence', ...similar, ...equal]
    const { server, statuses } = await bombard({ detectors, policy: { onError: 'open' } }, SEED + 1, 5000 * TIMES)
    for (const status of [200, 400, 413, 415, 422]) expect(statuses.get(status) ?? 0).toBeGreaterThan(3)
    expect(metric(await server.exposition(), 'http_requests_in_flight')).toBe(0)
    expect((await server.ask('/v1/inspect', { input: 'hello', modelOutput: [0.9, 0.1], client: 'new' })).status).toBe(
      200,
    )
  })
})
