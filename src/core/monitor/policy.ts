/** From evidence to an action: what the operator wants to be done, and with whom. */
import { checkChoice, checkNumber, checkObject, isWellFormed, refuse } from '../checkers.ts'
import { MonitorError } from '../errors.ts'
import { sha256HexOfText } from '../hash.ts'

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
  /**
   * How a host shall refuse: openly, with a harmless answer instead (`silent`), or some time later (`delayed`), so that
   * attackers do not learn which query gave them away. Told in verdicts; the middleware acts on it. Default `enforce`.
   */
  readonly reply?: 'enforce' | 'silent' | 'delayed'
  /** Without calibration: evidence from which queries are refused one by one, at least 1. Default 5. */
  readonly throttleAt?: number
  /** Without calibration: evidence from which the client is suspended, at least `throttleAt`. Default 10. */
  readonly suspendAt?: number
  /** Without calibration: evidence that fades each minute of the stream's time; 0 keeps it for ever. Default 1. */
  readonly fadePerMinute?: number
  /**
   * With calibrated detectors in a monitor that is not calibrated as a whole: the share of benign clients that may ever be
   * suspended, by Ville's inequality, as long as a client's p-values are no smaller, given those before, than chance makes
   * them. Default null: suspicious queries are counted.
   */
  readonly alpha?: number | null
  /**
   * With calibration: the share of benign clients of which single queries may ever be refused, at least alpha. Default
   * five times alpha, at most 0.2.
   */
  readonly throttleAlpha?: number | null
  /** Without calibration of the whole: time in which evidence by `alpha` halves, in ms. Default six hours. */
  readonly halfLifeMs?: number
  /** Length of a client's first suspension in ms. Default one hour. */
  readonly suspendForMs?: number
  /** Each further suspension of a client lasts this many times longer, 1 … 100. A release starts anew. Default 2. */
  readonly suspendGrowth?: number
  /** Longest suspension in ms, at least `suspendForMs`. Default 30 days. */
  readonly longestSuspensionMs?: number
  /**
   * Clients whom the policy neither throttles nor suspends, such as auditors; they are judged and counted like all others.
   * As the host names them, or `sha256:` and the hexadecimal SHA-256 of that. At most 10 000. Default none.
   */
  readonly allow?: readonly string[]
  /**
   * What to do when benign scores have drifted upwards, so that the calibration no longer holds: `hold` suspends nobody
   * more, and throttles instead, until there is a new calibration; `tell` only tells. Default `hold`.
   */
  readonly onDrift?: 'hold' | 'tell'
}

/** The policy in force. With calibration `throttleAt` and `suspendAt` are those that follow from it, in nats. */
export type Policy = Required<PolicyConfig>

export const DEFAULT_HALF_LIFE_MS = 6 * 3_600_000

const DEFAULTS: Policy = {
  mode: 'observe',
  onError: 'closed',
  reply: 'enforce',
  throttleAt: 5,
  suspendAt: 10,
  fadePerMinute: 1,
  alpha: null,
  throttleAlpha: null,
  halfLifeMs: DEFAULT_HALF_LIFE_MS,
  suspendForMs: 3_600_000,
  suspendGrowth: 2,
  longestSuspensionMs: 30 * 86_400_000,
  allow: [],
  onDrift: 'hold',
}
const LONGEST_MS = 3.2e11
const MOST_ALLOWED = 10_000
/** What says something only where evidence is counted. */
const COUNTING = ['throttleAt', 'suspendAt', 'fadePerMinute'] as const

/** Checks a policy and fills its gaps. Throws `bad_config`. */
export function checkPolicy(config: PolicyConfig = {}, path = 'policy'): Policy {
  checkObject(config, Object.keys(DEFAULTS), path)
  const policy: Policy = { ...DEFAULTS, ...config }
  const number = (key: keyof Policy, range: { min?: number; max?: number }) =>
    checkNumber(policy[key], range, `${path}.${key}`)
  checkChoice(policy.mode, ['observe', 'enforce'], `${path}.mode`)
  checkChoice(policy.onError, ['open', 'closed'], `${path}.onError`)
  checkChoice(policy.reply, ['enforce', 'silent', 'delayed'], `${path}.reply`)
  checkChoice(policy.onDrift, ['hold', 'tell'], `${path}.onDrift`)
  number('throttleAt', { min: 1 })
  number('suspendAt', { min: policy.throttleAt })
  number('fadePerMinute', { min: 0 })
  if (policy.alpha !== null) number('alpha', { min: 1e-9, max: 0.5 })
  if (policy.throttleAlpha !== null) number('throttleAlpha', { min: 1e-9, max: 0.9 })
  number('halfLifeMs', { min: 1000, max: LONGEST_MS })
  number('suspendForMs', { min: 1, max: LONGEST_MS })
  number('suspendGrowth', { min: 1, max: 100 })
  // A longer first suspension than the default's longest needs no second number.
  const longest = config.longestSuspensionMs ?? Math.max(DEFAULTS.longestSuspensionMs, policy.suspendForMs)
  checkNumber(longest, { min: policy.suspendForMs, max: LONGEST_MS }, `${path}.longestSuspensionMs`)
  return { ...policy, longestSuspensionMs: longest, allow: checkAllow(policy.allow, `${path}.allow`) }
}

