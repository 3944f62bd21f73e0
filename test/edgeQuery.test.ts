/** The middleware: from requests and answers to queries and outputs. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type FromJsonOptions,
  fromBody,
  fromJson,
  fromMultipart,
  monitorFetch,
  probabilitiesAt,
  type ReadQuery,
} from '../src/edge/index.ts'
import { find, parseJsonPath, replaced } from '../src/edge/middleware/jsonPath.ts'
import { fakeWatcher, listened, named, post, postJson } from './tools/edge.ts'

/** What a monitor is asked for this request, or how reading it failed. */
async function readFrom(query: ReadQuery, request: Request): Promise<unknown> {
  const monitor = fakeWatcher()
  const { events, onEvent } = listened()
  const watched = monitorFetch(async () => new Response(), { ...named, monitor, query, onEvent })
  await watched(request)
  await watched.settled()
  const [event] = events
  if (event?.kind === 'failed') return `${event.code}: ${event.message}`
  if (event?.kind === 'skipped') return event.reason
  const { client, ...rest } = monitor.asked[0]!
  return rest
}

describe('JSON paths', () => {
  const at = (root: unknown, path: string) => find(root, parseJsonPath(path, 'path'))
  const chat = {
    messages: [{ role: 'user', content: 'a' }, { role: 'user', content: 'b' }, { role: 'tool' }],
    'a key': { "it's": [1, [2, 3]] },
  }

  test.each([
    ['$', chat],
    ['$.messages[0].content', 'a'],
    ['$.messages[-2].content', 'b'],
    ['$["messages"][1]["content"]', 'b'],
    ["$['a key']['it\\'s'][1][-1]", 3],
    ['$.messages[*].content', ['a', 'b']],
    ['$[*]', undefined],
    ['$.messages[3]', undefined],
    ['$.messages[-4]', undefined],
    ['$.messages.length', undefined],
    ['$.messages[0].content.length', undefined],
    ['$.messages[0].content[0]', undefined],
    ['$.toString', undefined],
    ['$.__proto__', undefined],
    ['$.constructor.prototype', undefined],
    ['$.messages.__proto__', undefined],
    ['$.missing.more', undefined],
  ])('%s', (path, expected) => {
    expect(at(chat, path)).toEqual(expected)
  })

  test('a field that is called __proto__ is a field like any other', () => {
    const json = JSON.parse('{"__proto__":{"text":"own"},"a":{"__proto__":1}}')
    expect(at(json, '$.__proto__.text')).toBe('own')
    const other = replaced(json, parseJsonPath('$.__proto__.text', 'path'), () => 'changed')
    expect(JSON.stringify(other)).toBe('{"__proto__":{"text":"changed"},"a":{"__proto__":1}}')
    expect(JSON.stringify(json)).toBe('{"__proto__":{"text":"own"},"a":{"__proto__":1}}')
    expect(Object.getPrototypeOf(other)).toBe(Object.prototype)
  })

  test('any key can be quoted, and what stands there can be replaced', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (key, value) => {
        const quoted = `$["${key.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"]`
        const root = Object.fromEntries([
          ['other', 1],
          [key, value],
        ])
        expect(at(root, quoted)).toEqual(value)
        const other = replaced(root, parseJsonPath(quoted, 'path'), () => 'new')
        expect(other).toEqual(Object.fromEntries([...Object.entries(root), [key, 'new']]))
      }),
      { seed: 20261201 },
    )
  })

  test.each([
    '',
    'a',
    '.a',
    '$a',
    '$.',
    '$..a',
    '$.a[',
    '$[1.5]',
    "$['a]",
    '$[?(@.a)]',
    '$.a b',
    '$[0:2]',
    `$${'.a'.repeat(33)}`,
    7,
  ])('%s is refused', (path) => {
    expect(() => parseJsonPath(path, 'query.input[0]')).toThrow(/^query\.input\[0\]: must be '\$' and then/)
  })
})

