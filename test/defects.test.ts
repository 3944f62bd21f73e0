/**
 * The reference's measured defects, by their numbers in its report (section 5), each with the behaviour that is right.
 * The ones of its server belong to ours and are tested there.
 */
import { describe, expect, test } from 'vitest'
import { createDetector, perceptualHash, rowFingerprint, textFingerprint } from '../src/core/index.ts'
import {
  createMonitor,
  createRegistry,
  getDetector,
  listDetectors,
  loadDetector,
  registerDetector,
} from '../src/index.ts'
import { random } from './tools/random.ts'

const white = (n: number) => ({ data: new Uint8Array(3 * n * n).fill(255), width: n, height: n, channels: 3 as const })

function picture(seed: number, size = 48, channels: 1 | 3 | 4 = 3, alpha = 255) {
  const next = random(seed)
  const [fx, fy, phase] = [1 + 4 * next(), 1 + 4 * next(), 6 * next()]
  const data = new Uint8Array(size * size * channels)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < channels; c++) {
        const shade = 127 + 80 * Math.sin((fx * x) / 9 + phase + c) + 40 * Math.cos((fy * y) / 7 + c)
        data[(y * size + x) * channels + c] = c === 3 ? alpha : shade
      }
    }
  }
  return { data, width: size, height: size, channels }
}

describe('fail open', () => {
  test('1: an exception is an error for the caller, never "not suspicious"', async () => {
    const detector = getDetector('confidence', { mode: 'margin' })
    await expect(detector.process({ modelOutput: [1] })).rejects.toMatchObject({
      name: 'MonitorError',
      code: 'bad_query',
    })
  })

  test('2: one list of zeros poisons nobody: the next queries are judged as if it had not come', async () => {
    const poisoned = getDetector('confidence', { threshold: 0.8 })
    await expect(poisoned.process({ modelOutput: [0, 0, 0] })).rejects.toMatchObject({ code: 'bad_query' })
    const fresh = getDetector('confidence', { threshold: 0.8 })
    expect(await poisoned.process({ modelOutput: [0.5, 0.5] })).toEqual(
      await fresh.process({ modelOutput: [0.5, 0.5] }),
    )
  })

  test('3: a bad first query does not blind the similarity detectors', async () => {
    const rows = getDetector('tabular_similarity')
    await rows.process({ input: { city: 'Vienna', age: 25 } }) // a word: an error there, and the end
    await rows.process({ input: { age: 25, income: 30_000, hours: 40 } }) // another number of columns
    const verdicts = await rows.processBatch(
      Array.from({ length: 10 }, () => ({ input: { age: 25, income: 30_000, hours: 40 } })),
    )
    expect(verdicts.every((d) => d.suspicious)).toBe(true)

    const pictures = getDetector('image_similarity')
    await pictures.process({ input: picture(1, 256) })
    await pictures.process({ input: picture(1, 224) }) // another size: an error there
    expect((await pictures.process({ input: picture(1, 224) })).suspicious).toBe(true)

    const raw = createDetector('similarity')
    expect(() => raw.process({ embedding: [Number.NaN, 1] })).toThrow(/embedding\[0\]/)
    raw.process({ embedding: [1, 0, 0] })
    expect(raw.process({ embedding: [1, 0, 0] }).suspicious).toBe(true)
  })

  test('4: a NaN in an embedding is refused and hides no repeat', () => {
    const detector = createDetector('similarity', { maxHistorySize: 50 })
    detector.process({ embedding: [1, 0] })
    expect(() => detector.process({ embedding: [Number.NaN, 0] })).toThrow(/finite/)
    const missed = Array.from({ length: 60 }, () => detector.process({ embedding: [1, 0] })).filter(
      (d) => !d.suspicious,
    )
    expect(missed).toHaveLength(0)
  })

  test('5: the advertised generic detectors work, with a default for each kind of input', async () => {
    for (const input of ['a question', { age: 25, city: 'Vienna' }, picture(3)]) {
      const repetition = getDetector('repetition', { threshold: 2 })
      await repetition.process({ input })
      expect((await repetition.process({ input })).suspicious).toBe(true)
    }
  })

  test('6: calls made at the same time are judged one after the other', async () => {
    const detector = getDetector('text_repetition', { threshold: 5, maxHistorySize: 100 })
    const calls = Array.from({ length: 400 }, (_, i) => detector.process({ input: `text ${i % 40}` }))
    const verdicts = await Promise.all(calls)
    expect(verdicts.every((d) => d.score <= 3)).toBe(true) // 100 remembered of 40 different ones
    expect((await detector.describe()).historySize).toBe(100)
  })

  test('7: grey, RGB and RGBA pixels are all checked', async () => {
    for (const channels of [1, 3, 4] as const) {
      for (const name of ['image_similarity', 'image_repetition'] as const) {
        const detector = getDetector(name, name === 'image_repetition' ? { threshold: 2 } : {})
        await detector.process({ input: picture(5, 48, channels) })
        expect((await detector.process({ input: picture(5, 48, channels) })).suspicious, `${name} ${channels}`).toBe(
          true,
        )
      }
    }
  })
})

