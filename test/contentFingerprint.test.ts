/** The content fingerprint against the published algorithm, and its index against a plain count. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  createDetector,
  isMonitorError,
  type Pixels,
  pictureShingles,
  rowShingles,
  type Shingles,
  textShingles,
} from '../src/core/index.ts'
import { LargestHashes } from '../src/core/shingles/largestHashes.ts'
import { OverlapIndex } from '../src/core/shingles/overlapIndex.ts'
import { getDetector } from '../src/embed/index.ts'
import { noiseCopies, occlusion, rise, shuffled } from './lineage/clients.ts'
import * as target from './lineage/target.ts'
import type { Network } from './lineage/watched.ts'
import { normal, random } from './tools/random.ts'

interface Case {
  readonly kind: 'noise' | 'flat' | 'ramp'
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly seed: number
  readonly window: number
  readonly stride: number
  readonly quantum: number
  readonly kept: number
  readonly windows: number
  readonly count: number
  readonly largest: string
  readonly smallest: string
  readonly all: string
}

const skipped = target.missing.length === 0 ? '' : ` (SKIPPED: no ${target.missing.join(', ')})`

const { cases } = JSON.parse(readFileSync(new URL('golden/blacklight.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[]
}

/** The picture and the salt of a case, as test/golden/blacklight.py makes them. */
function madeBy({ kind, height, width, channels, seed }: Case): { readonly pixels: Pixels; readonly salt: number[] } {
  const next = random(seed)
  const count = height * width * channels
  const one = kind === 'flat' ? Math.floor(256 * next()) : 0
  const value = (i: number) => {
    if (kind === 'flat') return one
    if (kind === 'noise') return Math.floor(256 * next())
    return Math.min(255, ((7 * Math.floor(i / channels)) % 256) + Math.floor(4 * next()))
  }
  const data = Uint8Array.from({ length: count }, (_, i) => value(i))
  return { pixels: { data, width, height, channels }, salt: Array.from({ length: count }, () => 255 * next()) }
}

/** Hashes as the paper's code writes them. */
function inHex({ hashes }: Shingles): string[] {
  const digits = Array.from(hashes, (word) => word.toString(16).padStart(8, '0')).join('')
  return digits.match(/.{64}/g) ?? []
}

/** The published algorithm in plain words: see the paper, section 4, and its parameters for CIFAR-10. */
function published(bytes: ArrayLike<number>, salt: readonly number[]): string[] {
  const levels = Array.from(bytes, (byte, i) => {
    const parts = ((byte + salt[i]!) % 255) / 50
    const down = Math.floor(parts)
    const isDown = parts - down < 0.5 || (parts - down === 0.5 && down % 2 === 0)
    return 50 * (isDown ? down : down + 1)
  })
  const digests = new Set<string>()
  for (let from = 0; from < levels.length - 20 + 1; from++) {
    const bytesOfWindow = Buffer.from(levels.slice(from, from + 20).flatMap((level) => [level & 255, level >> 8]))
    digests.add(createHash('sha256').update(bytesOfWindow).digest('hex'))
  }
  const reversed = [...digests].map((digest) => [...digest].reverse().join(''))
  return reversed.sort().reverse().slice(0, 50)
}

