import { describe, expect, test } from 'vitest'
import { BenignScale } from '../src/core/calibration/benignScale.ts'
import { fewestUnits, mostAbove } from '../src/core/calibration/promise.ts'
import {
  type Calibration,
  calibrate,
  conformalPValue,
  createDetector,
  createRegistry,
  type Detection,
  defineDetector,
  listDetectors,
  type Observation,
  stableJson,
} from '../src/core/index.ts'
import { nextUp } from '../src/core/math.ts'
import { normal, random } from './tools/random.ts'

const average = (alpha: number) => ({ alpha, assurance: 0 })

/** Benign observations for `confidence` in mode margin: the score is 1 − |2p − 1|. */
function answers(count: number, seed = 1): Observation[] {
  const next = random(seed)
  return Array.from({ length: count }, () => {
    const p = next()
    return { probabilities: [p, 1 - p] }
  })
}

const MARGIN = { name: 'confidence', mode: 'margin' } as const
const unnamed = (observations: readonly Observation[]) => observations.map((observation) => ({ observation }))
const record = (alpha = 0.01, count = 999) => calibrate(MARGIN, unnamed(answers(count)), { alpha })

describe('the promise', () => {
  test('takes the fewest units from which a p-value can be as small, on average', () => {
    expect([0.5, 0.1, 0.01, 0.001, 0.3].map((alpha) => fewestUnits(average(alpha)))).toEqual([1, 9, 99, 999, 3])
  })

  test('with an assurance takes as many as tolerance tables say', () => {
    // 95 % of the units at a confidence of 95 %, with 0 … 4 above: 59, 93, 124, 153 and 181 (Wilks 1941; ISO 16269-6).
    const promise = { alpha: 0.05, assurance: 0.95 }
    expect(fewestUnits(promise)).toBe(59)
    for (const [above, n] of [59, 93, 124, 153, 181].entries()) {
      expect([mostAbove(n - 1, promise), mostAbove(n, promise)]).toEqual([above - 1, above])
    }
    expect(fewestUnits({ alpha: 0.001, assurance: 0.95 })).toBe(2995)
  })

  test('allows floor(alpha (n + 1)) − 1 units above the threshold on average', () => {
    for (const [n, alpha] of [
      [99, 0.01],
      [999, 0.01],
      [1000, 0.1],
      [98, 0.01],
      [5, 0.5],
    ] as const) {
      expect(mostAbove(n, average(alpha))).toBe(Math.floor(alpha * (n + 1) + 1e-12) - 1)
    }
  })
})

describe('the scale of benign scores', () => {
  test('gives the conformal p-values of all scores while they are few, ties included', () => {
    const next = random(3)
    const scores = Array.from({ length: 700 }, () => Math.round(20 * normal(next)))
    const scale = BenignScale.of(scores)
    for (let score = -90; score <= 90; score += 0.5) {
      expect(scale.pValue(score)).toBe(conformalPValue(scores, score))
    }
  })

  test('of many scores is never too small, at most 1 % too large, exact in the upper tail, and small itself', () => {
    const next = random(4)
    const scores = Float64Array.from({ length: 200_000 }, () => normal(next))
    const scale = BenignScale.of(scores)
    const sorted = scores.toSorted()
    for (let i = 0; i < sorted.length; i += 997) {
      const exact = (1 + sorted.length - i) / (sorted.length + 1)
      const found = scale.pValue(sorted[i]!)
      expect(found).toBeGreaterThanOrEqual(exact)
      expect(found).toBeLessThanOrEqual(1.011 * exact)
      if (sorted.length - i < 1000) expect(found).toBe(exact)
    }
    expect(scale.toJSON().values.length).toBeLessThan(2000)
  })

  test('is the same after a trip through JSON', () => {
    const scale = BenignScale.of([3, 1, 4, 1, 5, 9, 2, 6])
    const back = BenignScale.read(JSON.parse(JSON.stringify(scale)), 'scores')
    for (const score of [0, 1, 1.5, 4, 9, 10]) expect(back.pValue(score)).toBe(scale.pValue(score))
  })

  test('has a threshold that is reached exactly by the scores whose p-value is at most alpha', () => {
    const next = random(5)
    const scores = Array.from({ length: 1234 }, () => Math.round(10 * normal(next)))
    const scale = BenignScale.of(scores)
    for (const alpha of [0.5, 0.1, 0.05, 0.01, 0.001]) {
      const threshold = scale.threshold(average(alpha))!
      for (let score = -60; score <= 60; score++) expect(score >= threshold).toBe(scale.pValue(score) <= alpha)
    }
    expect(scale.threshold(average(0.0001))).toBeUndefined()
  })

  test.each([
    ['no counts', { n: 3, values: [1, 2], above: [1] }],
    ['values out of order', { n: 3, values: [2, 1], above: [1, 0] }],
    ['counts that rise', { n: 3, values: [1, 2], above: [0, 1] }],
    ['more above than there are', { n: 3, values: [1, 2], above: [3, 0] }],
    ['nothing', { n: 3, values: [], above: [] }],
    ['NaN', { n: 3, values: [1, null], above: [1, 0] }],
    ['a number that is too much', { n: 3, values: [1, 2], above: [1, 0], more: 1 }],
  ])('with %s is refused', (_, saved) => {
    expect(() => BenignScale.read(saved, 'scores')).toThrow(expect.objectContaining({ code: 'bad_config' }))
  })
})

