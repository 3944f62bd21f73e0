/** The hardness histogram before the laws. */
import {
  createDetector,
  type FitHardnessOptions,
  fitHardness,
  type HardnessHistogramConfig,
  type Observation,
} from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { distribution, random } from '../tools/random.ts'

const SEED = 20261124
const CLASSES = 4
const STAGES = 5

type Subject = LawSubject<Observation> & { readonly detector: string }

function hardnessSubject(
  what: string,
  options: Partial<HardnessHistogramConfig> = {},
  fit: FitHardnessOptions = {},
): Subject {
  const isLogits = options.outputs === 'logits'
  const form = (p: number[]) => (isLogits ? p.map((v) => Math.log(v) + 3) : p)
  const make = (seed: number, count: number, isHard: (i: number) => boolean) =>
    answers(seed, count, isHard).map(({ probabilities, checkpoints }) => ({
      probabilities: form(probabilities),
      checkpoints,
    }))
  const clients = Array.from({ length: 40 }, (_, i) => make(i, 30, () => false))
  const outputs = options.outputs ?? 'probabilities'
  const config = { reference: fitHardness(clients, { queries: 20, alpha: 0.1, outputs, ...fit }), ...options }
  const isStaged = fit.form?.kind === 'checkpoints'
  return {
    detector: 'hardness_histogram',
    name: `hardness_histogram, ${what}`,
    window: 20,
    make: () => createDetector('hardness_histogram', config),
    queries: (count) => make(SEED, count, (i) => i % 50 < 25),
    isSuspicious: (d) => d.score > d.threshold,
    bad: {
      nothing: {},
      null: null,
      ...(isStaged
        ? {
            'too few labels': { checkpoints: [1, 2] },
            'half a label': { checkpoints: [1, 2, 3, 4, 0.5] },
            'a negative label': { checkpoints: [1, 2, 3, 4, -1] },
            'words for labels': { checkpoints: ['a', 'b', 'c', 'd', 'e'] },
          }
        : {
            'an empty list': { probabilities: [] },
            'one class': { probabilities: [1] },
            NaN: { probabilities: [0.5, Number.NaN, 0.2, 0.1] },
            strings: { probabilities: ['1', '0', '0', '0'] },
          }),
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () => make(SEED + 1, 120, (i) => i >= 60).map((observation, i) => ({ observation, suspicious: i >= 70 })),
    async: {
      make: () => getDetector('hardness_histogram', config),
      queries: (count) =>
        make(SEED, count, () => false).map(({ probabilities, checkpoints }) => ({
          modelOutput: probabilities,
          metadata: { checkpoints },
        })),
      failing: { modelOutput: isStaged ? [0.5, 0.5] : [] },
    },
  }
}

interface Answer {
  readonly probabilities: number[]
  readonly checkpoints: number[]
}

/** Sure answers that the first checkpoints knew already, or unsure ones that none knew. */
function answers(seed: number, count: number, isHard: (i: number) => boolean): Answer[] {
  const next = random(seed)
  return Array.from({ length: count }, (_, i) => {
    const probabilities = distribution(next, CLASSES, isHard(i) ? 2 : 5 + 60 * next())
    const known = isHard(i) ? STAGES - 1 - Math.floor(2 * next()) : Math.floor(3 * next() * next())
    const checkpoints = Array.from({ length: STAGES }, (_, stage) => (stage >= known ? 3 : stage))
    return { probabilities, checkpoints }
  })
}

export const hardnessSubjects = [
  hardnessSubject('the margin in tenths'),
  hardnessSubject('logits, Jensen and Shannon', { outputs: 'logits' }, { distance: 'jensen_shannon' }),
  hardnessSubject('checkpoints', { threshold: 0.3 }, { form: { kind: 'checkpoints', checkpoints: STAGES } }),
]