describe('in the reference mode', () => {
  test('26 pictures have the fingerprints that NumPy and hashlib give', () => {
    expect(cases).toHaveLength(26)
    for (const one of cases) {
      const { window, stride, quantum, kept } = one
      const { pixels, salt } = madeBy(one)
      const shingles = pictureShingles(pixels, { digest: 'sha256', salt, window, stride, quantum, kept })
      const hashes = inHex(shingles)
      const all = createHash('sha256').update(hashes.join('\n')).digest('hex')
      expect({
        windows: shingles.windows,
        count: hashes.length,
        largest: hashes[0],
        smallest: hashes.at(-1),
        all,
      }).toEqual({
        windows: one.windows,
        count: one.count,
        largest: one.largest,
        smallest: one.smallest,
        all: one.all,
      })
    }
  })

  test.skipIf(skipped !== '')(`40 photos have the fingerprints of the algorithm in plain words${skipped}`, () => {
    const next = random(7)
    const salt = Array.from({ length: target.SIZE }, () => 255 * next())
    for (const { x } of target.readPictures().slice(0, 40)) {
      const data = Uint8Array.from(x, (value) => Math.round(255 * value))
      const pixels = { data, width: 32, height: 32, channels: 3 as const }
      expect(inHex(pictureShingles(pixels, { digest: 'sha256', salt }))).toEqual(published(data, salt))
    }
  })

  test('floats of 0 … 1 give what their bytes give', () => {
    const { pixels, salt } = madeBy(cases[0]!)
    const floats = { ...pixels, data: Float64Array.from(pixels.data, (byte) => byte / 255), maxValue: 1 as const }
    const options = { digest: 'sha256', salt } as const
    expect(pictureShingles(floats, options)).toEqual(pictureShingles(pixels, options))
  })
})

describe('the keyed hash', () => {
  const { pixels } = madeBy(cases[0]!)

  test('gives one hash a window, the same ones for the same key only', () => {
    const all = pictureShingles(pixels, { kept: 1024, window: 20, stride: 3 })
    expect(all.windows).toBe(Math.floor((3072 - 20 + 1) / 3))
    expect(all.hashes).toHaveLength(2 * all.windows)
    expect(pictureShingles(pixels, { key: 5 })).toEqual(pictureShingles(pixels, { key: 5 }))
    const other = new Set(pictureShingles(pixels, { key: 6 }).hashes)
    expect(Array.from(pictureShingles(pixels, { key: 5 }).hashes).filter((word) => other.has(word))).toEqual([])
    expect(pictureShingles(pixels, { key: 5 + 2 ** 32 })).not.toEqual(pictureShingles(pixels, { key: 5 }))
  })

  test('names equal windows alike wherever they lie', () => {
    const text = 'the quick brown fox jumps over the lazy dog and runs'
    const all = { kept: 1024, textWindow: 9 }
    const names = (part: string) => namesOf(textShingles(part, all))
    const whole = names(text)
    for (let from = 0; from + 9 <= text.length; from++) {
      const part = text.slice(from, from + 9)
      if (part.trim() === part) expect(whole, part).toContain(names(part)[0])
    }
  })

  test('shares as many hashes with a near copy as the published one does', () => {
    const next = random(3)
    const sums = { keyed: 0, sha256: 0 }
    for (let i = 0; i < 40; i++) {
      const { pixels } = madeBy({ ...cases[i % 6]!, seed: i })
      const near = { ...pixels, data: Uint8Array.from(pixels.data, (v) => (next() < 0.02 ? 256 * next() : v)) }
      for (const digest of ['keyed', 'sha256'] as const) {
        const width = digest === 'keyed' ? 2 : 8
        const theirs = new Set(namesOf(pictureShingles(pixels, { digest }), width))
        const ours = namesOf(pictureShingles(near, { digest }), width)
        sums[digest] += ours.filter((name) => theirs.has(name)).length
      }
    }
    // About 0.98²⁰ = 67 % of 2000, each with a standard deviation of some 40.
    expect(sums.sha256).toBeGreaterThan(1000)
    expect(Math.abs(sums.keyed - sums.sha256)).toBeLessThan(200)
  })
})

function namesOf({ hashes }: Shingles, width = 2): string[] {
  return Array.from({ length: hashes.length / width }, (_, i) => hashes.subarray(i * width, (i + 1) * width).join())
}