describe('fromJson', () => {
  const read = (options: FromJsonOptions, body: unknown, headers?: Record<string, string>) =>
    readFrom(fromJson(options), typeof body === 'string' ? post(body, headers) : postJson(body, headers))
  const prompt = { input: '$.prompt' }

  test('takes a text, a list of texts, or an object of columns', async () => {
    expect(await read(prompt, { prompt: 'hi' })).toEqual({ input: 'hi' })
    expect(await read({ input: '$.m[*].c' }, { m: [{ c: 'a' }, { c: 'b' }] })).toEqual({ input: ['a', 'b'] })
    expect(await read({ input: '$' }, { age: 3, name: 'x' })).toEqual({ input: { age: 3, name: 'x' } })
  })

  test('takes the first path that leads somewhere', async () => {
    const options = { input: ['$.messages[-1].content', '$.prompt'] }
    expect(await read(options, { prompt: 'p' })).toEqual({ input: 'p' })
    expect(await read(options, { messages: [], prompt: 'p' })).toEqual({ input: 'p' })
    expect(await read(options, { messages: [{ content: 'c' }], prompt: 'p' })).toEqual({ input: 'c' })
  })

  test('takes embeddings and ids; a bad id does not save a client from the detectors', async () => {
    const options = { embedding: '$.vector', id: '$.id' }
    expect(await read(options, { vector: [1, -2], id: 'q1' })).toEqual({ embedding: [1, -2], id: 'q1' })
    for (const id of [7, null, 'x'.repeat(257), '\ud800']) {
      expect(await read(options, JSON.stringify({ vector: [1], id }))).toEqual({ embedding: [1] })
    }
    expect(await read(options, { vector: ['1'] })).toBe('bad_body: $.vector: must be a list of numbers')
  })

  test('takes pictures in base64', async () => {
    const options = { input: '$.image', kind: 'image' } as const
    const bytes = new Uint8Array([1, 2, 253])
    for (const image of ['AQL9', 'data:image/png;base64,AQL9'])
      expect(await read(options, { image })).toEqual({ input: bytes })
    expect(await read(options, { image: 'AQL' })).toMatch(/^bad_body: \$\.image: must be base64/)
    expect(await read(options, { image: 3 })).toBe('bad_body: $.image: must be a picture in base64')
  })

  test('does not ask for a content type, as handlers do not', async () => {
    for (const type of ['text/plain', 'application/json; charset=latin1', 'nonsense']) {
      expect(await read(prompt, { prompt: 'é' }, { 'content-type': type })).toEqual({ input: 'é' })
    }
  })

  test('reads wrong UTF-8 and a byte order mark as request.json() does', async () => {
    const body = new Uint8Array([
      0xef,
      0xbb,
      0xbf,
      ...new TextEncoder().encode('{"prompt":"a'),
      0xff,
      ...new TextEncoder().encode('"}'),
    ])
    const request = post(body)
    const seen = await request.clone().json()
    expect(await readFrom(fromJson(prompt), request)).toEqual({ input: seen.prompt })
    expect(seen.prompt).toBe('a\ufffd')
  })

  test.each([
    ['no JSON', '{"prompt":', 'bad_body: body: must be JSON'],
    ['nothing', '', 'bad_body: body: must be JSON'],
    [
      'a value that is no input',
      '{"prompt":7}',
      'bad_body: $.prompt: must be a text, a list of texts or an object of columns',
    ],
    [
      'a list of parts',
      '{"prompt":[{"type":"text"}]}',
      'bad_body: $.prompt: must be a text, a list of texts or an object of columns',
    ],
    ['null', '{"prompt":null}', 'bad_body: $.prompt: is missing'],
    ['something else', '[]', 'bad_body: $.prompt: is missing'],
    [
      '65 lists inside each other',
      '['.repeat(65),
      'bad_body: body: must have at most 64 objects and lists inside each other',
    ],
  ])('%s is no query, and what is told of it quotes nothing', async (_, body, told) => {
    expect(await read(prompt, body)).toBe(told)
  })

  test('a GET without a body is no query; a POST without one is a bad one', async () => {
    expect(await readFrom(fromJson(prompt), new Request('http://a.example'))).toBe('no_query')
    expect(await readFrom(fromJson(prompt), new Request('http://a.example', { method: 'POST' }))).toMatch(/^bad_body/)
  })

  test('a configuration that reads nothing is refused', () => {
    expect(() => fromJson({})).toThrow(/^query: must say where/)
    expect(() => fromJson({ input: [] })).toThrow(/^query: must say where/)
    expect(() => fromJson({ inputs: '$' } as never)).toThrow(/did you mean 'input'/)
  })
})

