import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exp, expEach, log, logEach, sumOfLogs } from '../src/core/math.ts'

const relative = (got: number, expected: number) => Math.abs(got - expected) / Math.abs(expected)

test('log agrees with Math.log to 1e-14 over all positive numbers', () => {
  const positive = fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true })
  fc.assert(
    fc.property(positive, (x) => x === 1 || relative(log(x), Math.log(x)) < 1e-14),
    { seed: 20261, numRuns: 20_000 },
  )
})

test('log keeps its relative accuracy beside 1, where the result nears 0', () => {
  for (const step of [1e-15, 1e-12, 1e-8, 1e-4, 0.1, 0.4142, 0.4143]) {
    expect(relative(log(1 + step), Math.log(1 + step))).toBeLessThan(1e-14)
    expect(relative(log(1 - step), Math.log(1 - step))).toBeLessThan(1e-14)
  }
})

test('log of the smallest and the largest number agrees with Math.log', () => {
  expect(relative(log(5e-324), Math.log(5e-324))).toBeLessThan(1e-14)
  expect(relative(log(Number.MAX_VALUE), Math.log(Number.MAX_VALUE))).toBeLessThan(1e-14)
})

test('log is exact at 1, and follows Math.log at 0, at infinity and outside its domain', () => {
  expect([log(1), log(0), log(Infinity), log(-1), log(NaN)]).toEqual([0, -Infinity, Infinity, NaN, NaN])
})

test('exp agrees with Math.exp to 1e-14 wherever the result is a normal number', () => {
  fc.assert(
    fc.property(fc.double({ min: -708, max: 709, noNaN: true }), (x) => relative(exp(x), Math.exp(x)) < 1e-14),
    { seed: 20262, numRuns: 20_000 },
  )
})

test('exp falls to 0 gradually and rises to infinity, as Math.exp does', () => {
  expect(Math.abs(exp(-740) - Math.exp(-740))).toBeLessThanOrEqual(5e-324)
  expect([exp(0), exp(-746), exp(-Infinity), exp(710), exp(Infinity), exp(NaN)]).toEqual([
    1,
    0,
    0,
    Infinity,
    Infinity,
    NaN,
  ])
})

test('exp undoes log', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (x) => relative(exp(log(x)), x) < 1e-14),
    { seed: 20263 },
  )
})

test('a few values are pinned to the last bit, so that no engine may differ', () => {
  // log(10), log(0.3) and exp(1) are one unit of the last place beside the nearest double: within the promise, and the same everywhere.
  expect([log(2), log(10), log(0.3), exp(1), exp(-1), exp(-10.5)]).toEqual([
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: what is pinned is the digits
    0.6931471805599453, 2.3025850929940455, -1.203972804325936, 2.7182818284590455, 0.36787944117144233,
    0.000027536449349747158,
  ])
})

test('logEach and expEach put log and exp in place, to the bit, and leave the rest', () => {
  const values = [-1, 0, 5e-324, 1e-310, 0.3, 0.94999, 0.95, 1, 1.049, 1.05, 2, 1e300, 1.7e308, Infinity, NaN, 7]
  for (const [each, one] of [[logEach, log] as const, [expEach, exp] as const]) {
    const inPlace = Float64Array.from(values)
    each(inPlace, values.length - 1)
    expect(Array.from(inPlace)).toEqual([...values.slice(0, -1).map(one), 7])
  }
})

test('the sum of logarithms is the sum of its terms, also for 0, for 1 and for values above 1', () => {
  const values = Float64Array.of(0, 1e-320, 1e-12, 0.003, 0.2, 0.94, 0.96, 1, 1.02, 7, 1e9)
  for (const scale of [1, 0.37]) {
    const expected = values.reduce((sum, v) => sum + v * scale * Math.log(v * scale + 1e-10), 0)
    expect(relative(sumOfLogs(values, scale, 1e-10), expected)).toBeLessThan(1e-13)
  }
  expect(sumOfLogs([], 1, 1e-10)).toBe(0)
})