/** Refuses options that would quietly do nothing beside a calibration. */
export function refuseCounting(config: PolicyConfig = {}, path = 'policy'): void {
  const given = COUNTING.find((key) => config[key] !== undefined)
  if (given === undefined) return
  throw new MonitorError(
    'bad_config',
    'means nothing beside a calibration, which says it: leave it out',
    `${path}.${given}`,
  )
}

/** The share of benign clients that may ever be throttled. Throws `bad_config`. */
export function throttleAlphaOf(
  { throttleAlpha }: Pick<Policy, 'throttleAlpha'>,
  alpha: number,
  path = 'policy',
): number {
  if (throttleAlpha === null) return Math.max(alpha, Math.min(5 * alpha, 0.2))
  return checkNumber(throttleAlpha, { min: alpha, max: 0.9 }, `${path}.throttleAlpha`)
}

function checkAllow(allow: readonly string[], path: string): readonly string[] {
  const isList = Array.isArray(allow) && allow.length <= MOST_ALLOWED
  if (!isList) refuse('bad_config', `must be a list of at most ${MOST_ALLOWED} clients`, allow, path)
  for (const [i, id] of allow.entries()) {
    const isId = typeof id === 'string' && id !== '' && id.length <= 256 && isWellFormed(id)
    if (!isId) refuse('bad_config', 'must be a client as the host names it', id, `${path}[${i}]`)
  }
  return [...allow]
}

const KEYED = 'sha256:'

/** Whether a client is on the list of those whom the policy leaves alone. Hashes a name only where hashes are listed. */
export function allowList({ allow }: Policy): (client: string) => boolean {
  const listed = new Set(allow)
  const hasHashes = allow.some((id) => id.startsWith(KEYED))
  return (client) => listed.has(client) || (hasHashes && listed.has(KEYED + sha256HexOfText(client)))
}

/** Length of a client's suspension, given how many it had before. */
export function suspensionMs(before: number, { suspendForMs, suspendGrowth, longestSuspensionMs }: Policy): number {
  let forMs = suspendForMs
  for (let i = 0; i < before && forMs < longestSuspensionMs; i++) forMs *= suspendGrowth
  return Math.min(forMs, longestSuspensionMs)
}

/** What is known when a query is decided about. */
export interface Situation {
  /** Some detector found the query suspicious. */
  isSuspicious: boolean
  /** Some detector could not judge it. */
  failed: boolean
  /** The client is suspended already. */
  isSuspended: boolean
  /** Its evidence leads to a suspension. */
  suspends: boolean
  /** Its evidence, or its group's, leads to the refusal of queries that add to it. */
  throttles: boolean
  /** The query has added to the evidence. */
  hasAdded: boolean
}

/** A situation, and what was made of it. */
export interface Judgement extends Situation {
  proposed: Action
  /** Where evidence is the reason. */
  explanation: string | undefined
  evidence: number
  groupEvidence: number
}

/** One to be filled for every query. */
export function newJudgement(): Judgement {
  const situation = { isSuspicious: false, failed: false, isSuspended: false }
  const evidence = { suspends: false, throttles: false, hasAdded: false, evidence: 0, groupEvidence: 0 }
  return { ...situation, ...evidence, proposed: 'allow', explanation: undefined }
}

/** What enforcement would do with one query. */
export function proposeAction(situation: Readonly<Situation>, { onError }: Pick<Policy, 'onError'>): Action {
  const { isSuspicious, failed, isSuspended, suspends, throttles, hasAdded } = situation
  if (isSuspended || suspends) return 'suspend'
  if (failed && onError === 'closed') return 'throttle'
  if (throttles && (isSuspicious || hasAdded)) return 'throttle'
  return isSuspicious ? 'flag' : 'allow'
}
