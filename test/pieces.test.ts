/** Snapshots of large windows, and their restoring, piece by piece, while queries go on. */
import { serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { createDetector, inPieces, restoreInPieces } from '../src/core/index.ts'
import { createStreamMonitor } from '../src/core/monitor/index.ts'
import { random } from './tools/random.ts'

/** So that 4 MB, which is a piece, are 1024 rows. */
const WIDTH = 1024

function stream(count: number, seed: number, form: 'single' | 'double' = 'single') {
  const next = random(seed)
  return Array.from({ length: count }, () => {
    const v = Float64Array.from({ length: WIDTH }, () => next() - 0.5)
    return { embedding: form === 'single' ? Float32Array.from(v) : v }
  })
}

/** A detector whose window is filled without comparing each with each. */
function filled(size: number, window: number, form: 'single' | 'double' = 'single') {
  const detector = createDetector('similarity', { maxHistorySize: window })
  const rows = new (form === 'single' ? Float32Array : Float64Array)(size * WIDTH)
  const next = random(size)
  for (let i = 0; i < rows.length; i++) rows[i] = next() - 0.5
  detector.restore({ ...detector.snapshot(), state: { vectors: { dimension: WIDTH, rows }, incident: null } })
  return detector
}

describe('a snapshot in pieces is that of the moment when it was begun', () => {
  for (const [what, size, window, pushed, form] of [
    ['the window full', 2600, 2600, 40, 'single'],
    ['the window becoming full', 2600, 2620, 40, 'single'],
    ['the window overwritten once and more', 1100, 1100, 1300, 'single'],
    ['doubles coming meanwhile', 2600, 2600, 5, 'double'],
  ] as const) {
    test(what, () => {
      const detector = filled(size, window)
      for (const one of stream(7, 1)) detector.process(one)
      const before = detector.snapshot()
      const { value, buffers, fill } = inPieces(() => detector.snapshot())
      expect(buffers).toHaveLength(1)
      const queries = stream(pushed, 2, form)
      let calls = 0
      while (!fill()) {
        for (const one of queries.splice(0, Math.ceil(pushed / 2))) detector.process(one)
        calls++
      }
      expect(calls).toBeGreaterThan(0)
      for (const one of queries) detector.process(one)
      expect(Buffer.compare(bytesOf(value), bytesOf(before))).toBe(0)
      expect(Buffer.compare(bytesOf(detector.snapshot()), bytesOf(before))).not.toBe(0)
    })
  }

  test('two at a time, each of its own moment', () => {
    const detector = filled(1500, 1500)
    const begun = stream(3, 3).map((one) => {
      detector.process(one)
      return { whole: detector.snapshot(), pieces: inPieces(() => detector.snapshot()) }
    })
    for (const one of stream(20, 4)) detector.process(one)
    for (const { whole, pieces } of begun) {
      while (!pieces.fill());
      expect(Buffer.compare(bytesOf(pieces.value), bytesOf(whole))).toBe(0)
    }
  })

  test('within a monitor of several detectors', () => {
    const config = { detectors: [{ name: 'similarity', maxHistorySize: 1500 }, 'confidence'] as const }
    const monitor = createStreamMonitor(config as never)
    const entry = (one: { embedding: ArrayLike<number> }, i: number) =>
      ({ kind: 'query', client: 'a', timeMs: i, observations: [one, { probabilities: [0.5, 0.5] }] }) as never
    const queries = stream(1300, 5)
    for (const [i, one] of queries.entries()) monitor.apply(entry(one, i))
    const before = structuredClone(monitor.snapshot())
    const { value, buffers, fill } = inPieces(() => monitor.snapshot())
    expect(buffers).toHaveLength(1)
    for (const [i, one] of stream(30, 6).entries()) monitor.apply(entry(one, 2000 + i))
    while (!fill());
    expect(serialize(structuredClone(value)).equals(serialize(before))).toBe(true)
  })
})

test('a small snapshot, and one outside, is whole at once', () => {
  const detector = filled(100, 200)
  const { value, buffers, fill } = inPieces(() => detector.snapshot())
  expect(buffers).toEqual([])
  expect(fill()).toBe(true)
  expect(value).toEqual(detector.snapshot())
  const large = filled(1200, 1200)
  expect(bytesOf(large.snapshot()).some((byte) => byte !== 0)).toBe(true)
})

test('what throws while it saves leaves nothing behind', () => {
  const detector = filled(1200, 1200)
  expect(() =>
    inPieces(() => {
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(
    bytesOf(detector.snapshot())
      .subarray(-4 * WIDTH)
      .some((byte) => byte !== 0),
  ).toBe(true)
})

describe('restoring in pieces', () => {
  for (const [what, size, window, form] of [
    ['a full window', 2600, 2600, 'single'],
    ['a window that is not full', 2600, 4000, 'single'],
    ['doubles', 1300, 1300, 'double'],
  ] as const) {
    test(`${what}: nothing changes before the last step, and then all is as after restoring at once`, () => {
      const snapshot = filled(size, window, form).snapshot()
      const [pieces, once] = [1, 2].map(() => createDetector('similarity', { maxHistorySize: window }))
      const fill = restoreInPieces(() => pieces!.restore(snapshot))
      let steps = 0
      while (!fill()) {
        expect(pieces!.size()).toBe(0)
        steps++
      }
      expect(steps).toBeGreaterThan((size * WIDTH) / 2 ** 20)
      expect(fill()).toBe(true)
      once!.restore(snapshot)
      expect(Buffer.compare(bytesOf(pieces!.snapshot()), bytesOf(snapshot))).toBe(0)
      const later = stream(20, 8, form)
      expect(later.map((one) => pieces!.process(one))).toEqual(later.map((one) => once!.process(one)))
      expect(Buffer.compare(bytesOf(pieces!.snapshot()), bytesOf(once!.snapshot()))).toBe(0)
    })
  }

  test('queries before the last step are answered from what was there, and leave nothing behind', () => {
    const snapshot = filled(1300, 1300).snapshot()
    const [detector, other] = [filled(1200, 1300), filled(1200, 1300)]
    const fill = restoreInPieces(() => detector.restore(snapshot))
    for (const one of stream(2, 9)) {
      if (fill()) throw new Error('restored too early')
      expect(detector.process(one)).toEqual(other.process(one))
    }
    while (!fill());
    expect(Buffer.compare(bytesOf(detector.snapshot()), bytesOf(snapshot))).toBe(0)
  })

  test('two large windows of a monitor, also if they are one array', () => {
    const config = {
      detectors: [
        { name: 'similarity', label: 'a' },
        { name: 'similarity', label: 'b' },
      ],
    }
    const make = () =>
      createStreamMonitor({
        detectors: config.detectors.map((one) => ({ ...one, maxHistorySize: 1500 })),
      } as never)
    const entry = (one: { embedding: ArrayLike<number> }, i: number) =>
      ({ kind: 'query', client: 'a', timeMs: i, observations: [one, one] }) as never
    const monitor = make()
    for (const [i, one] of stream(1300, 5).entries()) monitor.apply(entry(one, i))
    const snapshot = structuredClone(monitor.snapshot())
    const { clients } = snapshot.state as unknown as { clients: { detectors: { state: { vectors: object } }[] }[] }
    const [first, second] = clients[0]!.detectors
    second!.state.vectors = first!.state.vectors
    const [pieces, once] = [make(), make()]
    const fill = restoreInPieces(() => pieces.restore(snapshot))
    while (!fill());
    once.restore(snapshot)
    for (const [i, one] of stream(40, 6).entries()) {
      expect(pieces.apply(entry(one, 2000 + i))).toEqual(once.apply(entry(one, 2000 + i)))
    }
    expect(serialize(pieces.snapshot()).equals(serialize(once.snapshot()))).toBe(true)
  })

  test('a number that is none, in the last row, is refused and the state kept', () => {
    const detector = filled(1200, 1300)
    const before = detector.snapshot()
    const bad = filled(1300, 1300).snapshot()
    const { rows } = (bad.state as unknown as { vectors: { rows: Float32Array } }).vectors
    rows[rows.length - 1] = Number.NaN
    const fill = restoreInPieces(() => detector.restore(bad))
    const all = () => {
      while (!fill());
    }
    expect(all).toThrow(/state\.vectors\.rows: must hold 1 … 1300 rows/)
    expect(Buffer.compare(bytesOf(detector.snapshot()), bytesOf(before))).toBe(0)
    detector.restore(before) // at once again
    expect(detector.size()).toBe(1200)
  })

  test('what is small is restored by the first step', () => {
    const snapshot = filled(100, 200).snapshot()
    const detector = createDetector('similarity', { maxHistorySize: 200 })
    expect(restoreInPieces(() => detector.restore(snapshot))()).toBe(true)
    expect(detector.size()).toBe(100)
  })
})

function bytesOf({ state }: { readonly state: unknown }): Buffer {
  const { rows } = (state as { vectors: { rows: Float32Array | Float64Array } }).vectors
  return Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)
}