describe('features', () => {
  test('8: the default image embedding has 192 numbers, not 25 088', async () => {
    const detector = getDetector('image_similarity')
    await detector.process({ input: picture(1) })
    expect((await detector.describe()).details['dimension']).toBe(192)
  })

  test('9: rows of other people are not similar, and rows of other tables are not equal', async () => {
    const next = random(7)
    const jobs = ['nurse', 'clerk', 'cook', 'pilot', 'judge', 'smith']
    const person = () => ({
      age: 18 + Math.floor(60 * next()),
      income: Math.floor(90_000 * next()),
      hours: Math.floor(60 * next()),
      job: jobs[Math.floor(6 * next())]!,
    })
    const detector = getDetector('tabular_similarity')
    const verdicts = await detector.processBatch(Array.from({ length: 300 }, () => ({ input: person() })))
    expect(verdicts.filter((d) => d.suspicious).length).toBeLessThanOrEqual(3)
    const other = getDetector('tabular_similarity')
    await other.process({ input: { age: 25, income: 30_000 } })
    expect((await other.process({ input: { b: 30_000, a: 25 } })).suspicious).toBe(false)
  })

  test('10: the score stays in nats and the confidence is a share of ln K', () => {
    const two = createDetector('confidence', { threshold: 0.8 }).process({ probabilities: [0.5, 0.5] })
    expect(Math.abs(two.score - 0.6931471803599453)).toBeLessThan(1e-9)
    expect(Math.abs(two.confidence - 1)).toBeLessThan(1e-9)
    const sure = createDetector('confidence').process({ probabilities: [1, 0, 0] })
    expect(sure.score).toBeLessThan(0) // −1e−10, as in the reference
    expect(sure.confidence).toBe(0)
  })

  test('11: logits are refused where probabilities are expected, and taken where they are announced', () => {
    expect(() => createDetector('confidence', { mode: 'margin' }).process({ probabilities: [2, -1, 0.5] })).toThrow(
      /outputs: 'logits'/,
    )
    const d = createDetector('confidence', { mode: 'margin', outputs: 'logits' }).process({
      probabilities: [2, -1, 0.5],
    })
    expect(d.confidence).toBeGreaterThan(0)
    expect(d.confidence).toBeLessThan(1)
    const opposite = createDetector('similarity')
    opposite.process({ embedding: [1, 0] })
    expect(opposite.process({ embedding: [-1, 0] })).toMatchObject({ score: -1, confidence: 0 })
  })

  test('12: float pixels must say their range, and different pictures differ', async () => {
    const floats = { ...picture(1, 32, 3), data: Float32Array.from(picture(1, 32, 3).data, (v) => v / 255) }
    const detector = getDetector('image_repetition', { threshold: 2 })
    await expect(detector.process({ input: floats })).rejects.toMatchObject({ path: 'input.maxValue' })
    const d = await detector.process({ input: { ...floats, maxValue: 1 } })
    expect(d.metadata.fingerprint).toBe(perceptualHash(picture(1, 32, 3)))
    const hashes = new Set(Array.from({ length: 20 }, (_, i) => perceptualHash(picture(i, 32, 3))))
    expect(hashes.size).toBe(20)
  })

  test('12: a fully transparent image does not hash by its hidden colours, and plain colours are not alike', async () => {
    const detector = getDetector('image_repetition', { threshold: 2 })
    const hidden = await detector.process({ input: picture(1, 32, 4, 0) })
    expect(hidden.metadata.fingerprint).toBe(perceptualHash(white(32)))
    const similarity = getDetector('image_similarity')
    const plain = (r: number, g: number, b: number) => ({
      data: Uint8Array.from({ length: 3 * 16 * 16 }, (_, i) => [r, g, b][i % 3]!),
      width: 16,
      height: 16,
      channels: 3 as const,
    })
    await similarity.process({ input: plain(255, 0, 0) })
    expect((await similarity.process({ input: plain(0, 0, 255) })).suspicious).toBe(false)
  })
})

