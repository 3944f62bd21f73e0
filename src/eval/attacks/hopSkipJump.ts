/**
 * HopSkipJump: to the boundary, an estimate of its slope there from the labels of probes around, a hop, and back to the
 * boundary. Written from the paper's formulas.
 */
import { defineAttack } from '../define.ts'
import { moved } from '../picture.ts'
import type { Answer, Oracle, Picture, Task } from '../types.ts'
import { isReached } from './aims.ts'
import {
  askingWhetherWrong,
  blend,
  blendedBack,
  distanceIn,
  findStart,
  type LabelConfig,
  type StartConfig,
  succeedsNear,
} from './labels.ts'

export interface HopSkipJumpConfig extends LabelConfig, StartConfig {
  /** Scale of the bisection's tolerance. Default 1. */
  readonly gamma: number
  /** Probes of the first round; round t has √t as many. Default 100. */
  readonly probes: number
  /** Probes of any round at most. Default 10 000. */
  readonly mostProbes: number
  /** Default 40. */
  readonly rounds: number
}

/** What an attacker does about refusals. The plain attack takes them for right answers, and learns nothing from them. */
export interface Habits {
  /** Least L2 radius of the probes, found at the first point on the boundary. */
  leastRadius(x: Picture): Promise<number>
  /** Rounds of probes that a slope may take until enough of them are answered. */
  readonly slopeRounds: number
  /** Slopes that are tried from one point while hops are refused. */
  readonly hops: number
  /** A refusal ends a bisection. */
  readonly stopsAtRefusal: boolean
}

const PLAIN: Habits = { leastRadius: async () => 0, slopeRounds: 1, hops: 1, stopsAtRefusal: false }

/** Of a hop: its size is then below a billionth of the distance, and nothing is won by going on. */
const MOST_HALVINGS = 30

/** Tolerance of the first bisection, as a share of the way (release). */
const FIRST_TOLERANCE = 1e-3

const common = {
  kind: 'image',
  sees: 'label',
  paper: 'Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv 1904.02144',
} as const

export const defaults: HopSkipJumpConfig = {
  norm: 'linf',
  within: 12.75 / 255,
  start: 'noise',
  aim: 'any',
  gamma: 1,
  probes: 100,
  mostProbes: 10_000,
  rounds: 40,
}

export const hopSkipJump = defineAttack({
  ...common,
  name: 'hopskipjump',
  summary: 'labels alone: bisections to the boundary, probes around, a hop along the slope; L∞',
  defaults,
  succeeds: succeedsNear,
  run: (oracle, task, config) => hopTowards(oracle, task, config, PLAIN),
})

export const hopSkipJumpL2 = defineAttack({
  ...common,
  name: 'hopskipjump_l2',
  summary: 'labels alone: bisections to the boundary, probes around, a hop along the slope; L2',
  defaults: { ...defaults, norm: 'l2', within: 1 } as HopSkipJumpConfig,
  succeeds: succeedsNear,
  run: (oracle, task, config) => hopTowards(oracle, task, config, PLAIN),
})