describe('fromMultipart', () => {
  const image = fromMultipart({ field: 'image' })
  const form = (...fields: [string, string | Blob][]) => {
    const data = new FormData()
    for (const [name, value] of fields) data.append(name, value)
    return new Request('http://a.example', { method: 'POST', body: data })
  }

  test('takes the bytes of a file, or a text', async () => {
    const bytes = new Uint8Array([0, 13, 10, 255])
    expect(await readFrom(image, form(['other', 'x'], ['image', new Blob([bytes])]))).toEqual({ input: bytes })
    expect(await readFrom(image, form(['image', 'a\r\nb']))).toEqual({ input: 'a\r\nb' })
  })

  test('refuses a form in which the field is missing or stands twice', async () => {
    expect(await readFrom(image, form(['a', 'b']))).toBe('bad_body: image: is missing')
    expect(await readFrom(image, form(['image', 'a'], ['image', 'b']))).toBe('bad_body: image: is given twice')
  })

  test.each([
    ['no boundary', 'multipart/form-data', '--x\r\n'],
    [
      'another boundary',
      'multipart/form-data; boundary=y',
      '--x\r\ncontent-disposition: form-data; name="image"\r\n\r\na\r\n--x--',
    ],
    ['cut off', 'multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="image"\r\n\r\na'],
    ['empty', 'multipart/form-data; boundary=x', ''],
    ['JSON', 'application/json', '{}'],
  ])('a form with %s is refused', async (_, type, body) => {
    expect(await readFrom(image, post(body, { 'content-type': type }))).toMatch(/^bad_body: /)
  })
})

describe('fromBody', () => {
  test('takes a picture or a text as it is', async () => {
    const bytes = new Uint8Array([137, 80, 78, 71])
    expect(await readFrom(fromBody({ kind: 'image' }), post(bytes))).toEqual({ input: bytes })
    expect(await readFrom(fromBody({ kind: 'text' }), post('née'))).toEqual({ input: 'née' })
    expect(await readFrom(fromBody({ kind: 'text' }), new Request('http://a.example'))).toBe('no_query')
  })
})

describe('a function of your own', () => {
  test('sees the address, the headers and the fields of the body', async () => {
    const query: ReadQuery = async (copy) => {
      const { q } = Object.fromEntries(new URL(copy.url).searchParams)
      return {
        input: `${copy.method} ${q} ${copy.headers.get('x-a')} ${copy.text()} ${(copy.json() as { b: string }).b}`,
      }
    }
    const request = new Request('http://a.example/?q=1', {
      method: 'PATCH',
      headers: { 'x-a': '2' },
      body: '{"b":"3"}',
    })
    expect(await readFrom(query, request)).toEqual({ input: 'PATCH 1 2 {"b":"3"} 3' })
  })

  test('may say that this is no query, and its client is not looked at', async () => {
    expect(await readFrom(() => undefined, post('x'))).toBe('no_query')
    expect(await readFrom(() => ({ input: 'x', client: 'somebody else' }), post('x'))).toEqual({ input: 'x' })
  })

  test('what it throws counts', async () => {
    const query = () => {
      throw new RangeError('not today')
    }
    expect(await readFrom(query, post('x'))).toBe('bad_body: not today')
  })
})

