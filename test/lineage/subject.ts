/** The descent lineage before the laws. */
import { createDetector, type DescentLineageConfig, type Observation } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random } from '../tools/random.ts'
import { type Sent, session } from './sessions.ts'

const SEED = 20261124
const EXACT = 24
/** More than are kept exactly. */
const LONG = 300

/** Few queries and groups, so that the stream of the laws fills them and drives some out again. */
const SMALL = { ring: 6, adopted: 2, groups: 2 }

type Options = Partial<DescentLineageConfig> & {
  readonly size?: number
  readonly window?: number
  readonly labelOnly?: boolean
}

/** A subject with the detector's name, as the laws' test wants it; `size` numbers an input. */
function lineageSubject(
  what: string,
  { size = EXACT, window = 40, labelOnly = false, ...options }: Options = {},
): LawSubject<Observation> & { readonly detector: string } {
  const config = { ...SMALL, ...options }
  const outputs = config.outputs ?? 'probabilities'
  const isLogits = outputs === 'logits'
  const observe = ({ x, l }: Sent): Observation => ({ vector: x, probabilities: labelOnly ? oneHot(l) : l })
  const kind = options.groups === 1 ? 'staircase' : 'attack among others, with decoys'
  const stream = (count: number) => session(kind, { seed: SEED, size, budget: count, outputs })
  const good = { vector: new Float64Array(size).fill(0.5), probabilities: [0.25, 0.75] }
  return {
    detector: 'descent_lineage',
    name: `descent_lineage, ${what}`,
    window,
    make: () => createDetector('descent_lineage', config),
    // Every seventh comes twice.
    queries: (count) => {
      const sent = stream(count).flatMap((one, i) => (i % 7 === 6 ? [one, { x: one.x.slice(), l: [...one.l] }] : [one]))
      return sent.slice(0, count).map(observe)
    },
    bad: {
      nothing: {},
      null: null,
      'no output': { vector: good.vector },
      'no input': { probabilities: good.probabilities },
      'an empty vector': { ...good, vector: [] },
      'a vector that is too long': { ...good, vector: new Float32Array(16_385) },
      NaN: { ...good, vector: good.vector.map((v, i) => (i === 5 ? Number.NaN : v)) },
      infinity: { ...good, vector: Array.from(good.vector, () => Infinity) },
      strings: { ...good, vector: Array.from(good.vector, () => '0.5') },
      'one class': { ...good, probabilities: [1] },
      'NaN in the output': { ...good, probabilities: [0.5, Number.NaN] },
      ...(isLogits ? {} : { 'a negative probability': { ...good, probabilities: [1.5, -0.5] } }),
      ...(isLogits ? {} : { 'nothing but zeros': { ...good, probabilities: [0, 0] } }),
      ...(size === EXACT
        ? { 'a number without a scale': { ...good, vector: good.vector.map(() => 1e6) } }
        : { 'a number above 1': { ...good, vector: good.vector.map(() => 1.01) } }),
    },
    foreign: { detector: 'other', version: 1, state: {} },
    // Labels alone tell nothing: every score is 0.
    ...(labelOnly
      ? {}
      : {
          labelled: () =>
            labelled(size, outputs).map(([one, suspicious]) => ({ observation: observe(one), suspicious })),
        }),
    ...(size === EXACT ? {} : { async: picturesOf(config) }),
  }
}

/** An attack and, between its steps, pictures that nobody builds on. */
function labelled(size: number, outputs: 'probabilities' | 'logits'): (readonly [Sent, boolean])[] {
  const attack = session('staircase', { seed: SEED + 1, size, budget: 80, outputs })
  const honest = session('shuffled', { seed: SEED + 2, size, budget: 20, outputs })
  return attack.flatMap((one, i) =>
    i % 4 === 0 ? [[one, true] as const, [honest[i / 4]!, false] as const] : [[one, true] as const],
  )
}

function oneHot(l: readonly number[]): number[] {
  return l.map((value) => (value === Math.max(...l) ? 1 : 0))
}

function picturesOf(config: Partial<DescentLineageConfig>): NonNullable<LawSubject<Observation>['async']> {
  const isLogits = config.outputs === 'logits'
  return {
    make: () => getDetector('descent_lineage', config),
    queries: (count) => {
      const next = random(SEED)
      const data = Uint8Array.from({ length: 300 }, () => 256 * next())
      return Array.from({ length: count }, () => {
        const noisy = data.map((value) => Math.min(value + 4 * next(), 255))
        const p = 0.5 + 0.5 * next()
        return {
          input: { data: noisy, width: 10, height: 10, channels: 3 },
          modelOutput: isLogits ? [4 * p, 0] : [p, 1 - p],
        }
      })
    },
    failing: { input: 'a text', modelOutput: [0.5, 0.5] },
  }
}

/** Every mode that changes what is kept or said. */
export const lineageSubjects = [
  lineageSubject('short vectors'),
  lineageSubject('the defaults', { ring: 32, adopted: 4, groups: 8, size: LONG, window: 200 }),
  lineageSubject('rule S', { rule: 'S', alpha: 0.1, size: LONG }),
  lineageSubject('bytes', { storage: 'bytes', size: LONG }),
  lineageSubject('bytes, clipped, one number in fifty free', {
    storage: 'bytes',
    parent: 'clipped',
    gate: 'percentile98',
    size: LONG,
  }),
  lineageSubject('exact, clipped', { storage: 'exact', parent: 'clipped', outputs: 'logits' }),
  lineageSubject('logits', { outputs: 'logits', size: LONG }),
  lineageSubject('labels only', { labelOnly: true }),
  lineageSubject('one of everything', { ring: 1, adopted: 1, groups: 1, children: 1 }),
]
