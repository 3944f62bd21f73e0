/** E-values and e-processes: against exact arithmetic, and the promises they make, by simulation. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  clopperPearson,
  eBenjaminiHochberg,
  meanLogE,
  mixtureLogE,
  PowerProcess,
  powerLogE,
  rejectsAt,
  SequentialRanks,
  SimpleJumper,
} from '../src/core/index.ts'
import { random } from './tools/random.ts'
import { expected, type Sample, sample } from './tools/samples.ts'

const query = (path: string) => expect.objectContaining({ code: 'bad_query', path })
const config = (path: string) => expect.objectContaining({ code: 'bad_config', path })

describe('e-values', () => {
  test('of one p-value agree with 60 digits', () => {
    const cases = expected<{ p: number; powerLogE: number; mixtureLogE: number }>('eValues')
    for (const one of cases) {
      expect(Math.abs(powerLogE(one.p, 0.2) - one.powerLogE)).toBeLessThan(1e-12)
      expect(Math.abs(mixtureLogE(one.p) - one.mixtureLogE)).toBeLessThan(1e-12)
    }
  })

  test('of one uniform p-value have the mean 1', () => {
    // Midpoints of steps that grow from 1e-300 on: ∫ e(p) dp with p = e^−t.
    for (const logE of [(p: number) => powerLogE(p, 0.3), mixtureLogE]) {
      let mean = 0
      for (let t = 0.0005; t < 690; t += 0.001) mean += Math.exp(logE(Math.exp(-t)) - t) * 0.001
      // The mixture falls as 1 / ln² p: beyond 1e-300 there is still about 1 / 690 of it.
      expect(Math.abs(mean - 1)).toBeLessThan(0.002)
    }
  })

  test('are averaged by their weights, without overflow', () => {
    expect(meanLogE([2, 2, 2])).toBeCloseTo(2, 14)
    expect(meanLogE([Math.log(3), Math.log(5)], [1, 3])).toBeCloseTo(Math.log(4.5), 14)
    expect(meanLogE([5000, -5000])).toBeCloseTo(5000 - Math.LN2, 10)
    expect(meanLogE([-Infinity, -Infinity])).toBe(-Infinity)
    expect(meanLogE([-Infinity, 0])).toBeCloseTo(-Math.LN2, 14)
    expect(meanLogE([7, 9], [0, 1])).toBe(9)
  })

  test('reject at alpha from 1/alpha on', () => {
    expect([rejectsAt(Math.log(99.99), 0.01), rejectsAt(Math.log(100.01), 0.01)]).toEqual([false, true])
    expect(() => rejectsAt(1, 0)).toThrow(config('alpha'))
    expect(() => rejectsAt(Number.NaN, 0.1)).toThrow(query('logE'))
  })

  test('refuse p-values outside (0, 1], bad exponents, NaN and weights that are none', () => {
    for (const p of [0, 1.1, -1, Number.NaN]) {
      expect(() => powerLogE(p, 0.5)).toThrow(query('p'))
      expect(() => mixtureLogE(p)).toThrow(query('p'))
    }
    expect(() => powerLogE(0.5, 1)).toThrow(config('kappa'))
    expect(() => meanLogE([])).toThrow(query('logE'))
    expect(() => meanLogE([0, Number.NaN])).toThrow(query('logE[1]'))
    expect(() => meanLogE([0, Infinity])).toThrow(query('logE[1]'))
    expect(() => meanLogE([0, 1], [1])).toThrow(config('weights'))
    expect(() => meanLogE([0, 1], [1, -1])).toThrow(config('weights[1]'))
    expect(() => meanLogE([0, 1], [0, 0])).toThrow(config('weights'))
  })
})

describe('the e-BH procedure', () => {
  test('rejects what its definition says', () => {
    const cases = expected<{ e: number[]; alpha: number; rejected: number[] }>('eBenjaminiHochberg')
    for (const { e, alpha, rejected } of cases) {
      expect(eBenjaminiHochberg(e.map(Math.log), alpha)).toEqual(rejected)
    }
  })

  test('keeps the share of falsely rejected clients below alpha, though their e-values depend on each other', () => {
    const next = random(61)
    let share = 0
    let found = 0
    const runs = 2000
    for (let run = 0; run < runs; run++) {
      const shared = 1 - next()
      // 40 honest clients with one p-value between them, or each with its own; 10 with small ones.
      const logE = Array.from({ length: 50 }, (_, i) => {
        if (i >= 40) return powerLogE((1 - next()) * 1e-5, 0.2)
        return powerLogE(run % 2 === 0 ? shared : 1 - next(), 0.2)
      })
      const rejected = eBenjaminiHochberg(logE, 0.1)
      share += rejected.filter((i) => i < 40).length / Math.max(1, rejected.length) / runs
      found += rejected.filter((i) => i >= 40).length / 10 / runs
    }
    expect(share).toBeLessThan(0.1)
    expect(found).toBeGreaterThan(0.9)
  })

  test('rejects none of weak ones, all of strong ones, and refuses NaN', () => {
    expect(eBenjaminiHochberg([0, 1, -Infinity], 0.05)).toEqual([])
    expect(eBenjaminiHochberg([4, 3, 3], 0.05)).toEqual([0, 1, 2])
    expect(() => eBenjaminiHochberg([Number.NaN], 0.05)).toThrow(query('logE[0]'))
    expect(() => eBenjaminiHochberg([1], 1)).toThrow(config('alpha'))
  })
})

describe('e-processes', () => {
  const pValues = (spec: Sample) => sample(spec).map((p) => Math.max(p, 2 ** -32))

  test('the power process and its mixture agree with products in 60 digits', () => {
    for (const { p, exponents, logE } of expected<{ p: Sample; exponents: number[]; logE: number }>('powerProcess')) {
      const process = new PowerProcess({ exponents })
      for (const value of pValues(p)) process.push(value)
      expect(Math.abs(process.logE - logE)).toBeLessThan(1e-10)
      expect(process.count).toBe(pValues(p).length)
    }
  })

  test('the Simple Jumper agrees with sums in 60 digits', () => {
    const cases = expected<{ p: Sample; jump: number; sides: 'low' | 'both'; logE: number }>('simpleJumper')
    for (const { p, jump, sides, logE } of cases) {
      const jumper = new SimpleJumper({ jump, sides })
      for (const value of sample(p)) jumper.push(value)
      expect(Math.abs(jumper.logE - logE)).toBeLessThan(1e-10)
    }
  })

  test('the Simple Jumper does at each step what the published algorithm says', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }), (ps) => {
        const jumper = new SimpleJumper({ jump: 0.01, sides: 'both' })
        const capital = new Map([-1, 0, 1].map((e) => [e, 1 / 3]))
        for (const p of ps) {
          const sum = [...capital.values()].reduce((a, b) => a + b, 0)
          for (const [e, c] of capital) capital.set(e, (0.99 * c + (0.01 / 3) * sum) * (1 + e * (p - 0.5)))
          jumper.push(p)
          expect(jumper.logE).toBeCloseTo(Math.log([...capital.values()].reduce((a, b) => a + b, 0)), 11)
        }
      }),
      { seed: 62 },
    )
  })

  test('the Simple Jumper takes 18 steps of the smallest p-value to 1 000, and grows by half at most', () => {
    const jumper = new SimpleJumper({ jump: 2 ** -52 })
    let steps = 0
    for (; !rejectsAt(jumper.logE, 0.001); steps++) jumper.push(0)
    expect(steps).toBeGreaterThanOrEqual(18)
    expect(steps).toBeLessThan(21)
  })

  test('a bet of weight 0 is none', () => {
    const mixed = new PowerProcess({ exponents: [0.1, 0.5], weights: [0, 2] })
    const alone = new PowerProcess({ exponents: [0.5] })
    for (const process of [mixed, alone]) for (const p of [0.2, 0.01, 0.9]) process.push(p)
    expect(mixed.logE).toBeCloseTo(alone.logE, 13)
  })

  test('refuse options that are none', () => {
    expect(() => new PowerProcess({ exponents: [] })).toThrow(config('exponents'))
    expect(() => new PowerProcess({ exponents: [0.5, 1] })).toThrow(config('exponents[1]'))
    expect(() => new PowerProcess({ exponents: [0.5], weights: [1, 2] })).toThrow(config('weights'))
    expect(() => new SimpleJumper({ jump: 0 })).toThrow(config('jump'))
    expect(() => new SimpleJumper({ sides: 'high' as 'low' })).toThrow(config('sides'))
  })

  const makers = {
    'a power process': () => new PowerProcess({ exponents: [0.5] }),
    'a mixture of powers': () => new PowerProcess(),
    'a Simple Jumper for small p-values': () => new SimpleJumper(),
    'a Simple Jumper for both sides': () => new SimpleJumper({ sides: 'both' }),
  }

  /** How many of 1 000 streams ever reach 1/alpha within 1 000 steps. */
  function everReached(
    make: () => PowerProcess | SimpleJumper,
    pOf: (next: () => number, t: number) => number,
    alpha: number,
  ) {
    let reached = 0
    for (let stream = 0; stream < 1000; stream++) {
      const next = random(7000 + stream)
      const process = make()
      for (let t = 0; t < 1000; t++) {
        process.push(pOf(next, t))
        if (!rejectsAt(process.logE, alpha)) continue
        reached++
        break
      }
    }
    return reached
  }

  const uniform = (next: () => number) => 1 - next()

  for (const [name, make] of Object.entries(makers)) {
    test(`${name} ever reaches 1/alpha in a share alpha of streams at most, as Ville says`, () => {
      for (const alpha of [0.2, 0.05]) {
        const reached = everReached(make, uniform, alpha)
        // The true share is above alpha with a confidence of 99.9 % if the lower end is: that must not be.
        expect(clopperPearson(reached, 1000, 0.002).low).toBeLessThanOrEqual(alpha)
      }
    })

    test(`${name} catches p-values that are too small: the test above can fail`, () => {
      const reached = everReached(make, (next) => (1 - next()) ** 1.6, 0.05)
      expect(clopperPearson(reached, 1000, 0.002).low).toBeGreaterThan(0.05)
    })
  }

  test('a Simple Jumper sees a change after a long quiet time, where a power process has spent its capital', () => {
    const late = (next: () => number, t: number) => (t < 800 ? 1 - next() : (1 - next()) ** 3)
    const jumper = everReached(() => new SimpleJumper(), late, 0.01)
    const power = everReached(() => new PowerProcess({ exponents: [0.3] }), late, 0.01)
    expect(jumper).toBeGreaterThan(900)
    expect(power).toBeLessThan(100)
  })

  test('ranks and a mixture together give an alarm in a share alpha of streams at most, without any calibration', () => {
    let alarms = 0
    for (let stream = 0; stream < 1000; stream++) {
      const next = random(9000 + stream)
      const ranks = new SequentialRanks(256)
      const process = new PowerProcess()
      const wild = 1 + 9 * next()
      let isAlarm = false
      for (let t = 0; t < 600 && !isAlarm; t++) {
        process.push(ranks.push(Math.round(wild * next() ** 4), 1 - next()))
        isAlarm = rejectsAt(process.logE, 0.05)
      }
      if (isAlarm) alarms++
    }
    expect(clopperPearson(alarms, 1000, 0.002).low).toBeLessThanOrEqual(0.05)
    expect(alarms).toBeGreaterThan(0)
  })
})
