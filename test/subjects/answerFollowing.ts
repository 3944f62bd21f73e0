/** Answer following before the laws. */
import { type AnswerFollowingConfig, createDetector, type Observation } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { climb, type Sent } from '../following/clients.ts'
import { random } from '../tools/random.ts'

const SEED = 20261130

type Subject = LawSubject<Observation> & { readonly detector: string }

function followingSubject(what: string, size: number, config: Partial<AnswerFollowingConfig> = {}): Subject {
  const isLogits = config.outputs === 'logits'
  const observe = ({ x, l }: Sent): Observation => ({ vector: x, probabilities: isLogits ? [...l] : softmax(l) })
  const good = { vector: new Float64Array(size).fill(0.5), probabilities: [0.25, 0.75] }
  return {
    detector: 'answer_following',
    name: `answer_following, ${what}`,
    window: 3 * (config.points ?? 64),
    make: () => createDetector('answer_following', config),
    // An attack among pictures of others; every seventh comes twice.
    queries: (count) => {
      const sent = climb(SEED, size, count).flatMap((one, i) =>
        i % 7 === 6 ? [one, { ...one, x: one.x.slice() }] : [one],
      )
      return sent.slice(0, count).map(observe)
    },
    bad: {
      nothing: {},
      null: null,
      'no output': { vector: good.vector },
      'no input': { probabilities: good.probabilities },
      'an empty vector': { ...good, vector: [] },
      'a vector that is too long': { ...good, vector: new Float32Array(16_385) },
      'another length': { ...good, vector: new Float64Array(size + 1) },
      'more classes': { ...good, probabilities: [0.25, 0.25, 0.5] },
      NaN: { ...good, vector: good.vector.map((v, i) => (i === 5 ? Number.NaN : v)) },
      strings: { ...good, vector: Array.from(good.vector, () => '0.5') },
      'one class': { ...good, probabilities: [1] },
      'NaN in the output': { ...good, probabilities: [0.5, Number.NaN] },
      'a number without a scale': { ...good, vector: good.vector.map(() => 1e6) },
      ...(size > 256 ? { 'a number above 1': { ...good, vector: good.vector.map(() => 1.01) } } : {}),
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () => climb(SEED + 1, size, 120).map((one) => ({ observation: observe(one), suspicious: one.isAttack })),
    ...(size > 256 ? { async: picturesOf(config) } : {}),
  }
}

function softmax(l: readonly number[]): number[] {
  const e = l.map((v) => Math.exp(v - Math.max(...l)))
  const sum = e.reduce((a, b) => a + b, 0)
  return e.map((v) => v / sum)
}

function picturesOf(config: Partial<AnswerFollowingConfig>): NonNullable<LawSubject<Observation>['async']> {
  const isLogits = config.outputs === 'logits'
  return {
    make: () => getDetector('answer_following', config),
    queries: (count) => {
      const next = random(SEED)
      const data = Uint8Array.from({ length: 300 }, () => 256 * next())
      return Array.from({ length: count }, () => {
        const p = 0.5 + 0.5 * next()
        const noisy = data.map((value) => Math.min(value + 4 * next(), 255))
        return {
          input: { data: noisy, width: 10, height: 10, channels: 3 },
          modelOutput: isLogits ? [4 * p, 0] : [p, 1 - p],
        }
      })
    },
    failing: { input: 'a text', modelOutput: [0.5, 0.5] },
  }
}

export const followingSubjects = [
  followingSubject('short vectors', 24, { points: 32 }),
  followingSubject('a sketch', 300),
  followingSubject('logits, another key', 300, { outputs: 'logits', key: 77, points: 40, alpha: 0.1 }),
]
