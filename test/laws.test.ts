/** The laws over every detector and mode. A new detector adds one subject. */
import { describe, expect, test } from 'vitest'
import {
  type ConfidenceConfig,
  createDetector,
  type Detector,
  embedText,
  listDetectors,
  type Observation,
  type Row,
  type SimilarityConfig,
  type TabularSimilarityConfig,
} from '../src/core/index.ts'
import { getDetector } from '../src/embed/index.ts'
import { type AsyncSubject, areaUnderRoc, type LawSubject, lawsOf } from '../src/laws/index.ts'
import { lineageSubjects } from './lineage/subject.ts'
import { followingSubjects } from './subjects/answerFollowing.ts'
import { fingerprintSubjects } from './subjects/contentFingerprint.ts'
import { coverageSubjects } from './subjects/coverage.ts'
import { shiftSubjects } from './subjects/distributionShift.ts'
import { extractionSubjects } from './subjects/extractionStatus.ts'
import { hardnessSubjects } from './subjects/hardnessHistogram.ts'
import { trendSubjects } from './subjects/marginTrend.ts'
import { neighbourSubjects } from './subjects/neighbourDistance.ts'
import { pradaSubjects } from './subjects/prada.ts'
import { provenanceSubjects } from './subjects/provenance.ts'
import { rateSubjects } from './subjects/queryRate.ts'
import { geometrySubjects } from './subjects/updateGeometry.ts'
import { distribution, normal, random, vector } from './tools/random.ts'

const SEED = 20261124
const foreign = { detector: 'other', version: 1, state: {} }
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Subject = LawSubject<Observation> & { readonly detector: string }

const subjects: Subject[] = [
  confidence('entropy', { mode: 'entropy', maxHistorySize: 8 }),
  confidence('max_confidence', { mode: 'max_confidence', threshold: 0.3, maxHistorySize: 8 }),
  confidence('margin', { mode: 'margin', threshold: 0.3, maxHistorySize: 8 }),
  confidence('normalized', { mode: 'margin', normalize: true, maxHistorySize: 8 }),
  confidence('logits', { outputs: 'logits', maxHistorySize: 8 }),
  confidence('a window of 1', { maxHistorySize: 1 }, 1),
  repetition('repetition'),
  repetition('image_repetition'),
  repetition('image_repetition', 'within a radius', 4),
  repetition('tabular_repetition'),
  repetition('text_repetition'),
  similarity('similarity', 'doubles', {}, (v) => v),
  similarity('similarity', 'plain lists', {}, (v) => Array.from(v)),
  similarity('similarity', 'a function of its own', { similarity: (a, b) => -distance(a, b), threshold: -1 }, (v) => v),
  similarity('image_similarity', '32-bit floats', {}, (v) => Float32Array.from(v)),
  similarity('tabular_similarity', '32-bit floats', { maxHistorySize: 1 }, (v) => Float32Array.from(v), 1),
  tabular('rows, their statistics running', {}),
  tabular('rows under a profile', {
    schema: {
      age: { type: 'number', spread: 19, step: 1 },
      income: { type: 'number', scale: 100 },
      job: { type: 'category', values: ['clerk'] },
      id: { type: 'ignore' },
    },
  }),
  similarity('text_similarity', 'a threshold below zero', { threshold: -0.5 }, (v) => v),
  ...lineageSubjects,
  ...fingerprintSubjects,
  ...neighbourSubjects,
  ...coverageSubjects,
  ...rateSubjects,
  ...pradaSubjects,
  ...trendSubjects,
  ...hardnessSubjects,
  ...shiftSubjects,
  ...provenanceSubjects,
  ...extractionSubjects,
  ...geometrySubjects,
  ...followingSubjects,
]

for (const subject of subjects) {
  describe(subject.name, () => {
    for (const { name, check } of lawsOf(subject)) test(name.slice(subject.name.length + 2), check)
  })
}

test('every built-in detector stands before the laws', () => {
  expect(new Set(subjects.map(({ detector }) => detector))).toEqual(new Set(listDetectors().map(({ name }) => name)))
})

test('the laws catch a detector that breaks them', async () => {
  const honest = subjects.find(({ detector }) => detector === 'text_repetition')!
  const broken: Record<string, (d: Detector) => Partial<Detector>> = {
    verdict: (d) => ({ process: (o) => ({ ...d.process(o), suspicious: true }) }),
    reset: () => ({ reset: () => {} }),
    determinism: (d) => ({ process: (o) => ({ ...d.process(o), confidence: Math.random() }) }),
    'bad snapshot': () => ({ restore: () => {} }),
    restore: () => ({ restore: () => {} }),
    batch: (d) => ({ processBatch: (list) => list.map((o) => d.process(o)).reverse() }),
  }
  for (const [law, change] of Object.entries(broken)) {
    const make = () => {
      const d = honest.make()
      return { ...d, ...change(d) }
    }
    const failed: string[] = []
    for (const { name, check } of lawsOf({ ...honest, make, name: '' })) {
      try {
        await check()
      } catch {
        failed.push(name)
      }
    }
    expect(
      failed.some((name) => name.includes(law)),
      `${law} in ${failed.join('; ')}`,
    ).toBe(true)
  }
})

