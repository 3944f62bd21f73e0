/** Which rule of evidence a monitor goes by, for clients and for groups. */

import { MonitorError } from '../../errors.ts'
import { log } from '../../math.ts'
import { limitOf, type ReadMonitorCalibration, type ReadUnits } from '../calibration/record.ts'
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
  const { assurance } = calibration.record
  const rule = (units: ReadUnits) => calibratedRule(units, { policy, assurance, path })
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
  const share = ofGroups.length > 0 && own.length > 0 ? alpha / 2 : alpha
  return {
    clients: processRule(own, { policy, alpha: share, path }),
    groups: ofGroups.length === 0 ? undefined : processRule(ofGroups, { policy, alpha: share, path }),
  }
}

function processRule(
  slots: readonly number[],
  { policy, alpha, path }: { readonly policy: Policy; readonly alpha: number; readonly path: string },
): EvidenceRule {
  const bets = slots.flatMap((slot) => betsOn(slot, P_LEVELS))
  const book = evenBook(bets, policy.halfLifeMs)
  return {
    kind: 'e-process',
    throttleAt: -log(throttleAlphaOf(policy, alpha, path)),
    suspendAt: -log(alpha),
    make: () => new Betting(book, P_VALUE),
    pValue: () => undefined,
  }
}

function calibratedRule(
  { book, maxima, alpha }: ReadUnits,
  { policy, assurance, path }: { readonly policy: Policy; readonly assurance: number | null; readonly path: string },
): EvidenceRule {
  return {
    kind: 'calibrated',
    throttleAt: limitOf(maxima, { alpha: throttleAlphaOf(policy, alpha, path), assurance }),
    suspendAt: limitOf(maxima, { alpha, assurance }),
    make: () => new Betting(book, SCORE),
    pValue: (value) => maxima.pValue(value),
  }
}
