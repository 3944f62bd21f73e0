/** How a client or a group stands, as verdicts tell it. Written out, and not spread, which takes as long as the detection. */
import type { EvidenceRule } from './evidence/evidence.ts'
import type { Policy } from './policy.ts'
import { type Suspension, toldOf } from './suspensions.ts'
import type { Verdict } from './verdict.ts'

/** For an object under construction. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export function standingOf(id: string, evidence: number, rule: EvidenceRule): Writable<Verdict['client']> {
  const pValue = rule.pValue(evidence)
  return pValue === undefined ? { id, evidence } : { id, evidence, pValue }
}

/** Adds the suspension in force. */
export function addSuspension(to: Writable<Verdict['client']>, suspension: Suspension, policy: Policy): void {
  const { suspendedUntilMs, suspendedSinceMs } = toldOf(suspension, policy)
  to.suspendedUntilMs = suspendedUntilMs
  if (suspendedSinceMs !== undefined) to.suspendedSinceMs = suspendedSinceMs
}