test('the next double above a number is one unit in the last place away', () => {
  for (const [x, next] of [
    [1, 1.0000000000000002],
    [0, Number.MIN_VALUE],
    [-0, Number.MIN_VALUE],
    [-1, -0.9999999999999999],
    [-Number.MIN_VALUE, -0],
    [0.9, 0.9000000000000001],
  ] as const)
    expect(nextUp(x)).toBe(next)
})

test('stable JSON does not depend on the order of keys, and tells functions and typed arrays', () => {
  expect(stableJson({ b: [{ d: 1, c: 2 }], a: Float32Array.of(0.5), f: () => 1, u: undefined })).toBe(
    '{"a":[0.5],"b":[{"c":2,"d":1}],"f":"(function)"}',
  )
})

describe('calibrating a detector', () => {
  test('moves its threshold to the conformal quantile, and detections tell their p-value', () => {
    const found = record()
    expect(found).toMatchObject({ kind: 'detector', detector: 'confidence', unit: 'query', alpha: 0.01, queries: 999 })
    const scores = unnamed(answers(999)).map(({ observation }) => 1 - Math.abs(2 * observation.probabilities![0]! - 1))
    const detector = createDetector('confidence', { mode: 'margin', calibration: found })
    for (const observation of answers(500, 2)) {
      const { score, pValue, suspicious, threshold, reason } = detector.process(observation)
      expect(threshold).toBe(found.threshold)
      expect(pValue).toBeCloseTo(conformalPValue(scores, score), 12)
      expect(suspicious).toBe(pValue! <= 0.01)
      expect(suspicious).toBe(score >= threshold)
      expect(reason).toMatch(
        /^p = [\d.e-]+ among 999 benign queries, suspicious above a score of [\d.]+; .*own words: /,
      )
    }
    expect(detector.describe().config['calibration']).toMatchObject({ alpha: 0.01, n: 999, unit: 'query' })
  })

  test('keeps the rate of false alarms, on average over calibrations', () => {
    let alarms = 0
    for (let seed = 0; seed < 400; seed++) {
      const calibration = calibrate(MARGIN, unnamed(answers(49, 1000 + seed)), { alpha: 0.06 })
      const detector = createDetector('confidence', { mode: 'margin', calibration })
      for (const one of answers(20, 5000 + seed)) if (detector.process(one).suspicious) alarms++
    }
    // 480 of 8000 expected, with a deviation of 25: by chance of the records 13, of the answers 21.
    expect(alarms).toBeGreaterThan(400)
    expect(alarms).toBeLessThan(560)
  })

  test('counts each client once, with its highest score, from a memory of its own', () => {
    const of = (client: string, ...prints: string[]) =>
      prints.map((fingerprint) => ({ client, observation: { fingerprint } }))
    const benign = [...of('a', 'x', 'x', 'x'), ...of('b', 'x'), ...of('c', 'y', 'x', 'y')]
    const found = calibrate('text_repetition', benign, { alpha: 0.3, assurance: 0 })
    expect(found).toMatchObject({ unit: 'client', queries: 7, scores: { n: 3, values: [1, 2, 3], above: [2, 1, 0] } })
    expect(found.threshold).toBe(nextUp(3))
  })

  test('says how much is needed for alpha', () => {
    expect(() => record(0.001, 500)).toThrow(
      expect.objectContaining({
        code: 'bad_config',
        path: 'alpha',
        message: expect.stringContaining('needs 999 benign queries, got 500'),
      }),
    )
    expect(() => calibrate(MARGIN, unnamed(answers(200)), { alpha: 0.01, assurance: 0.95 })).toThrow(
      'alpha 0.01 with an assurance of 0.95 needs 299 benign queries, got 200: give more, or a larger alpha, ' +
        'or a lower assurance: 0 takes 99, and promises alpha on average over calibrations only',
    )
    // The smallest that is taken: found without counting up to it.
    expect(() => calibrate(MARGIN, [], { alpha: 1e-8, assurance: 0.95 })).toThrow(/needs 299573226 benign/)
  })

  test('of clients is assured by 0.95 unless something else is asked, of single queries on average', () => {
    const benign = answers(299).map((observation, i) => ({ observation, client: `${i}` }))
    expect(calibrate(MARGIN, benign, { alpha: 0.01 })).toMatchObject({ unit: 'client', assurance: 0.95 })
    expect(() => calibrate(MARGIN, benign.slice(1), { alpha: 0.01 })).toThrow(/needs 299 benign clients, got 298/)
    expect(calibrate(MARGIN, benign.slice(1), { alpha: 0.01, assurance: 0 }).assurance).toBe(0)
    expect(calibrate(MARGIN, benign.slice(1), { alpha: 0.01, unit: 'query' }).assurance).toBe(0)
  })

  test('keeps the promise for all but one in twenty of the calibrations that were made', () => {
    // Scores are uniform: 1 − threshold is the share that lies above.
    let broken = 0
    for (let seed = 0; seed < 400; seed++) {
      const benign = answers(120, 3000 + seed).map((observation, i) => ({ observation, client: `${i}` }))
      if (1 - calibrate(MARGIN, benign, { alpha: 0.05 }).threshold > 0.05) broken++
    }
    // One of 120 may lie above, and P(Binomial(120, 0.05) ≤ 1) is 1.55 %: 6 of 400 are expected.
    expect(broken).toBeGreaterThan(0)
    expect(broken).toBeLessThanOrEqual(20)
  })

  test('is stricter with an assurance', () => {
    const plain = record(0.05)
    const assured = calibrate(MARGIN, unnamed(answers(999)), { alpha: 0.05, assurance: 0.99 })
    expect(assured.threshold).toBeGreaterThan(plain.threshold)
    // A little more than a half alone would be weaker than the average.
    const bare = calibrate(MARGIN, unnamed(answers(999)), { alpha: 0.05, assurance: 0.51 })
    expect(bare.threshold).toBeGreaterThanOrEqual(plain.threshold)
  })

  test('the same data give the same record, with the date that was given', () => {
    expect(record()).toEqual(record())
    const dated = calibrate(MARGIN, unnamed(answers(999)), { alpha: 0.01, date: '2026-11-24T12:00:00Z' })
    expect(dated).toMatchObject({ date: '2026-11-24T12:00:00Z', dataHash: record().dataHash })
    expect(calibrate(MARGIN, unnamed(answers(999, 2)), { alpha: 0.01 }).dataHash).not.toBe(dated.dataHash)
  })

  test('a snapshot of a calibrated detector is that of a plain one, and goes on in it', () => {
    const plain = createDetector('confidence', { mode: 'margin' })
    const calibrated = createDetector('confidence', { mode: 'margin', calibration: record() })
    for (const one of answers(30, 7)) {
      plain.process(one)
      calibrated.process(one)
    }
    expect(calibrated.snapshot()).toEqual(plain.snapshot())
    calibrated.restore(plain.snapshot())
  })

  test.each([
    ['no alpha', () => calibrate(MARGIN, unnamed(answers(99)), {} as never), 'alpha'],
    ['an unknown option', () => calibrate(MARGIN, [], { alpha: 0.1, alhpa: 1 } as never), 'options.alhpa'],
    ['an assurance of a half', () => calibrate(MARGIN, [], { alpha: 0.1, assurance: 0.5 }), 'assurance'],
    ['an assurance of null', () => calibrate(MARGIN, [], { alpha: 0.1, assurance: null as never }), 'assurance'],
    ['an alpha of 0', () => calibrate(MARGIN, [], { alpha: 0 }), 'alpha'],
    ['an alpha that nobody could keep', () => calibrate(MARGIN, [], { alpha: 1e-300 }), 'alpha'],
    ['a unit that is none', () => calibrate(MARGIN, [], { alpha: 0.1, unit: 'group' as never }), 'unit'],
    ['a date that is none', () => calibrate(MARGIN, [], { alpha: 0.1, date: 'yesterday' }), 'date'],
    [
      'a calibration already',
      () => calibrate({ ...MARGIN, calibration: record() }, [], { alpha: 0.1 }),
      'detector.calibration',
    ],
    ['nothing to go by', () => calibrate(MARGIN, [], { alpha: 0.1 }), 'alpha'],
  ])('with %s is refused', (_, make, path) => {
    expect(make).toThrow(expect.objectContaining({ code: 'bad_config', path }))
  })

  test('a query that the detector refuses, or without the name that others have, is refused with its place', () => {
    const bad = [
      { observation: { probabilities: [0.5, 0.5] }, client: 'a' },
      { observation: { probabilities: [Number.NaN] }, client: 'a' },
    ]
    expect(() => calibrate(MARGIN, bad, { alpha: 0.1 })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: '[1].probabilities[0]' }),
    )
    const nameless = [bad[0]!, { observation: { probabilities: [0.5, 0.5] } }]
    expect(() => calibrate(MARGIN, nameless, { alpha: 0.1 })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: '[1].client' }),
    )
  })
})

