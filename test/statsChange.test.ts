/** Trend and change in a stream: Kendall's window, CUSUM, ADWIN; each against its batch form or a slow restatement. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Adwin, Cusum, cusumRunLength, KendallWindow, kendallTau } from '../src/core/index.ts'
import { random } from './tools/random.ts'
import { expected, relativeError, type Sample, sample } from './tools/samples.ts'

const query = (path: string) => expect.objectContaining({ code: 'bad_query', path })
const config = (path: string) => expect.objectContaining({ code: 'bad_config', path })

describe("Kendall's window", () => {
  test('gives to the bit what the batch form gives for each window', () => {
    const numbers = fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 2, maxLength: 60 })
    fc.assert(
      fc.property(numbers, fc.integer({ min: 2, max: 20 }), (values, capacity) => {
        const window = new KendallWindow(capacity)
        for (const [i, value] of values.entries()) {
          window.push(value)
          const last = values.slice(Math.max(0, i + 1 - capacity), i + 1)
          expect(window.size).toBe(last.length)
          expect(window.bytes()).toBe(16 * last.length)
          expect(window.tau).toBe(last.length < 2 ? 0 : kendallTau([...last.keys()], last))
        }
      }),
      { seed: 21, numRuns: 300 },
    )
  })

  test('refuses a capacity that is none', () => {
    for (const capacity of [1, 2.5, 65_537]) expect(() => new KendallWindow(capacity)).toThrow(config('capacity'))
  })
})

describe('CUSUM', () => {
  test('agrees with exact arithmetic; the alarm is strict', () => {
    const cases = expected<{ z: Sample; allowance: number; limit: number; last: number; alarms: number[] }>('cusum')
    for (const { z, allowance, limit, last, alarms } of cases) {
      const cusum = new Cusum({ allowance, limit })
      const got: number[] = []
      for (const [i, value] of sample(z).entries()) {
        cusum.push(value)
        if (cusum.isAlarm) got.push(i)
      }
      expect(got).toEqual(alarms)
      expect(Math.abs(cusum.sum - last)).toBeLessThan(1e-12)
    }
    const edge = new Cusum({ allowance: 0, limit: 1 })
    edge.push(1)
    expect(edge.isAlarm).toBe(false)
  })

  test("the run length agrees with Siegmund's formula in 60 digits", () => {
    const cases = expected<{ allowance: number; limit: number; length: number }>('cusumRunLength')
    for (const one of cases) expect(relativeError(cusumRunLength(one), one.length)).toBeLessThan(1e-12)
    expect(Math.round(cusumRunLength({ allowance: 0.5, limit: 4 }))).toBe(338)
    expect(Math.round(cusumRunLength({ allowance: 0.5, limit: 5 }))).toBe(938)
  })

  test('the run length is that of simulated streams, within a tenth', () => {
    const next = random(22)
    let steps = 0
    for (let run = 0; run < 400; run++) {
      const cusum = new Cusum({ allowance: 0.5, limit: 4 })
      while (!cusum.isAlarm) {
        // Box and Muller: the sum of twelve uniform numbers has too thin a tail for this.
        cusum.push(Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()))
        steps++
      }
    }
    expect(Math.abs(steps / 400 / cusumRunLength({ allowance: 0.5, limit: 4 }) - 1)).toBeLessThan(0.1)
  })
})

describe('ADWIN', () => {
  interface Case {
    readonly parts: readonly { readonly sample: Sample; readonly scale: number; readonly offset: number }[]
    readonly delta: number
    readonly clock: number
    readonly drifts: readonly number[]
    readonly size: number
    readonly mean: number
  }

  test('cuts where a restatement in Python does that keeps every value', () => {
    for (const { parts, delta, clock, drifts, size, mean } of expected<Case>('adwin')) {
      const adwin = new Adwin({ delta, clock })
      const values = parts.flatMap(({ sample: spec, scale, offset }) =>
        [...sample(spec)].map((v) => v * scale + offset),
      )
      expect(values.flatMap((value, i) => (adwin.push(value) ? [i] : []))).toEqual(drifts)
      expect(adwin.size).toBe(size)
      expect(adwin.mean).toBeCloseTo(mean, 12)
    }
  })

  test('cuts where a restatement here does, on streams of any kind', () => {
    const part = fc.record({ length: fc.nat(120), low: fc.double({ min: 0, max: 1, noNaN: true }), seed: fc.nat() })
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom(1, 4, 32), (parts, clock) => {
        const adwin = new Adwin({ delta: 0.1, clock })
        const slow = slowAdwin(0.1, clock)
        for (const { length, low, seed } of parts) {
          const next = random(seed)
          for (let i = 0; i < length; i++) {
            const value = low + (1 - low) * next() * next()
            expect(adwin.push(value)).toBe(slow.push(value))
            expect(adwin.size).toBe(slow.values().length)
          }
        }
      }),
      { seed: 23, numRuns: 60 },
    )
  })

  test('keeps the whole of a stream that does not change, and forgets the old part of one that does', () => {
    const next = random(24)
    const adwin = new Adwin()
    let drifts = 0
    for (let i = 0; i < 20_000; i++) if (adwin.push(0.3 * next())) drifts++
    expect([drifts, adwin.size]).toEqual([0, 20_000])
    for (let i = 0; i < 2000; i++) adwin.push(0.3 + 0.3 * next())
    expect(adwin.size).toBeLessThan(2400)
    expect(adwin.mean).toBeCloseTo(0.45, 1)
  })

  test('refuses values outside [0, 1] and options that are none', () => {
    expect(() => new Adwin().push(1.01)).toThrow(query('value'))
    expect(() => new Adwin({ delta: 0 })).toThrow(config('delta'))
    expect(() => new Adwin({ clock: 0 })).toThrow(config('clock'))
  })
})

/** By the paper: buckets that hold their values, and every mean and variance from the values. */
function slowAdwin(delta: number, clock: number) {
  let rows: number[][][] = [[]]
  let since = 0
  const buckets = () => rows.toReversed().flat()
  const values = () => buckets().flat()
  const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
  return { push, values }

  function push(value: number): boolean {
    rows[0]!.push([value])
    for (let r = 0; r < rows.length; r++) {
      if (rows[r]!.length <= 5) continue
      const [a, b, ...rest] = rows[r]!
      rows[r] = rest
      rows[r + 1] = [...(rows[r + 1] ?? []), [...a!, ...b!]]
    }
    since = (since + 1) % clock
    let isDrift = false
    while (since === 0 && hasCut()) {
      rows = rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1)
      rows.at(-1)!.shift()
      isDrift = true
    }
    return isDrift
  }

  function hasCut(): boolean {
    const all = values()
    const n = all.length
    const level = Math.log((2 * Math.log(n)) / delta)
    const centre = mean(all)
    const variance = mean(all.map((v) => (v - centre) ** 2))
    let n0 = 0
    return buckets().some((bucket) => {
      n0 += bucket.length
      if (n0 < 5 || n - n0 < 5) return false
      const rate = 1 / (n0 - 4) + 1 / (n - n0 - 4)
      const apart = Math.abs(mean(all.slice(0, n0)) - mean(all.slice(n0)))
      return apart > Math.sqrt(2 * rate * variance * level) + (2 / 3) * rate * level
    })
  }
}
