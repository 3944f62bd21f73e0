/** The options of answer following, checked, and the constants of its tests. */
import { checkChoice, checkNumber } from '../../checkers.ts'
import { log } from '../../math.ts'

const OUTPUTS = ['probabilities', 'logits'] as const

/** All of them optional. */
export interface AnswerFollowingConfig {
  /**
   * Share of the paths of a client who does not follow the answers that may ever be flagged, whatever their length, by any of
   * the three tests, 1e-9 … 0.5. Default 0.01.
   */
  readonly alpha: number
  /** Inputs remembered, 32 … 1024. Default 64. */
  readonly points: number
  /**
   * Largest distance of a child from its parent, as the root of the mean squared change of a number in 1/255 of the full
   * range, 1 … 255. Default 20.
   */
  readonly maxStep: number
  /** Chooses the signs of the sketch, a whole number from 0 on. Who knows them can hide steps. Default 0. */
  readonly key: number
  /** What the model gives. Default `probabilities`. */
  readonly outputs: (typeof OUTPUTS)[number]
}

export const FOLLOWING_DEFAULTS: AnswerFollowingConfig = {
  alpha: 0.01,
  points: 64,
  maxStep: 20,
  key: 0,
  outputs: 'probabilities',
}

/** Checks every option. Throws `bad_config`. */
export function checkFollowing(config: AnswerFollowingConfig, path: string): AnswerFollowingConfig {
  checkNumber(config.alpha, { min: 1e-9, max: 0.5 }, `${path}.alpha`)
  checkNumber(config.points, { min: 32, max: 1024, integer: true }, `${path}.points`)
  checkNumber(config.maxStep, { min: 1, max: 255 }, `${path}.maxStep`)
  checkNumber(config.key, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true }, `${path}.key`)
  checkChoice(config.outputs, OUTPUTS, `${path}.outputs`)
  return config
}

/** Evidence that alarms, in nats: each of the three tests has a third of alpha. */
export function limitFor(alpha: number): number {
  return log(3 / alpha)
}
