/** The coverage before the laws. */
import { type CoverageConfig, coverageProfile, createDetector, type Observation } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { distribution, random } from '../tools/random.ts'

const SEED = 20261124
const CLASSES = 4

type Subject = LawSubject<Observation> & { readonly detector: string }

function coverageSubject(what: string, options: Partial<CoverageConfig> = {}): Subject {
  const config = { maxHistorySize: 30, warmUp: 5, ...options }
  const isLogits = config.outputs === 'logits'
  const form = (p: number[]) => (isLogits ? p.map((v) => Math.log(v) + 3) : p)
  return {
    detector: 'coverage',
    name: `coverage, ${what}`,
    window: 30,
    make: () => createDetector('coverage', config),
    queries: (count) => answers(SEED, count, (i) => i % 40 < 20).map((p) => ({ probabilities: form(p) })),
    bad: {
      nothing: {},
      null: null,
      'an empty list': { probabilities: [] },
      'one class': { probabilities: [1] },
      'other classes': { probabilities: [0.5, 0.5] },
      NaN: { probabilities: [0.5, Number.NaN, 0.2, 0.1] },
      strings: { probabilities: ['1', '0', '0', '0'] },
      ...(isLogits ? {} : { 'a negative probability': { probabilities: [1.5, -0.5, 0, 0] } }),
      ...(isLogits ? {} : { zeros: { probabilities: [0, 0, 0, 0] } }),
    },
    foreign: { detector: 'other', version: 1, state: {} },
    // First a client of one class, then an explorer.
    labelled: () =>
      answers(SEED + 1, 120, (i) => i < 60).map((p, i) => ({
        observation: { probabilities: form(p) },
        suspicious: i >= 60,
      })),
    async: {
      make: () => getDetector('coverage', config),
      queries: (count) => answers(SEED, count, () => false).map((p) => ({ modelOutput: form(p) })),
      failing: { modelOutput: [] },
    },
  }
}

/** Sure answers of class 0, or answers of any class, sure or not. */
function answers(seed: number, count: number, isNarrow: (i: number) => boolean): number[][] {
  const next = random(seed)
  return Array.from({ length: count }, (_, i) => {
    const p = distribution(next, CLASSES, isNarrow(i) ? 40 : 1 + 10 * next())
    const turn = isNarrow(i) ? 0 : Math.floor(CLASSES * next())
    return [...p.slice(turn), ...p.slice(0, turn)]
  })
}

export const coverageSubjects = [
  coverageSubject('any cell alike'),
  coverageSubject('a profile', { benign: coverageProfile(answers(5, 200, (i) => i % 2 === 0)), threshold: 1.1 }),
  coverageSubject('logits', { outputs: 'logits' }),
  coverageSubject('classes alone', { edges: [] }),
]
