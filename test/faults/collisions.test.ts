/** Our own hash tables with everything in one bucket: slower by what is remembered and no more, and never wrong. */
import { describe, expect, test } from 'vitest'
import { hash32 } from '../../src/core/hash.ts'
import { createDetector, textFingerprint } from '../../src/core/index.ts'
import { OverlapIndex } from '../../src/core/shingles/overlapIndex.ts'

describe('the index of shared hashes', () => {
  /** Hashes that end in sixteen zeros: one bucket of every table that they can fill. */
  const colliding = (query: number) => {
    const words = Array.from({ length: 20 }, (_, i) => [((query * 20 + i + 1) << 16) >>> 0, i])
    return Uint32Array.from(words.flat())
  }

  test('finds what a plain scan finds, where all hashes fall into one bucket', () => {
    const index = new OverlapIndex(50, 2)
    const kept: Uint32Array[] = []
    for (let i = 0; i < 120; i++) {
      const hashes = colliding(i)
      expect(index.mostShared(hashes)).toBeUndefined()
      index.push(hashes)
      kept.push(hashes)
      if (kept.length > 50) kept.shift()
      const oldest = kept[0]!
      expect(index.mostShared(oldest)).toEqual({ index: 0, shared: 20 })
    }
    expect(index.size).toBe(50)
    expect(index.hashes).toBe(1000)
  })
})

describe('texts whose quick hashes are equal', () => {
  /** Two texts with the same 32-bit hash, found by trying: 2^16 tries are enough for one pair. */
  function twins(): [string, string] {
    const seen = new Map<number, string>()
    for (let i = 0; ; i++) {
      const text = `text ${i}`
      const hash = hash32(text)
      const other = seen.get(hash)
      if (other !== undefined) return [other, text]
      seen.set(hash, text)
    }
  }

  test('are two texts to the detectors of repetition', () => {
    const [a, b] = twins()
    expect(hash32(a)).toBe(hash32(b))
    expect(textFingerprint(a)).not.toBe(textFingerprint(b))
    const detector = createDetector('text_repetition')
    detector.process({ fingerprint: textFingerprint(a) })
    expect(detector.process({ fingerprint: textFingerprint(b) }).score).toBe(1)
  })
})