export async function hopTowards(
  oracle: Oracle<Picture>,
  task: Task<Picture>,
  config: HopSkipJumpConfig,
  habits: Habits,
): Promise<void> {
  const { source } = task
  const { norm } = config
  const isWanted = isReached(config.aim, task)
  const isWrong = askingWhetherWrong(oracle, task, config.aim)
  const size = source.length
  const theta = config.gamma / (norm === 'l2' ? size * Math.sqrt(size) : size * size)
  const far = await findStart(oracle, task, config)
  if (far === undefined) return
  const start = await blendedBack(isWrong, source, far, FIRST_TOLERANCE)
  let before = distanceIn(norm, start, source)
  let x = await toBoundary(start)
  const least = await habits.leastRadius(x)
  for (let t = 1; t <= config.rounds; t++) {
    const rule = t === 1 ? 0.1 : (norm === 'l2' ? Math.sqrt(size) : size) * theta * before
    const hopped = await hop(t, Math.max(rule, least))
    if (hopped === undefined) continue
    before = distanceIn(norm, hopped, source)
    x = await toBoundary(hopped)
  }

  /** The wrong picture nearest to the source on the way from x: along the line in L2, clipped to a cube in L∞. */
  async function toBoundary(wrong: Picture): Promise<Picture> {
    const length = norm === 'l2' ? 1 : distanceIn(norm, wrong, source)
    const at = (share: number) => (norm === 'l2' ? blend(source, wrong, share) : clippedTo(wrong, source, share))
    let [low, high] = [0, length]
    while (high - low > theta * Math.min(length, 1)) {
      const middle = (low + high) / 2
      const answer = await oracle.ask(at(middle))
      if (answer.refused && habits.stopsAtRefusal) break
      if (isWanted(answer)) high = middle
      else low = middle
    }
    return at(high)
  }

  /** A wrong picture along the slope; undefined if no hop, however small, was wrong. */
  async function hop(t: number, radius: number): Promise<Picture | undefined> {
    for (let tries = 0; tries < habits.hops; tries++) {
      const slope = await slopeAt(radius, Math.min(Math.floor(config.probes * Math.sqrt(t)), config.mostProbes))
      let step = distanceIn(norm, x, source) / Math.sqrt(t)
      for (let halvings = 0; halvings <= MOST_HALVINGS; halvings++, step /= 2) {
        const hopped = moved(x, slope, step)
        const answer = await oracle.ask(hopped)
        if (isWanted(answer)) return hopped
        if (answer.refused && habits.stopsAtRefusal) break
      }
    }
    return undefined
  }

  async function slopeAt(radius: number, count: number): Promise<Float64Array> {
    const probes: Probe[] = []
    for (let round = 0; round < habits.slopeRounds && probes.length < count; round++) {
      const changes = Array.from({ length: count - probes.length }, () => drawn(radius))
      const answers = await oracle.askAll(changes.map((u) => moved(x, u)))
      for (const [n, answer] of answers.entries()) {
        if (!answer.refused) probes.push({ change: clippedChange(x, changes[n]!), sign: signOf(answer) })
      }
    }
    return slopeOf(probes, size, norm)
  }

  function signOf(answer: Answer): number {
    return isWanted(answer) ? 1 : -1
  }

  /** A random change of this length in L2: normal numbers in L2, uniform ones in L∞. */
  function drawn(radius: number): Float64Array {
    const { random } = oracle
    const u = norm === 'l2' ? random.normals(size) : new Float64Array(size).map(() => 2 * random.next() - 1)
    return scaledTo(u, radius)
  }
}

export interface Probe {
  /** What the picture was changed by, after clipping. */
  readonly change: Float64Array
  /** 1 where the answer was a wanted one, −1 where not. */
  readonly sign: number
}

/** The direction in which wrong answers lie: of length 1 in L2; signs in L∞. Zero without probes. */
export function slopeOf(probes: readonly Probe[], size: number, norm: 'linf' | 'l2'): Float64Array {
  const mean = probes.reduce((sum, { sign }) => sum + sign, 0) / probes.length
  const slope = new Float64Array(size)
  for (const { change, sign } of probes) {
    const weight = Math.abs(mean) === 1 ? mean : sign - mean
    for (let i = 0; i < size; i++) slope[i]! += weight * change[i]!
  }
  return norm === 'l2' ? scaledTo(slope, 1) : slope.map(Math.sign)
}

/** u at this length, in place; nothing is made of zero. */
export function scaledTo(u: Float64Array, length: number): Float64Array {
  let sum = 0
  for (let i = 0; i < u.length; i++) sum += u[i]! ** 2
  const scale = sum === 0 ? 0 : length / Math.sqrt(sum)
  for (let i = 0; i < u.length; i++) u[i]! *= scale
  return u
}

function clippedChange(x: Picture, change: Float64Array): Float64Array {
  const y = moved(x, change)
  for (let i = 0; i < y.length; i++) y[i]! -= x[i]!
  return y
}

function clippedTo(x: Picture, centre: Picture, ball: number): Picture {
  const y = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) y[i] = Math.min(Math.max(x[i]!, centre[i]! - ball), centre[i]! + ball)
  return y
}
