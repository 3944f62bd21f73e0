/** The options of the descent lineage, checked. */
import { checkChoice, checkNumber, refuse } from '../../checkers.ts'
import { log } from '../../math.ts'
import type { Storage } from './points.ts'

const RULES = ['M', 'S'] as const
const GATES = ['largest', 'percentile98'] as const
const PARENTS = ['distance', 'clipped'] as const
const STORAGES: readonly Storage[] = ['projected', 'bytes', 'exact']
const EVICTIONS = ['oldest', 'unadopted'] as const
const OUTPUTS = ['probabilities', 'logits'] as const

/** All of them optional. The defaults are those of the frozen prototype. */
export interface DescentLineageConfig {
  /**
   * What makes a query suspicious. `S`: the e-process alone, whose false alarms are bounded by `alpha` whatever the length
   * of a stream. `M`: S, or a steady and large fall; calibrated only, and faster. Default `M`.
   */
  readonly rule: (typeof RULES)[number]
  /** Share of the paths of an untilted client that may ever reach rule S, 1e-9 … 0.5. Default 0.01. */
  readonly alpha: number
  /** Share of its evidence that rule S stakes on each adoption, 0.01 … 0.99. Default 0.9. */
  readonly stake: number
  /** Later queries that build on a query before it counts as adopted, 1 … 100. Default 3. */
  readonly children: number
  /** Largest change of one number between parent and child, in 1/255 of the full range, whole, 1 … 255. Default 20. */
  readonly maxStep: number
  /**
   * What must not exceed `maxStep`: the `largest` change of a number, or the 98th percentile of all (`percentile98`: one
   * number in fifty is free, so that a single inverted pixel is no escape). Default `largest`.
   */
  readonly gate: (typeof GATES)[number]
  /**
   * How the nearest earlier query is found: by Euclidean `distance`, or with each difference `clipped` at `maxStep` (needs
   * the storage `bytes` or `exact`). Default `distance`.
   */
  readonly parent: (typeof PARENTS)[number]
  /**
   * What is kept of inputs of more than 256 numbers, which must lie in 0 … 1. `projected`: 256 signed sums to find the
   * nearest, and 8 bits a number. `bytes`: 8 bits a number alone; a fifth less memory, slower, and blind to steps below
   * 1/255. `exact`: 32 bits a number in any range. Shorter inputs are always kept exactly. Default `projected`.
   */
  readonly storage: Storage
  /** Chooses the signs of the projection, a whole number from 0 on. Who knows them can hide steps. Default 0. */
  readonly key: number
  /** Queries remembered in each group besides the adopted ones, 1 … 1024. Default 32. */
  readonly ring: number
  /** Adopted queries remembered in each group, 1 … 64. Default 4. */
  readonly adopted: number
  /** Groups remembered, 1 … 1024. Default 8. */
  readonly groups: number
  /**
   * Which group leaves when there are too many: the least recently used (`oldest`), or the least recently used of those in
   * which nothing was adopted, if there is one (`unadopted`), so that unrelated filler drives no attack out. Default `oldest`.
   */
  readonly evict: (typeof EVICTIONS)[number]
  /** Rule M: adoptions that were the lowest of their path, 1 … 100. Default 3. */
  readonly records: number
  /** By how much an adoption must lie below the lowest before it to be one of them, in nats. Default 0.03. */
  readonly recordStep: number
  /** Rule M: fall of the margin since the group began, in nats, above 0. Model-specific. Default 3. */
  readonly drop: number
  /** Rule M: the same fall as a share of the first margin, 0 … 10. Default 0.35. */
  readonly relativeDrop: number
  /** Rule M: (falls − rises) ÷ (falls + rises) along the path, above 0, at most 1. Default 0.8. */
  readonly ratio: number
  /** What the model gives. Default `probabilities`. */
  readonly outputs: (typeof OUTPUTS)[number]
}

export const LINEAGE_DEFAULTS: DescentLineageConfig = {
  rule: 'M',
  alpha: 0.01,
  stake: 0.9,
  children: 3,
  maxStep: 20,
  gate: 'largest',
  parent: 'distance',
  storage: 'projected',
  key: 0,
  ring: 32,
  adopted: 4,
  groups: 8,
  evict: 'oldest',
  records: 3,
  recordStep: 0.03,
  drop: 3,
  relativeDrop: 0.35,
  ratio: 0.8,
  outputs: 'probabilities',
}

/** Smallest and largest value of each number; `true` for whole ones. */
const RANGES = {
  alpha: [1e-9, 0.5, false],
  stake: [0.01, 0.99, false],
  children: [1, 100, true],
  maxStep: [1, 255, true],
  key: [0, Number.MAX_SAFE_INTEGER, true],
  ring: [1, 1024, true],
  adopted: [1, 64, true],
  groups: [1, 1024, true],
  records: [1, 100, true],
  recordStep: [0, 1e6, false],
  drop: [1e-6, 1e6, false],
  relativeDrop: [0, 10, false],
  ratio: [1e-6, 1, false],
} as const

/** Checks every option. Throws `bad_config`. */
export function checkLineage(config: DescentLineageConfig, path: string): DescentLineageConfig {
  for (const [name, [min, max, integer]] of Object.entries(RANGES)) {
    checkNumber(config[name as keyof typeof RANGES], { min, max, integer }, `${path}.${name}`)
  }
  checkChoice(config.rule, RULES, `${path}.rule`)
  checkChoice(config.gate, GATES, `${path}.gate`)
  checkChoice(config.parent, PARENTS, `${path}.parent`)
  checkChoice(config.storage, STORAGES, `${path}.storage`)
  checkChoice(config.evict, EVICTIONS, `${path}.evict`)
  checkChoice(config.outputs, OUTPUTS, `${path}.outputs`)
  if (config.parent === 'clipped' && config.storage === 'projected') {
    refuse(
      'bad_config',
      "must be 'bytes' or 'exact' with parent 'clipped': sums cannot be clipped",
      config.storage,
      `${path}.storage`,
    )
  }
  return { ...config }
}

/** The logarithms that rule S adds up. */
export interface Stakes {
  /** Evidence that alarms: ln(1 / alpha). */
  readonly limit: number
  readonly fall: number
  readonly rise: number
}

export function stakesOf({ alpha, stake }: DescentLineageConfig): Stakes {
  return { limit: -log(alpha), fall: log(1 + stake), rise: log(1 - stake) }
}