test('the area under the ROC curve of a perfect, a reversed and a blind score is 1, 0 and one half', () => {
  const scored = (scores: number[]) => scores.map((score, i) => ({ score, suspicious: i >= 2 }))
  expect(areaUnderRoc(scored([0, 1, 2, 3]))).toBe(1)
  expect(areaUnderRoc(scored([3, 2, 1, 0]))).toBe(0)
  expect(areaUnderRoc(scored([1, 1, 1, 1]))).toBe(0.5)
})

function confidence(what: string, config: Partial<ConfidenceConfig>, window = 8): Subject {
  const isLogits = config.outputs === 'logits'
  const observe = (p: number[]) => ({ probabilities: isLogits ? p.map((v) => Math.log(v) + 3) : p })
  return {
    detector: 'confidence',
    name: `confidence, ${what}`,
    window,
    make: () => createDetector('confidence', config),
    queries: (count) => {
      const next = random(SEED)
      return Array.from({ length: count }, () => observe(distribution(next, 4, 1 + 30 * next())))
    },
    bad: {
      nothing: {},
      'no object': 7,
      null: null,
      'an empty list': { probabilities: [] },
      'a string': { probabilities: '0.5' },
      NaN: { probabilities: [0.5, Number.NaN] },
      infinity: { probabilities: [0.5, Infinity] },
      'a string inside': { probabilities: ['0.5', '0.5'] },
      'null inside': { probabilities: [0.5, null] },
      'a nested list': { probabilities: [[0.25, 0.25, 0.25, 0.25]] },
      ...(isLogits ? {} : { 'a negative probability': { probabilities: [1.5, -0.5] } }),
      ...(config.mode === 'entropy' || config.normalize ? { zeros: { probabilities: [0, 0, 0] } } : {}),
      ...(config.mode === 'margin' ? { 'one class': { probabilities: [1] } } : {}),
    },
    foreign,
    labelled: () => {
      const next = random(SEED + 1)
      return Array.from({ length: 80 }, (_, i) => {
        const suspicious = i % 2 === 1
        return { observation: observe(distribution(next, 4, suspicious ? 2 : 40)), suspicious }
      })
    },
    async: {
      make: () => getDetector('confidence', { ...config, outputs: config.outputs ?? 'probabilities' }),
      queries: (count) => {
        const next = random(SEED)
        return Array.from({ length: count }, () => ({ modelOutput: observe(distribution(next, 4, 5)).probabilities }))
      },
      failing: { modelOutput: [] },
    },
  }
}

function repetition(
  detector: 'repetition' | 'image_repetition' | 'tabular_repetition' | 'text_repetition',
  what = 'equality',
  radius = 0,
): Subject {
  const config = { threshold: 3, maxHistorySize: 8, ...(detector === 'image_repetition' ? { radius } : {}) }
  const hash = (n: number) => `0123456789abcd${Math.floor(n).toString(16).padStart(2, '0')}`
  return {
    detector,
    name: `${detector}, ${what}`,
    window: 8,
    make: () => createDetector(detector, config),
    queries: (count) => {
      const next = random(SEED)
      return Array.from({ length: count }, () => ({ fingerprint: hash(256 * next() ** 3) }))
    },
    bad: {
      nothing: {},
      null: null,
      'an empty fingerprint': { fingerprint: '' },
      'a number': { fingerprint: 5 },
      'a long fingerprint': { fingerprint: 'a'.repeat(257) },
      ...(radius > 0 ? { 'no 64-bit hash': { fingerprint: 'abc' } } : {}),
    },
    foreign,
    labelled: () => {
      const next = random(SEED + 1)
      return Array.from({ length: 80 }, (_, i) => {
        const suspicious = i % 4 === 3
        const honest = Array.from({ length: 16 }, () => Math.floor(16 * next()).toString(16)).join('')
        return { observation: { fingerprint: suspicious ? hash(7) : honest }, suspicious }
      })
    },
    async: slowly(detector, config),
  }
}

function similarity(
  detector: 'similarity' | 'image_similarity' | 'tabular_similarity' | 'text_similarity',
  what: string,
  options: Partial<SimilarityConfig>,
  form: (v: Float64Array) => ArrayLike<number>,
  window = 8,
): Subject {
  const config = { maxHistorySize: window, ...options }
  const near = (v: Float64Array, next: () => number) => v.map((x) => x + 0.02 * (next() - 0.5))
  return {
    detector,
    name: `${detector}, ${what}`,
    window,
    make: () => createDetector(detector, config),
    queries: (count) => {
      const next = random(SEED)
      const seen: Float64Array[] = []
      return Array.from({ length: count }, (_, i) => {
        const v = i % 3 === 2 ? near(seen[i - 1]!, next) : vector(next, 12)
        seen.push(v)
        return { embedding: form(v) }
      })
    },
    // A query without a past is never suspicious, whatever the threshold.
    isSuspicious: (d, index) => index > 0 && d.score >= d.threshold,
    bad: {
      nothing: {},
      null: null,
      'an empty vector': { embedding: [] },
      'another length': { embedding: [1, 2, 3] },
      NaN: { embedding: Float64Array.from({ length: 12 }, (_, i) => (i === 5 ? Number.NaN : 1)) },
      infinity: { embedding: Array.from({ length: 12 }, () => Infinity) },
      strings: { embedding: Array.from({ length: 12 }, () => '1') },
    },
    foreign,
    labelled: () => {
      const next = random(SEED + 1)
      const target = vector(next, 12)
      // In pairs, so that a window of one query sees the earlier one of each.
      return Array.from({ length: 80 }, (_, i) => {
        const suspicious = i % 4 === 3
        return { observation: { embedding: form(i % 4 < 2 ? vector(next, 12) : near(target, next)) }, suspicious }
      })
    },
    async: slowly(detector, { ...config, threshold: options.threshold ?? 0.9 }),
  }
}