/** Hashes whose first words are the given numbers. */
function hashed(numbers: readonly number[], windows = 50): { readonly shingles: Shingles } {
  const falling = [...numbers].sort((a, b) => b - a)
  return { shingles: { hashes: Uint32Array.from(falling.flatMap((n) => [n, 0])), windows } }
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

describe('the rule', () => {
  test('25 shared hashes of 50 are innocent, 26 suspicious', () => {
    const detector = createDetector('content_fingerprint')
    detector.process(hashed(range(0, 50)))
    const with25 = detector.process(hashed([...range(0, 25), ...range(100, 25)]))
    expect(with25).toMatchObject({ suspicious: false, score: 25, threshold: 25, confidence: 0.5 })
    const with26 = detector.process(hashed([...range(0, 26), ...range(200, 24)]))
    expect(with26).toMatchObject({ suspicious: true, score: 26, threshold: 25 })
    expect(with26.reason).toBe('Shares 26 of 50 window hashes with an earlier query; more than 25 are suspicious.')
  })

  test('hashes count with one earlier query, not with all of them; the oldest of equals is named', () => {
    const detector = createDetector('content_fingerprint')
    detector.process(hashed(range(100, 20)))
    detector.process(hashed(range(0, 20)))
    detector.process(hashed(range(20, 20)))
    const { metadata, suspicious } = detector.process(hashed(range(0, 50)))
    expect(suspicious).toBe(false)
    expect(metadata).toEqual({ mostSimilarIndex: 1, shared: 20, hashes: 50, windows: 50, historySize: 3 })
  })

  test('what was suspicious is learned too', () => {
    const detector = createDetector('content_fingerprint')
    for (const from of [0, 10, 20, 30]) detector.process(hashed(range(from, 50)))
    expect(detector.process(hashed(range(40, 50))).metadata).toMatchObject({ mostSimilarIndex: 3, shared: 40 })
  })

  test('of an input with fewer windows the same share is suspicious, of one with very few nothing', () => {
    const repeated = (windows: number, shared: number) => {
      const detector = createDetector('content_fingerprint')
      detector.process(hashed(range(0, windows), windows))
      return detector.process(hashed([...range(0, shared), ...range(500, windows - shared)], windows))
    }
    expect(repeated(20, 10)).toMatchObject({ threshold: 10, suspicious: false })
    expect(repeated(20, 11)).toMatchObject({ threshold: 10, suspicious: true })
    expect(repeated(4, 3)).toMatchObject({ threshold: 2, suspicious: true })
    expect(repeated(3, 3)).toMatchObject({ threshold: 3, suspicious: false })
  })

  test('a picture of one colour has less hashes than windows, and keeps the published threshold', () => {
    const flat = { data: new Uint8Array(3072).fill(9), width: 32, height: 32, channels: 3 as const }
    const shingles = pictureShingles(flat, { salt: new Float64Array(3072), digest: 'sha256' })
    expect(shingles).toMatchObject({ windows: 3053, hashes: { length: 8 } })
    const detector = createDetector('content_fingerprint', { digest: 'sha256' })
    detector.process({ shingles })
    expect(detector.process({ shingles })).toMatchObject({ score: 1, threshold: 25, suspicious: false, confidence: 1 })
  })

  test('a query that has left takes its hashes with it', () => {
    const detector = createDetector('content_fingerprint', { maxHistorySize: 2 })
    for (const from of [0, 100, 200]) detector.process(hashed(range(from, 50)))
    expect(detector.process(hashed(range(0, 50)))).toMatchObject({ score: 0, metadata: { mostSimilarIndex: null } })
    expect(detector.describe().details).toEqual({ hashes: 100 })
    expect(detector.bytes()).toBe(100 * (8 + 6) + 2 * 16 + 64)
  })

  test('options out of range are refused', () => {
    for (const options of [
      { threshold: 51 },
      { kept: 0 },
      { window: 1 },
      { window: 256 },
      { stride: 0 },
      { quantum: 0.5 },
      { textWindow: 0 },
      { rowWindow: 17 },
      { key: -1 },
      { leastWindows: 0 },
      { digest: 'md5' as never },
    ]) {
      const name = Object.keys(options)[0]!
      try {
        createDetector('content_fingerprint', options)
      } catch (thrown) {
        expect(isMonitorError(thrown) && thrown.path).toBe(`content_fingerprint.${name}`)
        continue
      }
      expect.fail(`${name} was accepted`)
    }
    expect(() => textShingles('a text', { windw: 5 } as never)).toThrow("did you mean 'window'?")
    const pixels = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 as const }
    expect(() => pictureShingles(pixels, { salt: [1, 2] })).toThrow('salt: must have 3 numbers')
    expect(() => pictureShingles(pixels, { salt: [1, 2, 255] })).toThrow('salt[2]')
  })
})

