/** The parts of the cockpit that need no browser. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError, clientPath } from '../src/server/cockpit/api.ts'
import { backOffMs } from '../src/server/cockpit/backOff.ts'
import { distribution, nameOf, since } from '../src/server/cockpit/bins.ts'
import { Connection, type Link } from '../src/server/cockpit/connection.ts'
import { duration } from '../src/server/cockpit/format.ts'
import { isNotable, lineOf, spoken } from '../src/server/cockpit/happenings.ts'
import { Latest } from '../src/server/cockpit/latest.ts'
import { SseParser } from '../src/server/cockpit/sse.ts'
import { byMinute, stacked, Timeline } from '../src/server/cockpit/timeline.ts'
import { isToken } from '../src/server/cockpit/token.ts'
import type { Happening, TickModel } from '../src/server/cockpit/wire.ts'
import { testServer } from './tools/serverApp.ts'

const encoder = new TextEncoder()

describe('server-sent events', () => {
  const STREAM =
    '\uFEFF: a comment\r\nevent: tick\r\ndata: {"n":1}\r\n\r\n' + // CR LF
    'event: verdict\ndata: one\ndata:two\ndata\n\n' + // LF, several lines, with and without a space, and an empty one
    'data: ß€😀\r\r' + // CR, no name
    'event: nothing\n\nid: 7\nretry: 10\ndata:  two spaces: and a colon\n\ndata: unfinished'
  const EXPECTED = [
    { event: 'tick', data: '{"n":1}' },
    { event: 'verdict', data: 'one\ntwo\n' },
    { event: 'message', data: 'ß€😀' },
    { event: 'message', data: ' two spaces: and a colon' },
  ]

  test('are the same wherever the chunks are cut', () => {
    const bytes = encoder.encode(STREAM)
    for (let size = 1; size <= bytes.length; size++) {
      const parser = new SseParser()
      const events = []
      for (let at = 0; at < bytes.length; at += size) events.push(...parser.push(bytes.subarray(at, at + size)))
      expect(events, `in chunks of ${size} bytes`).toEqual(EXPECTED)
    }
  })

  test('come out with the byte that ends them, also after a lone CR', () => {
    const parser = new SseParser()
    expect(parser.push(encoder.encode('data: a\r'))).toEqual([])
    expect(parser.push(encoder.encode('\r'))).toEqual([{ event: 'message', data: 'a' }])
    expect(parser.push(encoder.encode('\ndata: b\n\n'))).toEqual([{ event: 'message', data: 'b' }])
  })

  test.each([
    ['a line', 'x'.repeat(1000)],
    ['a list of lines', `data: ${'x'.repeat(1000)}\n`],
  ])('%s without an end is refused before it fills the memory', (_, piece) => {
    const parser = new SseParser()
    expect(() => {
      for (let i = 0; i < 2000; i++) parser.push(encoder.encode(piece))
    }).toThrow(/more than 1048576 characters/)
  })
})

test('the latest items are kept, newest first, and no more', () => {
  const latest = new Latest<number>(3)
  expect(latest.newest()).toEqual([])
  for (let i = 1; i <= 1000; i++) latest.push(i)
  expect(latest.newest()).toEqual([1000, 999, 998])
  latest.push(1001)
  expect(latest.newest()).toEqual([1001, 1000, 999])
})

describe('the timeline', () => {
  const model = (allow: number, flag = 0, refused = 0): TickModel => ({
    name: 'm',
    counts: { queries: allow + flag, suspicious: flag },
    decisions: { allow, flag, throttle: 0, suspend: 0, refused },
    active: 0,
    suspended: 0,
  })
  const filled = (...ticks: readonly (readonly [timeMs: number, model: TickModel])[]) => {
    const timeline = new Timeline(600)
    for (const [timeMs, one] of ticks) timeline.add(timeMs, one)
    return timeline
  }

  test('takes differences of counts; the first tick is only where it begins', () => {
    const timeline = filled([1000, model(100, 5)], [2010, model(103, 6, 2)], [3020, model(103, 6, 2)])
    expect(timeline.seconds.map(({ at, counts }) => [at, counts?.allow, counts?.flag, counts?.refused])).toEqual([
      [2, 3, 1, 2],
      [3, 0, 0, 0],
    ])
    expect(timeline.sum(10)).toMatchObject({ allow: 3, flag: 1, refused: 2, queries: 4, suspicious: 1 })
    expect(timeline.sum(1).queries).toBe(0)
  })

  test('spreads what came in a long second over its seconds, and waits where two ticks share one', () => {
    expect(filled([1000, model(0)], [4000, model(6)]).seconds.map(({ counts }) => counts?.allow)).toEqual([2, 2, 2])
    expect(
      filled([1000, model(0)], [1400, model(1)], [2000, model(5)]).seconds.map(({ counts }) => counts?.allow),
    ).toEqual([5])
  })

  test('has a gap where nobody listened', () => {
    const timeline = filled([1000, model(0)], [2000, model(1)])
    timeline.breakOff()
    timeline.breakOff()
    timeline.add(60_000, model(500))
    timeline.add(61_000, model(501))
    expect(timeline.seconds.map(({ at, counts }) => [at, counts?.allow])).toEqual([
      [2, 1],
      [3, undefined],
      [61, 1],
    ])
    expect(stacked(timeline.seconds)[1]).toEqual([1, null, 1])
  })

  test('begins anew with a server that counts from zero, or whose clock steps back', () => {
    const restarted = filled([1000, model(0)], [2000, model(9)], [3000, model(2)], [4000, model(3)])
    expect(restarted.seconds.map(({ at, counts }) => [at, counts?.allow])).toEqual([[4, 1]])
    const stepped = filled([90_000, model(0)], [91_000, model(9)], [10_000, model(10)], [11_000, model(12)])
    expect(stepped.seconds.map(({ at, counts }) => [at, counts?.allow])).toEqual([[11, 2]])
  })

  test('keeps as many seconds as it shall', () => {
    const timeline = new Timeline(5)
    for (let i = 0; i < 100; i++) timeline.add(i * 1000, model(i))
    expect(timeline.seconds.map(({ at }) => at)).toEqual([95, 96, 97, 98, 99])
    timeline.add(1_000_000, model(600))
    expect(timeline.seconds).toHaveLength(5)
  })

  test('stacks the decisions from mild to strict', () => {
    const [times, ...sums] = stacked(filled([1000, model(0)], [2000, model(3, 2, 1)]).seconds)
    expect(times).toEqual([2])
    expect(sums).toEqual([[3], [5], [5], [5], [6]])
  })

  test('adds up by minute, newest first, a minute being from :00 to :60', () => {
    const timeline = filled([58_000, model(0)], [59_000, model(1)], [60_000, model(3)], [61_000, model(7)])
    expect(byMinute(timeline.seconds).map(({ at, counts }) => [at, counts.allow])).toEqual([
      [60, 4],
      [0, 3],
    ])
  })
})

describe('distributions', () => {
  test('are cut to what is not empty and what lies beside the threshold', () => {
    const scores = { bounds: [0.2, 0.4, 0.6, 0.8, 1], counts: [0, 4, 0, 0, 2, 0] }
    const { bins, place } = distribution(scores, 0.6, 'nats')
    expect(bins).toEqual([
      { above: 0.2, upTo: 0.4, count: 4, isOver: false },
      { above: 0.4, upTo: 0.6, count: 0, isOver: false },
      { above: 0.6, upTo: 0.8, count: 0, isOver: true },
      { above: 0.8, upTo: 1, count: 2, isOver: true },
    ])
    expect(place).toBe(2)
  })

  test('of counts call the bucket of the threshold itself suspicious', () => {
    const scores = { bounds: [1, 2, 3, 4, 5, 6, 8], counts: [9, 3, 0, 0, 1, 0, 1, 0] }
    const { bins, place } = distribution(scores, 5, 'count')
    expect(bins.filter(({ isOver }) => isOver).map((bin) => nameOf(bin, 'count'))).toEqual(['5', '6', '7–8'])
    expect(place).toBe(4)
    expect(distribution(scores, 1, 'count').place).toBe(0)
  })

  test('have a place for a threshold within a bucket, below all of them and above all of them', () => {
    const scores = { bounds: [0.5, 1], counts: [1, 1, 0] }
    expect(distribution(scores, 0.75, 'cosine').place).toBe(1.5)
    expect(distribution(scores, 0.75, 'cosine').bins.map(({ isOver }) => isOver)).toEqual([false, false])
    expect(distribution(scores, 0.1, 'cosine').bins.map(({ isOver }) => isOver)).toEqual([true, true])
    const above = distribution(scores, 3, 'cosine')
    expect(above.bins.map(({ isOver }) => isOver)).toEqual([false, false, true])
    expect(above.place).toBe(2)
  })

  test('without a score show what lies beside the threshold', () => {
    const { bins } = distribution({ bounds: [0.5, 0.9, 1], counts: [0, 0, 0, 0] }, 0.9, 'cosine')
    expect(bins.map((bin) => nameOf(bin, 'cosine'))).toEqual(['0.5 – 0.9', '0.9 – 1'])
  })

  test('of a span are differences, and of a server that began anew all it has', () => {
    const scores = (...counts: number[]) => ({ bounds: [1], counts })
    expect(since(scores(5, 3), scores(4, 0)).counts).toEqual([1, 3])
    expect(since(scores(5, 3), undefined).counts).toEqual([5, 3])
    expect(since(scores(1, 0), scores(4, 0)).counts).toEqual([1, 0])
  })
})

describe('words', () => {
  const verdict = (suspicious: boolean): Happening => ({
    kind: 'verdict',
    model: 'm',
    client: '',
    timeMs: 0,
    suspicious,
    action: suspicious ? 'flag' : 'allow',
    proposed: suspicious ? 'suspend' : 'allow',
    evidence: 1,
    errors: [],
    detections: [{ detector: 'twice', suspicious, score: 2, threshold: 2, reason: 'Query repeated 2 times.' }],
  })

  test('say what enforcement would have done, and who asked', () => {
    expect(spoken(lineOf(verdict(true)))).toBe('(no name) flagged, would be suspended. twice: Query repeated 2 times.')
    expect([verdict(true), verdict(false)].map(isNotable)).toEqual([true, false])
  })

  test.each([
    [-5, '0 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [3_605_000, '1 h'],
    [5_430_000, '1 h 30 min'],
    [1_000_000_000, '11 d 13 h'],
  ])('%i ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  test('a token is what a header can carry', () => {
    expect(['secret-token', '', 'two words', 'schlüssel', 'a\nb'].map(isToken)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})

test('every name has an address of its own', async () => {
  const { ask, get } = await testServer()
  const names = ['', '.', '..', '""', '"a"', 'a', 'a/b', '../a', 'a%2Fb', '%', '?model=x', '#', 'ß 😀', "a'b\\", '\n']
  for (const name of names) expect((await ask(`/${clientPath(name, 'default', '/suspend')}`, {})).body.id).toBe(name)
  const { clients } = await (await get('/v1/clients')).json()
  expect(clients.map(({ id }: { id: string }) => id).sort()).toEqual([...names].sort())
})

describe('the connection', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A server that answers each attempt in its own way; the last way for all that follow. */
  function connect(...answers: readonly ((signal: AbortSignal) => Promise<Response>)[]) {
    const links: Link[] = []
    const events: unknown[] = []
    let attempts = 0
    const connection = new Connection({
      open: (signal) => answers[Math.min(attempts++, answers.length - 1)]!(signal),
      onEvent: (event, data) => events.push([event, data]),
      onLink: (link) => links.push(link),
    })
    connection.start()
    const states = () => links.map((link) => (link.state === 'lost' ? link.reason : link.state))
    return { connection, events, states, links, attempts: () => attempts }
  }

  const streamOf = (text: string) => async () => new Response(text)
  /** Like `fetch`, it breaks when it is given up. */
  const silent = async (signal: AbortSignal) => {
    const start = (controller: ReadableStreamDefaultController) =>
      signal.addEventListener('abort', () => controller.error(signal.reason))
    return new Response(new ReadableStream({ start }))
  }
  const refused = async () => {
    throw new ApiError(503, '32 are listening, which is the limit')
  }

  test('comes back when the stream ends, and after a farewell', async () => {
    const { events, states } = connect(
      streamOf('event: hello\ndata: 1\n\n'),
      streamOf('event: hello\ndata: 2\n\nevent: bye\ndata: {}\n\n'),
      silent,
    )
    await vi.advanceTimersByTimeAsync(5000)
    expect(events).toEqual([
      ['hello', 1],
      ['hello', 2],
    ])
    expect(states()).toEqual([
      'connecting',
      'live',
      'the server has ended the connection',
      'connecting',
      'live',
      'the server is stopping',
      'connecting',
    ])
  })

  test('waits longer after each failure in a row, and not when told to try now', async () => {
    const { connection, attempts, states, links } = connect(refused)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(states()[1]).toBe('32 are listening, which is the limit')
    const tried = attempts()
    expect(tried).toBeGreaterThan(4)
    expect(tried).toBeLessThan(12)
    expect(links.at(-1)!.state).toBe('lost')
    connection.retryNow()
    await vi.advanceTimersByTimeAsync(0)
    expect(attempts()).toBe(tried + 1)
  })

  test('gives up a stream that has fallen silent', async () => {
    const { states } = connect(silent)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(states()).toEqual(['connecting'])
    await vi.advanceTimersByTimeAsync(1)
    expect(states()[1]).toBe('the server has fallen silent')
  })

  test('a broken event is a lost connection, not a broken page', async () => {
    const { states } = connect(streamOf('event: tick\ndata: {"n":\n\n'))
    await vi.advanceTimersByTimeAsync(0)
    expect(states().slice(0, 3)).toEqual(['connecting', 'live', 'the connection broke'])
  })

  test('does nothing more once it is stopped, neither while it waits nor while it listens', async () => {
    for (const answer of [refused, silent]) {
      const { connection, attempts, states } = connect(answer)
      await vi.advanceTimersByTimeAsync(100)
      const before = states()
      connection.stop()
      await vi.advanceTimersByTimeAsync(60_000)
      expect(attempts()).toBe(1)
      expect(states()).toEqual(before)
    }
  })

  test('the wait doubles from one second to twenty, and half of it is chance', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((failures) => backOffMs(failures, 1))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 20_000, 20_000,
    ])
    expect(backOffMs(3, 0)).toBe(4000)
  })
})
