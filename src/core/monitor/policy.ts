/**
 * From detections to an action. The evidence against a client is a leaky bucket: each suspicious query adds one, and a
 * fixed amount fades per minute, so it decays by time and filler queries do not flush it. It counts; it is not
 * calibrated: how often an honest client reaches a limit depends on the detectors' thresholds.
 */
import { checkChoice, checkNumber, checkObject } from '../checkers.ts'

/** From mild to strict: serve · serve and tell · refuse this query · refuse the client for a while. */
export type Action = 'allow' | 'flag' | 'throttle' | 'suspend'

export interface PolicyConfig {
  /** `observe` only tells; `enforce` also refuses, through `admit` and the verdict's action. Default `observe`. */
  readonly mode?: 'observe' | 'enforce'
  /**
   * What a query means that a detector could not judge. `closed`: as a suspicious one that is refused, without evidence
   * against the client; `open`: the other detectors decide. Errors are in the verdict either way. Default `closed`.
   */
  readonly onError?: 'open' | 'closed'
  /** Evidence from which queries are refused one by one, at least 1. Default 5. */
  readonly throttleAt?: number
  /** Evidence from which the client is suspended, at least `throttleAt`. Default 10. */
  readonly suspendAt?: number
  /** Length of a suspension in ms. Default one hour. */
  readonly suspendForMs?: number
  /** Evidence that fades each minute of the stream's time; 0 keeps it for ever. Default 1. */
  readonly fadePerMinute?: number
}

export type Policy = Required<PolicyConfig>

const DEFAULTS: Policy = {
  mode: 'observe',
  onError: 'closed',
  throttleAt: 5,
  suspendAt: 10,
  suspendForMs: 3_600_000,
  fadePerMinute: 1,
}

/** Checks a policy and fills its gaps. Throws `bad_config`. */
export function checkPolicy(config: PolicyConfig = {}, path = 'policy'): Policy {
  checkObject(config, Object.keys(DEFAULTS), path)
  const policy: Policy = { ...DEFAULTS, ...config }
  checkChoice(policy.mode, ['observe', 'enforce'], `${path}.mode`)
  checkChoice(policy.onError, ['open', 'closed'], `${path}.onError`)
  checkNumber(policy.throttleAt, { min: 1 }, `${path}.throttleAt`)
  checkNumber(policy.suspendAt, { min: policy.throttleAt }, `${path}.suspendAt`)
  checkNumber(policy.suspendForMs, { min: 1, max: 3.2e11 }, `${path}.suspendForMs`)
  checkNumber(policy.fadePerMinute, { min: 0 }, `${path}.fadePerMinute`)
  return policy
}

/** The evidence after `elapsedMs` without a query. */
export function fade(evidence: number, elapsedMs: number, { fadePerMinute }: Policy): number {
  return Math.max(0, evidence - (elapsedMs / 60_000) * fadePerMinute)
}

/** What enforcement would do with one query, given the client's evidence after it. */
export function proposeAction(
  query: { readonly suspicious: boolean; readonly failed: boolean; readonly isSuspended: boolean },
  evidence: number,
  { throttleAt, suspendAt, onError }: Policy,
): Action {
  if (query.isSuspended || evidence >= suspendAt) return 'suspend'
  if (query.failed && onError === 'closed') return 'throttle'
  if (!query.suspicious) return 'allow'
  return evidence >= throttleAt ? 'throttle' : 'flag'
}