/** Rows: the window is long enough for the statistics of the columns to be learned and to be left again. */
function tabular(what: string, options: Partial<TabularSimilarityConfig>): Subject {
  const window = 30
  const config = { maxHistorySize: window, ...options }
  const jobs = ['clerk', 'nurse', 'cook', 'pilot']
  const person = (next: () => number) => ({
    id: Math.floor(1e6 * next()),
    age: next() < 0.2 ? null : `${18 + Math.floor(60 * next())}`,
    income: Math.floor(90_000 * next()),
    score: normal(next),
    job: jobs[Math.floor(4 * next())]!,
    ...(next() < 0.2 ? { phone: next() < 0.5 } : {}),
  })
  const near = (row: Row, next: () => number) => ({ ...row, income: Number(row['income']) + Math.floor(20 * next()) })
  return {
    detector: 'tabular_similarity',
    name: `tabular_similarity, ${what}`,
    window,
    make: () => createDetector('tabular_similarity', config),
    queries: (count) => {
      const next = random(SEED)
      const seen: Row[] = []
      return Array.from({ length: count }, (_, i) => {
        const row = i % 5 === 4 ? near(seen[i - 1 - Math.floor(4 * next())]!, next) : person(next)
        seen.push(row)
        return { row: { ...row } }
      })
    },
    isSuspicious: (d, index) => index > 0 && d.score >= d.threshold,
    bad: {
      nothing: {},
      null: null,
      'a list': { row: [1, 2] },
      'a row without columns': { row: {} },
      'NaN in a cell': { row: { age: 30, income: Number.NaN } },
      'an object in a cell': { row: { age: 30, income: {} } },
      'a column named __proto__': { row: JSON.parse('{"age": 1, "__proto__": 2}') },
      'an embedding among rows': { embedding: [1, 2, 3] },
      'a row and an embedding': { row: { age: 30 }, embedding: [1, 2, 3] },
      ...(options.schema === undefined
        ? {}
        : { 'a word for a number': { row: { age: 'old' } }, 'nothing but ignored columns': { row: { id: 5 } } }),
    },
    foreign,
    labelled: () => {
      const next = random(SEED + 1)
      const seen: Row[] = []
      return Array.from({ length: 80 }, (_, i) => {
        const suspicious = i % 4 === 3
        const row = suspicious ? near(seen[i - 2]!, next) : person(next)
        seen.push(row)
        return { observation: { row }, suspicious }
      })
    },
  }
}

/** Plug-ins that answer later for earlier queries, and fail for one. */
function slowly(detector: string, config: object): AsyncSubject {
  const inputs = ['alpha', 'beta', 'alpha', 'gamma', 'gamma ray', 'delta', 'alpha']
  return {
    make: (speed) => {
      let calls = 0
      const wait = async (input: unknown) => {
        const mine = calls++
        if (speed === 'slow') await sleep(20 - (mine % 20))
        if (JSON.stringify(input).includes('broken')) throw new Error('no features')
        return JSON.stringify(input)
      }
      const isSimilarity = detector.endsWith('similarity')
      const plugin = isSimilarity
        ? { embedder: async (input: unknown) => embedText(await wait(input)) }
        : { hash: async (input: unknown) => hexOf(await wait(input)) }
      return getDetector(detector as 'repetition', { ...config, ...plugin } as never)
    },
    queries: (count) =>
      Array.from({ length: count }, (_, i) => ({
        input: inputFor(detector, inputs[i % inputs.length]!, i % inputs.length),
      })),
    failing: { input: inputFor(detector, 'broken', 250) },
  }
}

function inputFor(detector: string, word: string, shade: number): unknown {
  if (detector.startsWith('tabular')) return { word }
  if (!detector.startsWith('image')) return word
  return {
    data: Uint8Array.of(word === 'broken' ? 1 : shade),
    width: word === 'broken' ? 2 : 1,
    height: 1,
    channels: 1,
  }
}

function hexOf(text: string): string {
  let n = 7
  for (const c of text) n = Math.imul(n, 31) + c.charCodeAt(0)
  return (n >>> 0).toString(16).padStart(16, '0')
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a).reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0))
}
