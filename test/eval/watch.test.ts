/** What detectors are given of a session, what is written down of them, and what a client is told in the model's place. */
import { describe, expect, test } from 'vitest'
import {
  createRegistry,
  defineDetector,
  embedText,
  perceptualHash,
  pictureVector,
  rowFingerprint,
  scaledRow,
  simHash,
} from '../../src/core/index.ts'
import {
  type Asked,
  type DetectorChoice,
  type InputOf,
  type Kind,
  type Shape,
  toyPictures,
  watchDetectors,
} from '../../src/eval/index.ts'
import { observerOf, QueryFeatures } from '../../src/eval/observe.ts'

const SHAPE: Shape = { width: 32, height: 32, channels: 3 }
const ONE: Shape = { width: 1, height: 1, channels: 1 }
const logits = Float32Array.of(0, Math.log(3))

function asked<K extends Kind>(input: InputOf[K], rest: Partial<Asked<InputOf[K]>> = {}): Asked<InputOf[K]> {
  return { number: 1, input, logits, account: 0, timeMs: 1000, isFiller: false, ...rest }
}

function observed<K extends Kind>(kind: K, choice: DetectorChoice, input: InputOf[K]) {
  const { name, ...config } = choice
  const observe = observerOf(createRegistry().find(name), config, kind, 'd')
  const scene = { kind, shape: kind === 'image' ? SHAPE : ONE, now: () => 0 }
  return observe(new QueryFeatures(asked(input) as Asked<InputOf[Kind]>, scene))
}

describe('a detector is given', () => {
  const picture = toyPictures(1)[0]!.input
  const bytes = { ...SHAPE, data: Uint8Array.from(picture, (v) => Math.round(255 * v)) }

  test('the picture itself, with probabilities or logits, as it is configured', () => {
    const { vector, probabilities } = observed('image', { name: 'descent_lineage' }, picture)
    expect(vector).toEqual(pictureVector({ ...SHAPE, data: picture, maxValue: 1 }))
    expect(vector).toEqual(Float32Array.from(picture))
    expect(Array.from(probabilities!, (p) => Number(p.toFixed(6)))).toEqual([0.25, 0.75])
    expect(observed('image', { name: 'descent_lineage', outputs: 'logits' }, picture).probabilities).toEqual(logits)
    expect(observed('image', { name: 'update_geometry' }, picture)).not.toHaveProperty('probabilities')
  })

  test('the time of every query', () => {
    expect(observed('image', { name: 'query_rate' }, picture)).toEqual({ timeMs: 1000 })
  })

  test('the hash of the picture as a file has it', () => {
    const noisy = picture.map((v) => Math.min(v + 0.0015, 1)) // less than half a level
    const { fingerprint } = observed('image', { name: 'image_repetition' }, noisy)
    expect(fingerprint).toBe(perceptualHash(bytes))
  })

  test('the embedding that its options ask for', () => {
    const plain = observed('image', { name: 'image_similarity' }, picture)
    expect(plain.embedding).toHaveLength(192)
    expect(plain.mirrored).toBeUndefined()
    expect(observed('image', { name: 'image_similarity', mirrored: true }, picture).mirrored).toHaveLength(192)
    expect(observed('text', { name: 'text_similarity' }, 'a question').embedding).toEqual(embedText('a question'))
  })

  test('texts and rows as hosts take them', () => {
    const row = { age: 44, job: 'clerk' }
    const schema = { columns: { age: { type: 'number', scale: 2 } } } as never
    expect(observed('text', { name: 'provenance' }, 'a question').fingerprint).toBe(simHash('a question'))
    expect(observed('tabular', { name: 'tabular_repetition' }, row).fingerprint).toBe(rowFingerprint(row))
    expect(observed('tabular', { name: 'tabular_similarity' }, row).row).toBe(row)
    expect(observed('tabular', { name: 'descent_lineage' }, row).vector).toEqual(scaledRow(row))
    expect(() => observed('tabular', { name: 'descent_lineage', schema }, row)).not.toThrow(/unknown/)
  })

  test('nothing if it is not for such inputs', () => {
    expect(() => observed('text', { name: 'image_similarity' }, 'x')).toThrow('d: does not work on texts; leave it out')
    expect(() => observed('text', { name: 'descent_lineage' }, 'x')).toThrow('does not work on texts')
    expect(() => observed('tabular', { name: 'provenance' }, {})).toThrow('does not work on rows')
  })

  test('what costs most once, however many detectors read it', () => {
    let made = 0
    const features = new QueryFeatures(asked(picture) as never, { kind: 'image', shape: SHAPE, now: () => 0 })
    for (let n = 0; n < 3; n++) features.once('embedding', () => ++made)
    expect(made).toBe(1)
  })
})

