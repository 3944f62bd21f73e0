/** Snapshots of large windows, piece by piece, while queries go on. */
import { describe, expect, test } from 'vitest'
import { createDetector, inPieces } from '../src/core/index.ts'
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
    expect(value).toEqual(before)
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

function bytesOf({ state }: { readonly state: unknown }): Buffer {
  const { rows } = (state as { vectors: { rows: Float32Array | Float64Array } }).vectors
  return Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)
}