describe('probabilitiesAt', () => {
  async function read(output: ReturnType<typeof probabilitiesAt>, answer: Response): Promise<unknown> {
    const monitor = fakeWatcher()
    const { events, onEvent } = listened()
    const watched = monitorFetch(() => answer, { ...named, monitor, output, onEvent })
    await watched(post('{}'))
    await watched.settled()
    const [event] = events
    if (event?.kind === 'failed') return `${event.code}: ${event.message}`
    return event?.kind === 'skipped' ? event.reason : Array.from(monitor.asked[0]!.modelOutput!)
  }
  const pipeline = [
    [
      { label: 'dog', score: 0.8 },
      { label: 'cat', score: 0.15 },
    ],
  ]

  test('takes a list of numbers', async () => {
    expect(await read(probabilitiesAt('$.p[0]'), Response.json({ p: [[0.25, 0.75]] }))).toEqual([0.25, 0.75])
  })

  test('takes labels with scores, in the order of the labels', async () => {
    expect(await read(probabilitiesAt('$[0]'), Response.json(pipeline))).toEqual([0.8, 0.15])
    const labels = ['bird', 'cat', 'dog']
    expect(await read(probabilitiesAt('$[0]', { labels }), Response.json(pipeline))).toEqual([0, 0.15, 0.8])
    expect(await read(probabilitiesAt('$.s', { labels }), Response.json({ s: { dog: 0.6, bird: 0.4 } }))).toEqual([
      0.4, 0, 0.6,
    ])
    expect(await read(probabilitiesAt('$[0]', { labels: ['cat'] }), Response.json(pipeline))).toMatch(
      /^bad_answer: .*a label that is not in the list/,
    )
  })

  test('turns logits into probabilities', async () => {
    const [a, b] = (await read(
      probabilitiesAt('$.l', { logits: true }),
      Response.json({ l: [Math.log(3), 0] }),
    )) as number[]
    expect(Math.abs(a! - 0.75)).toBeLessThan(1e-12)
    expect(Math.abs(b! - 0.25)).toBeLessThan(1e-12)
  })

  const type = { headers: { 'content-type': 'application/json' } }
  test.each([
    ['NaN, which is no JSON', new Response('{"p":[NaN,1]}', type), 'bad_answer: body: must be JSON'],
    ['null among the numbers', Response.json({ p: [null, 1] }), /^bad_answer: \$\.p: must be a list/],
    ['a list of nothing', Response.json({ p: [] }), /^bad_answer: \$\.p: must be a list/],
    ['an answer without it', Response.json({ q: 1 }), 'no_output'],
    ['a text', new Response('p'), 'no_output'],
    ['an error', Response.json({ p: [1] }, { status: 500 }), 'no_output'],
    ['no body', new Response(null, { status: 204 }), 'no_output'],
    [
      'a stream of lines',
      new Response('{"p":[1]}', { headers: { 'content-type': 'application/x-ndjson' } }),
      'no_output',
    ],
    ['a refusal of the handler', Response.json({ p: [1] }, { status: 401 }), 'not_served'],
  ])('%s is left alone and counted', async (_, answer, told) => {
    expect(await read(probabilitiesAt('$.p'), answer)).toEqual(
      told instanceof RegExp ? expect.stringMatching(told) : told,
    )
  })

  test('JSON by another name is JSON', async () => {
    const answer = new Response('{"p":[1]}', { headers: { 'content-type': 'application/vnd.api+json; charset=utf-8' } })
    expect(await read(probabilitiesAt('$.p'), answer)).toEqual([1])
  })

  test('a path to many places is refused', () => {
    expect(() => probabilitiesAt('$[*].p')).toThrow(/must lead to one place/)
  })

  test('hiding leaves the first class and nothing else of the scores, in any form', () => {
    const hide = (value: unknown, options = {}) => probabilitiesAt('$', options).hide!(value)
    expect(hide([0.2, 0.5, 0.3])).toEqual([0.05, 0.9, 0.05])
    expect(hide([0.4, 0.4])).toEqual([0.9, 0.1])
    expect([hide([0.5]), hide([0.49])]).toEqual([[0.9], [0.1]])
    expect(hide([1, 5, 2], { logits: true })).toEqual([Math.log(0.05), Math.log(0.9), Math.log(0.05)])
    expect(
      hide([
        { label: 'b', score: 0.2 },
        { label: 'z', score: 0.7, box: 1 },
        { label: 'a', score: 0.1 },
      ]),
    ).toEqual([
      { label: 'z', score: 0.9, box: 1 },
      { label: 'a', score: 0.05 },
      { label: 'b', score: 0.05 },
    ])
    expect(JSON.stringify(hide({ b: 0.2, z: 0.7, a: 0.1 }))).toBe('{"z":0.9,"a":0.05,"b":0.05}')
  })

  test('answers with the same first class cannot be told apart once they are hidden', () => {
    const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
    const named = (p: number[]) => {
      const sorted = p.map((score, i) => ({ label: 'abc'[i]!, score })).sort((x, y) => y.score - x.score)
      return { p, sorted, object: Object.fromEntries(sorted.map(({ label, score }) => [label, score])) }
    }
    const hide = (p: number[]) =>
      ['$.p', '$.sorted', '$.object'].reduce<unknown>((json, path) => probabilitiesAt(path).hide!(json), named(p))
    fc.assert(
      fc.property(scores, scores, (p, q) => {
        const first = (s: number[]) => s.indexOf(Math.max(...s))
        expect(JSON.stringify(hide(p)) === JSON.stringify(hide(q))).toBe(first(p) === first(q))
      }),
      { seed: 20261201, numRuns: 500 },
    )
  })
})