describe('a record', () => {
  const good = record()
  const take = (calibration: unknown, config = {}) =>
    createDetector('confidence', { mode: 'margin', ...config, calibration: calibration as Calibration })
  const refusal = (path: string, message = '') =>
    expect.objectContaining({ code: 'bad_config', path, message: expect.stringContaining(message) })

  test('survives JSON and structuredClone', () => {
    take(JSON.parse(JSON.stringify(good)))
    take(structuredClone(good))
  })

  test('of another detector is refused', () => {
    const other = calibrate('repetition', unnamed(Array.from({ length: 99 }, (_, i) => ({ fingerprint: `${i}` }))), {
      alpha: 0.01,
    })
    expect(() => take(other)).toThrow(refusal('confidence.calibration.detector', 'another detector'))
  })

  test('of other options that change scores is refused; of another threshold it is taken', () => {
    expect(() => take(good, { mode: 'entropy' })).toThrow(
      refusal('confidence.calibration.configHash', 'calibrate with'),
    )
    expect(() => take(good, { normalize: true })).toThrow(refusal('confidence.calibration.configHash'))
    take(good, { threshold: 0.9 })
  })

  test('of another threshold is refused where that changes what is remembered', () => {
    const next = random(1)
    const vectors = Array.from({ length: 120 }, () => ({ observation: { embedding: [next(), next()] } }))
    const calibration = calibrate({ name: 'neighbour_distance', k: 5, threshold: 0.1 }, vectors, { alpha: 0.01 })
    createDetector('neighbour_distance', { k: 5, threshold: 0.1, calibration })
    expect(() => createDetector('neighbour_distance', { k: 5, threshold: 0.2, calibration })).toThrow(
      refusal('neighbour_distance.calibration.configHash'),
    )
  })

  test.each([
    ['a number that was changed', { ...good, alpha: 0.5 }, 'confidence.calibration', 'damaged'],
    [
      'a score that was changed',
      { ...good, scores: { ...good.scores, n: 10_000 } },
      'confidence.calibration',
      'damaged',
    ],
    ['a field missing', { ...good, dataHash: undefined }, 'confidence.calibration', 'damaged'],
    ['a field too many', { ...good, note: 'hello' }, 'confidence.calibration.note', 'unknown key'],
    ['another version', { ...good, version: 2 }, 'confidence.calibration.version', 'calibrate again'],
    ['another kind', { ...good, kind: 'monitor' }, 'confidence.calibration.kind', 'record of a detector'],
    ['another format', { ...good, format: 'x' }, 'confidence.calibration', 'monitaur calibrate'],
    ['a text', 'calibration.json', 'confidence.calibration', 'must be a record'],
    ['null', null, 'confidence.calibration', 'must be a record'],
  ])('with %s is refused', (_, changed, path, message) => {
    expect(() => take(changed)).toThrow(refusal(path, message))
  })

  test('is checked once for all detectors of a monitor, and works for detectors of one’s own', () => {
    const spec = mine((score) => ({
      ...{ suspicious: false, score, threshold: 5, confidence: 0, reason: 'length', metadata: null },
    }))
    const registry = createRegistry().registerDetector('mine', spec)
    const benign = Array.from({ length: 9 }, (_, i) => ({ observation: { fingerprint: 'x'.repeat(i) } }))
    const calibration = calibrate('mine', benign, { alpha: 0.1, registry })
    const detector = registry.createDetector('mine', { calibration })
    expect(detector.process({ fingerprint: 'x'.repeat(8) })).toMatchObject({ suspicious: false, pValue: 0.2 })
    expect(detector.process({ fingerprint: 'x'.repeat(9) })).toMatchObject({ suspicious: true, pValue: 0.1 })
  })
})