describe('the index', () => {
  /** As the published code counts, with sets. */
  function slowly(past: readonly number[][], query: readonly number[]) {
    const counts = past.map((one) => query.filter((n) => one.includes(n)).length)
    const shared = Math.max(0, ...counts)
    return shared === 0 ? undefined : { index: counts.indexOf(shared), shared }
  }

  test.each([2, 8])(
    'finds what a plain count finds, with hashes of %d words, through evictions and growth',
    (width) => {
      const next = random(width)
      const index = new OverlapIndex(7, width)
      const past: number[][] = []
      const wordsOf = (numbers: number[]) =>
        Uint32Array.from(numbers.flatMap((n) => Array.from({ length: width }, (_, i) => (i === width - 1 ? n : n % 3))))
      for (let i = 0; i < 2000; i++) {
        const query = [
          ...new Set(Array.from({ length: Math.floor(30 * next() * next()) }, () => Math.floor(60 * next()))),
        ]
        expect(index.mostShared(wordsOf(query)), `query ${i}`).toEqual(slowly(past, query))
        index.push(wordsOf(query))
        past.push(query)
        if (past.length > 7) past.shift()
        expect(index.hashes).toBe(past.flat().length)
      }
      const copy = new OverlapIndex(7, width)
      copy.load(index.save())
      expect(copy.save()).toEqual(index.save())
      expect(copy.bytes).toBe(index.bytes)
    },
  )

  test('numbers more entries than 16 bits can', () => {
    const index = new OverlapIndex(1000, 2)
    for (let i = 0; i < 1000; i++) index.push(Uint32Array.from(range(0, 80), (n) => 1000 * i + n))
    expect(index.hashes).toBe(40_000)
    expect(index.mostShared(Uint32Array.from(range(0, 80), (n) => 999_000 + n))).toEqual({ index: 999, shared: 40 })
    expect(index.mostShared(Uint32Array.from(range(0, 80), (n) => n))).toEqual({ index: 0, shared: 40 })
  })

  test('the largest hashes are those that sorting gives', () => {
    const next = random(4)
    const largest = new LargestHashes(2, 5)
    const all = Array.from({ length: 300 }, () => [Math.floor(20 * next()), Math.floor(2 ** 32 * next())] as const)
    for (const hash of [...all, ...all]) largest.offer(Uint32Array.from(hash))
    const sorted = [...all].sort(([a, b], [c, d]) => c - a || d - b)
    expect(Array.from(largest.list())).toEqual(sorted.slice(0, 5).flat())
    expect(largest.floor).toBe(sorted[4]![0])
  })
})

