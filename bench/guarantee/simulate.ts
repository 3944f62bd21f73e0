/** One world after the other: the promise at two levels, what breaks it, and how long attackers last. */
import { ATTACKS, type Attack } from '../../test/guarantee/clients.ts'
import {
  attackOutcome,
  type Benign,
  benignOutcome,
  bothTraffics,
  calibrated,
  naiveProduct,
  type Share,
} from '../../test/guarantee/simulation.ts'
import {
  bankWorld,
  censusWorld,
  inventedWorld,
  missing,
  pictureWorld,
  type World,
} from '../../test/guarantee/worlds.ts'

export { LENGTHS } from '../../test/guarantee/simulation.ts'
export { missing }

export interface Amounts {
  readonly calibration: number
  readonly test: number
  readonly longest: number
  /** Exponent of the Pareto distribution of lengths. */
  readonly tail: number
  readonly attackers: number
}

export interface Outcome {
  readonly world: string
  readonly alpha: number
  readonly calibrationQueries: number
  /** With a record as it is made by default, with an assurance of 95 %. */
  readonly benign: Benign
  /** The same with a record that keeps the promise on average over calibrations only. */
  readonly average: Share
  readonly naive: Share
  /** Default thresholds and the leaky bucket. */
  readonly uncalibrated: Share
  readonly attacks: readonly {
    readonly kind: Attack
    readonly filler: number
    /** Queries of the attack until each attacker is suspended, ascending; Infinity for never. */
    readonly queries: readonly number[]
  }[]
}

const ALPHAS = [0.1, 0.01]
const FILLERS = [0, 10]
/** An attack ends after so many queries of its own. */
export const MOST_QUERIES = 400

export function worlds(): (() => World)[] {
  return missing.length > 0 ? [inventedWorld] : [inventedWorld, bankWorld, censusWorld, pictureWorld]
}

export function simulate(make: () => World, amounts: Amounts, tell: (what: string) => void): Outcome[] {
  const world = make()
  tell(`${world.name}: traffic`)
  const { calibration, test } = bothTraffics(world, amounts, amounts)
  const uncalibrated = benignOutcome(world, test, {}).suspended
  return ALPHAS.map((alpha) => {
    tell(`${world.name}, alpha ${alpha}: calibration on ${calibration.length} queries`)
    const record = calibrated(world, calibration, alpha)
    tell(`${world.name}, alpha ${alpha}: ${test.length} benign queries`)
    const benign = benignOutcome(world, test, { calibration: record })
    const average = benignOutcome(world, test, { calibration: calibrated(world, calibration, alpha, 0) }).suspended
    const naive = naiveProduct(world, calibration, test, alpha)
    tell(`${world.name}, alpha ${alpha}: attackers`)
    const attacks = ATTACKS.flatMap((kind) =>
      FILLERS.map((filler) => {
        const found = attackOutcome(world, record, { kind, filler, count: MOST_QUERIES, attackers: amounts.attackers })
        return { kind, filler, queries: found.sort((a, b) => a - b) }
      }),
    )
    return {
      world: world.name,
      alpha,
      calibrationQueries: calibration.length,
      benign,
      average,
      naive,
      uncalibrated,
      attacks,
    }
  })
}
