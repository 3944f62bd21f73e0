/**
 * The reference's own answers. Where we differ on purpose (errors are never "not suspicious"; NaN, negative and empty
 * probabilities, values of a wrong type and unreachable thresholds are refused) the case is asserted to be refused.
 */
import { describe, expect, test } from 'vitest'
import {
  type ConfidenceConfig,
  createDetector,
  isMonitorError,
  listDetectors,
  rowFingerprint,
  rowVector,
  textFingerprint,
} from '../src/core/index.ts'
import { getDetector } from '../src/embed/index.ts'
import { golden, goldenDir, hasGolden } from './tools/data.ts'

interface Result {
  readonly is_suspicious: boolean
  readonly confidence: number
  readonly reason: string
  readonly metadata: Readonly<Record<string, number | string>>
}

interface Cases<T> {
  readonly cases: readonly T[]
}

const files = ['confidence', 'text_repetition', 'tabular_repetition', 'similarity', 'registry']
const missing = files.filter((name) => !hasGolden(name))
const title =
  missing.length === 0 ? 'the reference' : `the reference (SKIPPED: no ${missing.join(', ')} in ${goldenDir()})`

function read<T>(name: string): readonly T[] {
  return hasGolden(name) ? golden<Cases<T>>(name).cases : []
}

/** The cases of the common form; the others have a test of their own below. */
function withField<T extends object>(cases: readonly T[], field: keyof T): readonly T[] {
  return cases.filter((one) => one[field] !== undefined)
}

function codeOf(call: () => unknown): string {
  try {
    call()
  } catch (thrown) {
    return isMonitorError(thrown) ? thrown.code : String(thrown)
  }
  return 'accepted'
}

function near(actual: number, expected: number): void {
  expect(Math.abs(actual - expected), `${actual} instead of ${expected}`).toBeLessThanOrEqual(1e-9)
}

