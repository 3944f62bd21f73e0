/** Which rule of evidence a monitor goes by, for clients and for groups. */

import { MonitorError } from '../../errors.ts'
import { log } from '../../math.ts'
import {
  type Limits,
  limitsOf,
  type Promises,
  type ReadMonitorCalibration,
  type ReadUnits,
} from '../calibration/record.ts'
import { type Policy, type PolicyConfig, refuseCounting, throttleAlphaOf } from '../policy.ts'
import type { Slot } from '../slots.ts'
import { Betting, P_VALUE, SCORE } from './betting.ts'
import { betsOn, evenBook, P_LEVELS } from './book.ts'
import { countingRule } from './counting.ts'
import type { EvidenceRule } from './evidence.ts'

export interface Rules {
  readonly clients: EvidenceRule
  /** Undefined: groups have no evidence. */
  readonly groups: EvidenceRule | undefined
}

/**
 * With a calibration of the whole, what it says. Else, with an alpha in the policy, bets on the p-values of the detectors
 * that are calibrated. Else suspicious queries are counted. Throws `bad_config` for a policy that says what does not apply.
 */
export function evidenceRules(
  slots: readonly Slot[],
  {
    policy,
    config,
    path,
  }: { readonly policy: Policy; readonly config: PolicyConfig | undefined; readonly path: string },
  calibration: ReadMonitorCalibration | undefined,
): Rules {
  if (calibration === undefined && policy.alpha === null) return countingRules(slots, policy)
  refuseCounting(config, path)
  if (calibration === undefined) return processRules(slots, policy, policy.alpha!, path)
  const given = (['alpha', 'halfLifeMs'] as const).find((key) => config?.[key] !== undefined)
  if (given !== undefined) {
    throw new MonitorError('bad_config', 'is part of the calibration: leave it out here', `${path}.${given}`)
  }
  const { alpha, assurance } = calibration.record
  const promises = { alpha, assurance, throttleAlpha: throttleAlphaOf(policy, alpha, path) }
  const rule = (units: ReadUnits) => calibratedRule(units, promises)
  return {
    clients: rule(calibration.clients),
    groups: calibration.groups === null ? undefined : rule(calibration.groups),
  }
}

function placesOf(slots: readonly Slot[], isWanted: (slot: Slot) => boolean): number[] {
  return slots.flatMap((slot, i) => (isWanted(slot) ? [i] : []))
}

function countingRules(slots: readonly Slot[], policy: Policy): Rules {
  const own = placesOf(slots, ({ scope }) => scope !== 'group')
  const ofGroups = placesOf(slots, ({ scope }) => scope === 'group')
  return {
    clients: countingRule({ ...policy, slots: own }),
    groups: ofGroups.length === 0 ? undefined : countingRule({ ...policy, slots: ofGroups }),
  }
}

function processRules(slots: readonly Slot[], policy: Policy, alpha: number, path: string): Rules {
  const own = placesOf(slots, ({ scope, calibration }) => calibration !== undefined && scope !== 'group')
  const ofGroups = placesOf(slots, ({ scope, calibration }) => calibration !== undefined && scope === 'group')
  if (own.length + ofGroups.length === 0) {
    const message = 'needs calibrated detectors: give them a calibration, or the monitor one'
    throw new MonitorError('bad_config', message, `${path}.alpha`)
  }
  const parts = ofGroups.length > 0 && own.length > 0 ? 2 : 1
  const limits = {
    throttleAt: -log(throttleAlphaOf(policy, alpha, path) / parts),
    suspendAt: -log(alpha / parts),
  }
  return {
    clients: processRule(own, limits, policy),
    groups: ofGroups.length === 0 ? undefined : processRule(ofGroups, limits, policy),
  }
}

function processRule(slots: readonly number[], limits: Limits, { halfLifeMs }: Policy): EvidenceRule {
  const bets = slots.flatMap((slot) => betsOn(slot, P_LEVELS))
  const book = evenBook(bets, halfLifeMs)
  return {
    kind: 'e-process',
    ...limits,
    make: (queries) => new Betting(book, P_VALUE, queries),
    pValue: () => undefined,
  }
}

function calibratedRule(units: ReadUnits, promises: Promises): EvidenceRule {
  const { book, maxima } = units
  return {
    kind: 'calibrated',
    ...limitsOf(units, promises),
    make: (queries) => new Betting(book, SCORE, queries),
    pValue: (value) => maxima.pValue(value),
  }
}
