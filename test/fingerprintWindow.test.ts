/** The windows of fingerprints against a plain list. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createExactWindow, createHammingWindow } from '../src/core/fingerprintWindow.ts'
import { createDetector, textFingerprint } from '../src/core/index.ts'
import { random } from './tools/random.ts'

/** The window in its simplest form. */
function plainWindow(capacity: number) {
  const list: string[] = []
  return {
    push(one: string): number {
      list.push(one)
      if (list.length > capacity) list.shift()
      return list.filter((other) => other === one).length
    },
    count: (one: string) => list.filter((other) => other === one).length,
    list,
  }
}

const hash = fc.integer({ min: 0, max: 40 }).map((n) => textFingerprint(`text ${n}`))
/** Alike in the word that picks the bucket, so that buckets are shared. */
const crowded = fc.integer({ min: 0, max: 15 }).map((n) => `deadbeef${n.toString(16).padStart(56, '0')}`)
const name = fc.string({ minLength: 1, maxLength: 70 })

describe('the exact window', () => {
  for (const [what, fingerprint] of [
    ['hashes', hash],
    ['hashes of few buckets', crowded],
    ['names', name],
    ['hashes, and at some time a name', fc.oneof({ weight: 30, arbitrary: hash }, { weight: 1, arbitrary: name })],
  ] as const) {
    test(`counts ${what} as a plain list does`, () => {
      const stream = fc.array(fingerprint, { maxLength: 300 })
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 70 }), stream, (capacity, fingerprints) => {
          const [window, plain] = [createExactWindow(capacity), plainWindow(capacity)]
          for (const one of fingerprints) {
            expect(window.push(one)).toBe(plain.push(one))
            expect(window.size).toBe(plain.list.length)
          }
          expect(window.list()).toEqual(plain.list)
          for (const one of fingerprints.slice(0, 20)) expect(window.count(one)).toBe(plain.count(one))
          expect(window.count('never seen')).toBe(0)
        }),
        { numRuns: 300 },
      )
    })
  }

  test('upper-case hashes are names of their own', () => {
    const window = createExactWindow(10)
    const one = textFingerprint('a text')
    window.push(one)
    expect(window.count(one.toUpperCase())).toBe(0)
    expect(window.push(one.toUpperCase())).toBe(1)
    expect(window.push(one)).toBe(2)
    expect(window.list()).toEqual([one, one.toUpperCase(), one])
  })

  test('only sixty-four lower-case hex digits are a hash: every other character of Unicode makes a name', () => {
    const rest = textFingerprint('a text').slice(1)
    for (let code = 0; code < 0x10000; code++) {
      const window = createExactWindow(10)
      const one = String.fromCharCode(code) + rest
      window.push(one)
      if (window.list()[0] !== one) throw new Error(`U+${code.toString(16)} came back as another`)
    }
  })

  test('hashes take less than half of what names of their length take', () => {
    const bytesOf = (fingerprint: (i: number) => string) => {
      const detector = createDetector('repetition', { maxHistorySize: 1000 })
      for (let i = 0; i < 2000; i++) detector.process({ fingerprint: fingerprint(i) })
      return detector.bytes()
    }
    expect(bytesOf((i) => textFingerprint(`${i}`))).toBeLessThan(bytesOf((i) => `${i}`.padStart(64, '.')) / 2)
  })
})

describe('the window of near hashes', () => {
  const bits = (a: string, b: string) => (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(2).replaceAll('0', '').length

  // Below 64 hashes, where they are copied to the kernels, and where they are kept there; each also past its end.
  for (const [capacity, count, steps] of [
    [10, 40, 1],
    [500, 1300, 7],
    [9000, 20_000, 611],
  ] as const) {
    test(`counts among the last ${capacity} as a plain list does`, () => {
      const next = random(capacity)
      const digit = () => Math.floor(16 * next()).toString(16)
      const centre = Array.from({ length: 16 }, digit)
      const near = () => centre.map((one) => (next() < 0.2 ? digit() : one)).join('')
      const window = createHammingWindow(capacity, 8)
      let plain: string[] = []
      for (let i = 0; i < count; i++) {
        const one = near()
        plain.push(one)
        if (plain.length > capacity) plain.shift()
        const found = window.push(one)
        if (i % steps !== 0) continue
        expect(found).toBe(plain.filter((other) => bits(one, other) <= 8).length)
        const other = near()
        expect(window.count(other)).toBe(plain.filter((each) => bits(other, each) <= 8).length)
      }
      plain = plain.slice(-capacity)
      expect(window.list()).toEqual(plain)
      expect(window.size).toBe(capacity)
    })
  }
})