describe('raw input', () => {
  test('a prompt with another name in its slot is suspicious, another prompt is not', async () => {
    const detector = getDetector('content_fingerprint')
    const ask = (input: string) => detector.process({ input })
    await ask('Write a letter to my landlord Miller and ask for the repair of the heating, please.')
    expect(
      await ask('Write a letter to my landlord Jones and ask for the repair of the heating, please!'),
    ).toMatchObject({
      suspicious: true,
    })
    expect(await ask('What is the capital of Australia, and how many people live there today?')).toMatchObject({
      suspicious: false,
    })
  })

  test('a row with one number moved is suspicious, another row is not', async () => {
    const detector = getDetector('content_fingerprint')
    const row = Object.fromEntries('abcdefghij'.split('').map((name, i) => [name, 17 * i + 3]))
    const other = Object.fromEntries('abcdefghij'.split('').map((name, i) => [name, 400 - 31 * i]))
    await detector.process({ input: row })
    expect(await detector.process({ input: { ...row, d: 99 } })).toMatchObject({
      suspicious: true,
      score: 6, // of ten windows of four columns, four hold the changed one
      threshold: 5,
    })
    expect(await detector.process({ input: other })).toMatchObject({ suspicious: false })
  })

  test('the columns of a row are known by name, and so are their categories', () => {
    const names = (row: Record<string, string | number>) => namesOf(rowShingles(row, { rowWindow: 1 }))
    expect(names({ a: 1, b: 'x' })).toEqual(names({ b: 'x', a: 1 }))
    expect(names({ a: 1, b: 'x' }).filter((name) => names({ a: 'x', b: 1 }).includes(name))).toEqual([])
    expect(names({ a: 1, b: 'x', c: 5 }).filter((name) => names({ a: 1, b: 'x' }).includes(name))).toHaveLength(2)
  })

  test('a picture is known again under noise of a level or two', async () => {
    const detector = getDetector('content_fingerprint')
    const next = random(2)
    const { pixels } = madeBy(cases[0]!)
    await detector.process({ input: pixels })
    const noisy = { ...pixels, data: Uint8Array.from(pixels.data, (v) => Math.min(255, v + 2 * next())) }
    const brighter = { ...pixels, data: Uint8Array.from(pixels.data, (v) => Math.min(255, v + 60)) }
    expect(await detector.process({ input: noisy })).toMatchObject({ suspicious: true })
    expect(await detector.process({ input: brighter })).toMatchObject({ suspicious: false })
  })

  test('a text of punctuation counts as it stands, an empty one is refused', () => {
    expect(textShingles('?!')).toMatchObject({ windows: 1 })
    expect(textShingles('?!')).not.toEqual(textShingles('!?'))
    expect(() => textShingles('')).toThrow('input: must not be empty')
  })
})

describe.skipIf(skipped !== '')(`clients of a network for photos${skipped}`, () => {
  /** The first of 200 queries about a photo that alarms. What the network answers makes no difference to these clients. */
  async function firstAlarm(client: (network: Network) => Promise<void>, index: number): Promise<number> {
    const { x, label } = target.readPictures()[index]!
    const next = random(index)
    const detector = createDetector('content_fingerprint')
    const asked: Float64Array[] = []
    const ended = new Error('200 queries')
    const askAll = async (pictures: readonly Float64Array[]) => {
      asked.push(...pictures)
      if (asked.length > 200) throw ended
      return pictures.map(() => [1, 0])
    }
    const ask = async (picture: Float64Array) => (await askAll([picture]))[0]!
    const whole = (count: number) => Math.floor(count * next())
    const noise = () => Float64Array.from({ length: target.SIZE }, () => normal(next))
    await client({ source: { index, x, label }, next, whole, noise, ask, askAll }).catch((thrown) => {
      if (thrown !== ended) throw thrown
    })
    const side = { width: target.SIDE, height: target.SIDE, channels: 3, maxValue: 1 } as const
    const found = asked.slice(0, 200).findIndex((data) => {
      return detector.process({ shingles: pictureShingles({ data, ...side }) }).suspicious
    })
    return found === -1 ? Infinity : found + 1
  }

  // As published: occlusion and steps of a tenth of a level alarm at once; strong noise, RISE and other photos never.
  test('alarm where the published rule does, and not where it does not', async () => {
    const photos = shuffled(target.readPictures())
    for (const index of [7, 120, 555]) {
      expect(await firstAlarm(noiseCopies(0.1), index)).toBe(2)
      expect(await firstAlarm(occlusion, index)).toBe(2)
      expect(await firstAlarm(noiseCopies(25.5), index)).toBe(Infinity)
      expect(await firstAlarm(rise, index)).toBe(Infinity)
      expect(await firstAlarm(photos, index)).toBe(Infinity)
    }
  })
})