describe('results and state', () => {
  test('13: the confidence of a first query is its share of the threshold, said as such', () => {
    const d = createDetector('text_repetition').process({ fingerprint: 'a' })
    expect(d).toMatchObject({ score: 1, threshold: 5, confidence: 0.2, suspicious: false })
  })

  test('14: the index of the most similar query is right when the window is full', () => {
    const detector = createDetector('similarity', { maxHistorySize: 3 })
    for (const embedding of [
      [1, 0],
      [0, 1],
      [1, 1],
      [-1, 0],
    ])
      detector.process({ embedding })
    // Remembered, oldest first: [0, 1], [1, 1], [-1, 0].
    expect(detector.process({ embedding: [-1, 0.01] }).metadata.mostSimilarIndex).toBe(2)
  })

  test('15: after a reset nothing of before is left', () => {
    for (const name of ['confidence', 'similarity'] as const) {
      const detector = createDetector(name)
      const observation = { probabilities: [0.5, 0.5], embedding: [1, 0] }
      detector.process(observation)
      detector.process(observation)
      detector.reset()
      expect(detector.snapshot()).toEqual(createDetector(name).snapshot())
    }
  })

  test('16: a caller that edits the result corrupts nothing, and the result is JSON', () => {
    const detector = createDetector('similarity')
    detector.process({ embedding: [1, 0] })
    const d = detector.process({ embedding: [1, 0] })
    Object.assign(d.metadata as object, { mostSimilarIndex: 99, similarityScore: 0 })
    expect(detector.process({ embedding: [1, 0] }).score).toBe(1)
    expect(JSON.parse(JSON.stringify(d))).toEqual(d)
  })

  test('17: one picture has one embedding, whatever form its pixels come in', async () => {
    const bytes = picture(4, 64, 3)
    const detector = getDetector('image_similarity')
    await detector.process({ input: bytes })
    const floats = { ...bytes, data: Float64Array.from(bytes.data), maxValue: 255 as const }
    expect((await detector.process({ input: floats })).score).toBeGreaterThan(1 - 1e-12)
  })
})

describe('evasion', () => {
  test('18: each client has a memory of its own: filler of others hides nothing, equal queries of five users are no attack', async () => {
    const monitor = createMonitor({ detectors: [{ name: 'text_repetition', threshold: 5, maxHistorySize: 20 }] })
    let flagged = 0
    for (let i = 0; i < 50; i++) {
      if ((await monitor.inspect({ input: 'the probe', client: 'attacker' })).suspicious) flagged++
      for (let k = 0; k < 25; k++) await monitor.inspect({ input: `filler ${i} ${k}`, client: `user ${k}` })
    }
    expect(flagged).toBe(46)
    const five = createMonitor({ detectors: ['text_repetition'] })
    for (const client of ['a', 'b', 'c', 'd', 'e']) {
      expect((await five.inspect({ input: 'what is the time?', client })).suspicious).toBe(false)
    }
  })

  test('19: a double space, a zero-width character, a full stop and a look-alike letter do not evade text similarity', async () => {
    const text = 'how do I reset the password of my account'
    for (const evasion of [
      text.replace(' do', '  do'),
      text.replace('reset', 're\u200bset'),
      `${text}.`,
      text.replace('a', '\u0430'),
    ]) {
      const detector = getDetector('text_similarity')
      await detector.process({ input: text })
      expect((await detector.process({ input: evasion })).suspicious, JSON.stringify(evasion)).toBe(true)
      expect(textFingerprint(evasion)).not.toBe(textFingerprint(text)) // the exact hash stays the reference's
    }
  })

  test('19: 25, 25.0 and "25" are one number, whatever the order of the columns', () => {
    const hash = rowFingerprint({ age: 25, city: 'x' })
    expect(rowFingerprint({ city: 'x', age: '25' })).toBe(hash)
    expect(rowFingerprint({ city: 'x', age: ' 25.0 ' })).toBe(hash)
    expect(rowFingerprint({ age: 26, city: 'x' })).not.toBe(hash)
  })

  test('20: a Hamming radius counts pictures that equality misses', () => {
    const [a, near, far] = ['0000000000000000', '0000000000000007', 'ffffffffffffffff']
    const exact = createDetector('image_repetition', { threshold: 2 })
    const radius = createDetector('image_repetition', { threshold: 2, radius: 3 })
    for (const detector of [exact, radius]) detector.process({ fingerprint: a })
    expect(exact.process({ fingerprint: near }).suspicious).toBe(false)
    expect(radius.process({ fingerprint: near }).suspicious).toBe(true)
    expect(radius.process({ fingerprint: far }).suspicious).toBe(false)
  })
})