/** A detector whose score is the first number of the picture in hundredths, and which breaks where it is told to. */
const meter = defineDetector({
  family: 'meter',
  modality: 'any',
  needs: 'vector',
  version: 1,
  summary: 'the first number',
  defaults: { threshold: 0.5, breaksAt: -1 },
  logic({ threshold, breaksAt }: { threshold: number; breaksAt: number }) {
    let seen = 0
    return {
      check: ({ vector }: { vector?: ArrayLike<number> }) => vector![0]!,
      apply(score: number) {
        seen++
        if (seen === breaksAt) throw new Error('broken')
        return { suspicious: score >= threshold, score, threshold, confidence: 0, reason: '', metadata: { seen } }
      },
      save: () => seen,
      load() {},
      clear() {},
      size: () => seen,
      bytes: () => 10 * seen,
      describe: () => ({ config: {}, details: {} }),
    }
  },
})
const registry = createRegistry().registerDetector('meter', meter)
const DOT: Shape = { width: 1, height: 1, channels: 1 }

/** Scores of the queries, with their accounts; what the client is told, and what is written down. */
function watch(choice: Omit<DetectorChoice, 'name'>, scores: readonly (number | [score: number, account: number])[]) {
  const watcher = watchDetectors({ m: { name: 'meter', ...choice } }, { kind: 'image', shape: DOT, registry })
  const told = scores.map((one, i) => {
    const [score, account] = typeof one === 'number' ? [one, 0] : one
    const said = Float32Array.of(i, 0)
    const answer = watcher.see(asked<'image'>(Float64Array.of(score), { number: i + 1, account, logits: said }))
    return answer === undefined ? 'own' : answer.refused ? 'refused' : answer.logits[0]
  })
  return { told, result: watcher.results()['m']! }
}

describe('a session is written down', () => {
  test('by its records, its first alarm and its scores', () => {
    const { result } = watch({}, [0.25, 0.125, 0.5, 0.5, 0.75, 0.25])
    expect(result).toMatchObject({
      records: [
        [1, 0.25],
        [3, 0.5],
        [5, 0.75],
      ],
      firstAlarm: 3,
      flagged: 3,
      errors: 0,
      peakBytes: 60,
    })
    expect(result.quantiles).toHaveLength(21)
    expect([result.quantiles[0], result.quantiles[10], result.quantiles[20]]).toEqual([0.125, 0.25, 0.75])
    expect(result).not.toHaveProperty('error')
  })

  test('as one without alarms where there are none', () => {
    expect(watch({}, [0.25]).result).toMatchObject({ firstAlarm: undefined, flagged: 0 })
    expect(watch({}, []).result).toMatchObject({ records: [], quantiles: [], micros: { median: 0, p99: 0 } })
  })

  test('to its end by a detector that throws at query 500', () => {
    const scores = Array.from({ length: 1000 }, (_, i) => i / 2000)
    const { result } = watch({ breaksAt: 500, threshold: 0.4 }, scores)
    expect(result).toMatchObject({ errors: 1, error: 'query 500: broken', firstAlarm: 801, flagged: 200 })
  })

  test('with a state for each account, whose first alarm counts, or one for all', () => {
    const scores: [number, number][] = [
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 1],
    ]
    const broken = (choice: object) => watch({ breaksAt: 3, ...choice }, scores).result.error
    expect(broken({})).toBeUndefined() // no account has three queries
    expect(broken({ scope: 'global' })).toBe('query 3: broken')
    expect(watch({}, scores).result.peakBytes).toBe(40)
  })
})

describe('a client is told', () => {
  const scores = [0, 0, 1, 0, 1]

  test("the model's answer where nothing is enforced", () => {
    expect(watch({}, scores).told).toEqual(['own', 'own', 'own', 'own', 'own'])
  })

  test('that a suspicious query is refused', () => {
    expect(watch({ enforce: 'reject' }, scores).told).toEqual(['own', 'own', 'refused', 'own', 'refused'])
  })

  test('the last answer before the first suspicious query, in silence', () => {
    expect(watch({ enforce: 'silent' }, scores).told).toEqual(['own', 'own', 1, 'own', 1])
  })

  test("the last answer of its own account, and the model's if there is none", () => {
    const told = watch({ enforce: 'silent', scope: 'global' }, [
      [0, 0],
      [1, 1],
      [1, 1],
      [1, 0],
    ]).told
    expect(told).toEqual(['own', 'own', 1, 0])
  })
})

test('a detector that cannot be made is named', () => {
  const make = (choice: object) => () => watchDetectors({ mine: choice as never }, { kind: 'image', shape: DOT })
  expect(make({ name: 'descent_linage' })).toThrow(/detectors\.mine\.name: .*descent_lineage/)
  expect(make({ name: 'confidence', enforce: 'loud' })).toThrow(
    'detectors.mine.enforce: must be none or reject or silent',
  )
  expect(make({ name: 'confidence', treshold: 1 })).toThrow(/treshold/)
})