describe.skipIf(missing.length > 0)(title, () => {
  interface ConfidenceCase {
    readonly name: string
    readonly config: {
      readonly mode: ConfidenceConfig['mode']
      readonly threshold: number
      readonly max_history_size?: number
    }
    readonly model_outputs: readonly (readonly unknown[])[]
    readonly results: readonly Result[]
  }

  for (const { name, config, model_outputs, results } of withField(read<ConfidenceCase>('confidence'), 'results')) {
    test(`confidence scores ${name} as the reference does, or refuses what it fails open on`, () => {
      const { mode, threshold, max_history_size: maxHistorySize = 100 } = config
      const detector = createDetector('confidence', { mode, threshold, maxHistorySize })
      let judged = 0
      for (const [i, probabilities] of model_outputs.entries()) {
        const result = results[i]!
        if (isRefused(probabilities, mode)) {
          expect(codeOf(() => detector.process({ probabilities: probabilities as number[] }))).toBe('bad_query')
          continue
        }
        const d = detector.process({ probabilities: probabilities as number[] })
        near(d.score, result.confidence)
        expect(d.suspicious).toBe(result.is_suspicious)
        expect(d.reason).toBe(result.reason)
        near(d.metadata.averageScore, result.metadata['avg_score'] as number)
        expect(d.metadata.scores).toBe(result.metadata['num_scores'])
        judged++
      }
      expect(judged + model_outputs.filter((p) => isRefused(p, mode)).length).toBe(model_outputs.length)
    })
  }

  function isRefused(p: readonly unknown[], mode: string): boolean {
    const numbers = p.every((v) => typeof v === 'number' && Number.isFinite(v) && v >= 0)
    const zeros = mode === 'entropy' && p.every((v) => v === 0)
    return p.length === 0 || !numbers || zeros || (mode === 'margin' && p.length < 2)
  }

  interface TextCase {
    readonly name: string
    readonly config: { readonly threshold: number; readonly max_history_size?: number }
    readonly inputs: readonly (string | string[])[]
    readonly hashes: readonly (string | null)[]
    readonly results: readonly Result[]
  }

  for (const { name, config, inputs, hashes, results } of read<TextCase>('text_repetition')) {
    test(`text_repetition counts ${name} as the reference does, or refuses what it fails open on`, async () => {
      const { threshold, max_history_size: maxHistorySize = 100 } = config
      if (threshold === 0 || maxHistorySize < threshold) {
        expect(codeOf(() => getDetector('text_repetition', { threshold, maxHistorySize }))).toBe('bad_config')
        return
      }
      const detector = getDetector('text_repetition', { threshold, maxHistorySize })
      for (const [i, input] of inputs.entries()) {
        const result = results[i]!
        if (result.metadata['error'] !== undefined) {
          await expect(detector.process({ input })).rejects.toMatchObject({ code: 'bad_query' })
          continue
        }
        const d = await detector.process({ input })
        expect(textFingerprint(input)).toBe(hashes[i])
        expect(d.metadata.fingerprint).toBe(hashes[i])
        near(d.confidence, result.confidence)
        expect(d.suspicious).toBe(result.is_suspicious)
        expect(d.reason).toBe(result.reason)
      }
    })
  }

  interface SimilarityCase {
    readonly name: string
    readonly detector: string
    readonly config: { readonly threshold: number; readonly max_history_size?: number }
    readonly inputs: readonly unknown[]
    readonly reset_before_index: number | null
    readonly results: readonly Result[]
  }

  for (const { name, detector: kind, config, inputs, reset_before_index: reset, results } of read<SimilarityCase>(
    'similarity',
  )) {
    test(`${kind} scores "${name}" as the reference does, or refuses what it fails open on`, () => {
      const { threshold, max_history_size: maxHistorySize = 100 } = config
      const isTable = kind === 'TabularSimilarityDetector'
      const detector = createDetector(isTable ? 'tabular_similarity' : 'similarity', { threshold, maxHistorySize })
      const learned: number[] = [] // what the reference learned too: it stores a bad vector, we do not
      for (const [i, input] of inputs.entries()) {
        if (i === reset) detector.reset()
        const vector = () => (isTable ? rowVector(input as never) : (input as number[]))
        const result = results[i]!
        if (isBad(input, detector.describe().details['dimension'] as number)) {
          expect(codeOf(() => detector.process({ embedding: vector() }))).toBe('bad_query')
          continue
        }
        const d = detector.process({ embedding: vector() })
        near(d.score, result.confidence)
        expect(d.suspicious).toBe(result.is_suspicious)
        if (result.metadata['most_similar_index'] !== undefined) {
          expect(d.metadata.mostSimilarIndex).toBe(result.metadata['most_similar_index'])
        }
        expect(d.reason).toBe(result.reason)
        learned.push(i)
      }
      expect(learned.length).toBeGreaterThan(0)
    })
  }

  function isBad(input: unknown, dimension: number): boolean {
    const values = Object.values(input as object)
    const isNumeric = (v: unknown) => typeof v === 'boolean' || (v !== null && v !== '' && Number.isFinite(Number(v)))
    return !values.every(isNumeric) || (dimension !== 0 && values.length !== dimension)
  }

  interface RowCase {
    readonly name: string
    readonly input: unknown
    readonly hash?: string
    readonly python_only?: boolean
  }

  test('rows that are equal for the reference are equal for us, and the formats that it tells apart are not', () => {
    const rows = new Map(read<RowCase>('tabular_repetition').map((one) => [one.name, one.input]))
    const hash = (name: string) => rowFingerprint(rows.get(name) as never)
    expect(hash('ints')).toBe(hash('floats'))
    expect(hash('ints')).toBe(rowFingerprint({ income: '30000', age: ' 25.0 ' }))
    expect(hash('neg zero')).toBe(rowFingerprint({ b: 0, a: 0 }))
    expect(hash('one vs true')).not.toBe(rowFingerprint({ a: true }))
    expect(hash('keys with quotes')).toMatch(/^[0-9a-f]{64}$/)
    for (const name of ['nonfinite', 'empty', 'unsupported list'])
      expect(
        codeOf(() => hash(name)),
        name,
      ).toBe('bad_query')
  })

  interface RegistryCase {
    readonly name: string
    readonly args: { readonly modality?: string; readonly base?: string }
    readonly result: Readonly<Record<string, { readonly modality: string; readonly base: string }>>
  }

  const registryCases = withField(read<RegistryCase>('registry'), 'args')
  const known = new Set(registryCases.flatMap(({ result }) => Object.keys(result)))

  for (const { name, args, result } of registryCases) {
    test(`the listing of "${name}" holds what the reference lists, and for a modality also what works for any`, () => {
      const filter = {
        ...(args.modality === undefined ? {} : { modality: args.modality as 'text' }),
        ...(args.base === undefined ? {} : { family: args.base.replace('_detector', '') }),
      }
      const listed = listDetectors(filter).filter((d) => known.has(d.name))
      const own = listed.filter(({ modality }) => args.modality === undefined || modality === args.modality)
      expect(own.map((d) => d.name)).toEqual(Object.keys(result))
      for (const d of own) {
        expect(d.modality).toBe(result[d.name]!.modality)
        expect(`${d.family}_detector`).toBe(result[d.name]!.base)
      }
      const any = listDetectors({ ...filter, modality: 'any' }).filter((d) => known.has(d.name))
      if (['text', 'image', 'tabular'].includes(args.modality ?? ''))
        expect(listed).toEqual(expect.arrayContaining(any))
    })
  }

  test('the cases of another form are those that the tests below name', () => {
    const odd = [...read<ConfidenceCase>('confidence'), ...read<RegistryCase>('registry')]
      .filter((one) => !('results' in one || 'args' in one))
      .map(({ name }) => name)
    expect(odd).toEqual([
      'reset_state does not clear (inherited no-op)',
      "get_detector('repetition') is abstract in effect: fail open",
      "get_detector('similarity') is abstract in effect: fail open",
      'unknown name',
      'bad mode',
    ])
  })

  test('a reset of the confidence detector clears its scores, which the reference keeps', () => {
    const detector = createDetector('confidence', { threshold: 0.8 })
    near(detector.process({ probabilities: [0.5, 0.5] }).score, 0.6931471803599453)
    detector.reset()
    expect(detector.describe()).toMatchObject({ historySize: 0, details: { lastScore: null, averageScore: 0 } })
  })

  test('the generic repetition and similarity detectors judge, where the reference always answers "not suspicious"', async () => {
    const repetition = getDetector('repetition', { threshold: 2 })
    const similarity = getDetector('similarity')
    for (const detector of [repetition, similarity]) await detector.process({ input: 'the same question' })
    expect((await repetition.process({ input: 'the same question' })).suspicious).toBe(true)
    expect((await similarity.process({ input: 'the same question' })).suspicious).toBe(true)
  })

  test('an unknown name and a bad mode are refused by name', () => {
    expect(() => createDetector('nope' as 'confidence')).toThrow(/no detector is called "nope"/)
    expect(() => createDetector('confidence', { mode: 'bad' as 'margin' })).toThrow(
      /confidence.mode: must be one of 'entropy'/,
    )
  })
})