describe('API and configuration', () => {
  test('21: options are never dropped or changed, and the same JSON loads twice', async () => {
    const json = Object.freeze({ name: 'text_repetition', threshold: 3 })
    for (const detector of [loadDetector(json), loadDetector(json)]) {
      expect((await detector.describe()).config).toMatchObject({ threshold: 3, maxHistorySize: 100 })
    }
    let asked = 0
    const mine = getDetector('text_similarity', {
      embedder: (text) => {
        asked++
        return [text.length, 1]
      },
    })
    await mine.process({ input: 'abc' })
    expect(asked).toBe(1)
  })

  test('22: a list for a modality includes the detectors for any', () => {
    expect(listDetectors({ modality: 'text' }).map((d) => d.name)).toEqual([
      'confidence',
      'repetition',
      'text_repetition',
      'similarity',
      'text_similarity',
      'content_fingerprint',
      'neighbour_distance',
      'coverage',
      'query_rate',
      'margin_trend',
      'hardness_histogram',
      'distribution_shift',
      'provenance',
    ])
  })

  test('23: a batch is processed when the call is made, read or not', () => {
    const detector = createDetector('text_repetition')
    detector.processBatch([{ fingerprint: 'a' }, { fingerprint: 'a' }])
    expect(detector.describe().historySize).toBe(2)
  })

  test('24: every bad option is refused with its place and the remedy', () => {
    const refused: [name: string, config: object, path: string][] = [
      ['text_repetition', { threshold: 0 }, 'text_repetition.threshold'],
      ['text_repetition', { maxHistorySize: 0 }, 'text_repetition.maxHistorySize'],
      ['text_repetition', { threshold: 5, maxHistorySize: 4 }, 'text_repetition.maxHistorySize'],
      ['text_repetition', { treshold: 5 }, 'text_repetition.treshold'],
      ['text_repetition', { threshold: '5' }, 'text_repetition.threshold'],
      ['similarity', { threshold: Number.NaN }, 'similarity.threshold'],
      ['similarity', { threshold: 2 }, 'similarity.threshold'],
      ['confidence', { mode: 'Entropy' }, 'confidence.mode'],
      ['image_repetition', { radius: 65 }, 'image_repetition.radius'],
      ['confidence', JSON.parse('{ "__proto__": { "threshold": 1 } }'), 'confidence.__proto__'],
      ['similarity', { embedder: 'all-MiniLM' }, 'similarity.embedder'],
    ]
    for (const [name, config, path] of refused) {
      expect(() => getDetector(name as 'confidence', config as never), path).toThrow(
        expect.objectContaining({ code: 'bad_config', path }),
      )
    }
    expect(() => getDetector('text_repetition', { treshold: 5 } as never)).toThrow(/did you mean 'threshold'/)
    expect(() => getDetector('text_repitition' as 'text_repetition')).toThrow(/did you mean 'text_repetition'/)
  })

  test('25: the query is not changed, and the state can be taken out and put back', async () => {
    const query = Object.freeze({ input: 'hello', metadata: Object.freeze({ a: 1 }) })
    const detector = getDetector('text_repetition', { threshold: 2 })
    await detector.process(query)
    const copy = getDetector('text_repetition', { threshold: 2 })
    await copy.restore(await detector.snapshot())
    expect((await copy.process(query)).suspicious).toBe(true)
  })

  test('a detector added by registerDetector works alone and inside a monitor', async () => {
    const registry = registerDetector('strict_repetition', createRegistry().specs.text_repetition)
    const detector = getDetector('strict_repetition', { threshold: 2 }, { registry })
    await detector.process({ input: 'a' })
    expect((await detector.process({ input: 'a' })).suspicious).toBe(true)
    const monitor = createMonitor({ detectors: ['strict_repetition'] }, { registry })
    expect((await monitor.inspect({ input: 'a' })).detections[0]).toMatchObject({
      detector: 'strict_repetition',
      score: 1,
    })
    expect(() => registerDetector('confidence', createRegistry().specs.confidence)).toThrow(/is taken/)
  })

  test('an own registry shares nothing with another one', () => {
    const mine = createRegistry().registerDetector('strict_repetition', createRegistry().specs.text_repetition)
    expect(mine.listDetectors().map((d) => d.name)).toContain('strict_repetition')
    expect(
      createRegistry()
        .listDetectors()
        .map((d) => d.name),
    ).not.toContain('strict_repetition')
  })
})
