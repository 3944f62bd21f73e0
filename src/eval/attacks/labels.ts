/** What attacks that look at labels alone have in common: where they begin, what they measure, when they have succeeded. */
import { MonitorError } from '../../core/index.ts'
import { distance, largestChange } from '../picture.ts'
import type { Answer, Oracle, Picture, Task } from '../types.ts'
import { type Aim, isReached } from './aims.ts'

export type Norm = 'linf' | 'l2'

export interface LabelConfig {
  /** How the distance from the source is measured. */
  readonly norm: Norm
  /** A wrong answer counts as the aim up to this distance. Default 12.75/255 in L∞, 1 in L2. */
  readonly within: number
}

export interface StartConfig {
  /** Where the search begins: uniform noise, or a picture of another class from the pool. Default `noise`. */
  readonly start: 'noise' | 'pool'
  /** Which answers are wrong. A start from noise hardly ever reaches `next`. Default `any`. */
  readonly aim: Aim
}

/** Asks for a picture: true if the answer is a wanted one. */
export type IsWrong = (x: Picture) => Promise<boolean>

/** Uniform noise is drawn at most this often (HopSkipJump's release). */
const MOST_NOISE = 10_000

/** For sums of rounded differences. */
const ROUNDING = 1e-9

export function distanceIn(norm: Norm, x: Picture, y: Picture): number {
  return norm === 'l2' ? distance(x, y) : largestChange(x, y)
}

/** A wanted answer near the source. */
export function succeedsNear(config: LabelConfig & { readonly aim?: Aim }, task: Task<Picture>) {
  const isWanted = isReached(config.aim ?? 'any', task)
  return (x: Picture, answer: Answer) =>
    isWanted(answer) && distanceIn(config.norm, x, task.source) <= config.within + ROUNDING
}

export function askingWhetherWrong(oracle: Oracle<Picture>, task: Task<Picture>, aim: Aim): IsWrong {
  const isWanted = isReached(aim, task)
  return async (x) => isWanted(await oracle.ask(x))
}

/** A picture with a wanted answer, however far away; undefined if none was found. */
export async function findStart(
  oracle: Oracle<Picture>,
  task: Task<Picture>,
  { start, aim }: StartConfig,
): Promise<Picture | undefined> {
  const isWrong = askingWhetherWrong(oracle, task, aim)
  for (const x of start === 'noise' ? noises(oracle, task) : others(oracle, task, aim)) if (await isWrong(x)) return x
  return undefined
}

function* noises({ random }: Oracle<Picture>, { source }: Task<Picture>): Generator<Picture> {
  for (let n = 0; n < MOST_NOISE; n++) yield source.map(() => random.next())
}

function others({ random }: Oracle<Picture>, { pool, label, classes }: Task<Picture>, aim: Aim): Picture[] {
  const target = (label + 1) % classes
  const fit = pool.filter((one) => (aim === 'any' ? one.label !== label : one.label === target))
  if (fit.length === 0) {
    const wanted = aim === 'any' ? `a class other than ${label}` : `class ${target}`
    throw new MonitorError('bad_config', `start 'pool' needs a picture of ${wanted}; the pool has none`, 'start')
  }
  return random.shuffled(fit).map(({ input }) => input)
}

/** Bisects the way from the source to a wrong picture, and returns the nearest wrong one. The tolerance is a share of the way. */
export async function blendedBack(
  isWrong: IsWrong,
  source: Picture,
  wrong: Picture,
  tolerance: number,
): Promise<Picture> {
  const at = (share: number) => blend(source, wrong, share)
  return at(await bisect(1, tolerance, (share) => isWrong(at(share))))
}

/** (1 − share) · x + share · y */
export function blend(x: Picture, y: Picture, share: number): Picture {
  const z = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) z[i] = (1 - share) * x[i]! + share * y[i]!
  return z
}

/** The smallest number in [0, high], to the tolerance, that is known to hold; `high` is taken to hold. */
export async function bisect(
  high: number,
  tolerance: number,
  holds: (middle: number) => Promise<boolean>,
): Promise<number> {
  let low = 0
  while (high - low > tolerance) {
    const middle = (low + high) / 2
    if (await holds(middle)) high = middle
    else low = middle
  }
  return high
}