describe('a detector of one’s own', () => {
  test('may give the same frozen detection each time', () => {
    const same = Object.freeze({
      suspicious: false,
      score: 0,
      threshold: 5,
      confidence: 0,
      reason: 'none',
      metadata: null,
    })
    const spec = mine(() => same)
    const detector = createRegistry().registerDetector('mine', spec).createDetector('mine')
    for (let i = 0; i < 2; i++) expect(detector.process({ fingerprint: 'x' })).toEqual({ ...same, detector: 'mine' })
  })
})

/** Scores the length of a fingerprint. */
function mine(apply: (score: number) => Omit<Detection<null>, 'detector'>) {
  return defineDetector({
    family: 'mine',
    modality: 'any',
    needs: 'fingerprint',
    version: 1,
    summary: '',
    defaults: { threshold: 5 },
    logic: () => ({
      check: ({ fingerprint = '' }: Observation) => fingerprint.length,
      apply,
      save: () => null,
      load() {},
      clear() {},
      size: () => 0,
      bytes: () => 0,
      describe: () => ({ config: {}, details: {} }),
    }),
  })
}

describe('the list of detectors', () => {
  test.each(listDetectors().map((one) => [one.name, one] as const))(
    'tells what %s finds, costs and comes from',
    (_, one) => {
      expect(one.techniques.map(({ id }) => id)).toEqual(
        one.techniques.map(() => expect.stringMatching(/^AML\.T\d{4}(\.\d{3})?$/)),
      )
      expect(one.techniques.length).toBeGreaterThan(0)
      expect(one.paper).toMatch(/\w/)
      expect(one.cost, 'run `node bench/costs.mjs`').toMatchObject({
        bytes: expect.any(Number),
        microseconds: expect.any(Number),
      })
    },
  )
})
