/**
 * When a refusal begins, so that it does not tell which query led to it. Attacks such as OARS (Feng et al., CCS 2023) take
 * the refusal for an oracle: they send a query, see whether it is refused, and so find steps that stay below the
 * detector's threshold. A refusal that begins at a time that they cannot foresee is about no query of theirs.
 */
import { checkNumber, checkObject } from '../../core/index.ts'
import type { Policy } from '../../core/monitor/index.ts'
import type { KeyedHash } from '../client/keyedHash.ts'

export interface DelayOptions {
  /** Earliest begin after the suspension, in ms. Default one minute. */
  readonly minMs?: number
  /** Latest begin, in ms, less than the policy's `suspendForMs`. Default a sixth of that. */
  readonly maxMs?: number
}

const MAX_REMEMBERED = 10_000
/** The clock that suspended may be ahead of ours. */
const MAX_SKEW_MS = 60_000

/** Checks the options. Throws `bad_config`. */
export function checkDelay(options: DelayOptions = {}, { suspendForMs }: Policy): Required<DelayOptions> {
  checkObject(options, ['minMs', 'maxMs'], 'delay')
  const { maxMs = suspendForMs / 6 } = options
  checkNumber(maxMs, { min: 0, max: suspendForMs }, 'delay.maxMs')
  const { minMs = Math.min(60_000, maxMs) } = options
  return { minMs: checkNumber(minMs, { min: 0, max: maxMs }, 'delay.minMs'), maxMs }
}

/**
 * The begins of one middleware: a suspension of the policy's own begins to be felt between `minMs` and `maxMs` after it,
 * at a time that its keyed hash tells, the same in every process with the same key. One that an operator made more than a
 * minute longer than the policy's tells nothing of a query and is felt at once.
 */
export class Delay {
  readonly #range: Required<DelayOptions>
  readonly #suspendForMs: number
  readonly #hash: KeyedHash
  /** Clients and the ends of suspensions that they have felt. */
  readonly #felt = new Map<string, number>()

  constructor(range: Required<DelayOptions>, { suspendForMs }: Policy, hash: KeyedHash) {
    this.#range = range
    this.#suspendForMs = suspendForMs
    this.#hash = hash
  }

  /**
   * Whether a client that is suspended until then is refused now. Once it is, it stays so until the end. `sinceMs` is the
   * begin of a suspension that the policy made longer than the first one.
   */
  isFelt(client: string, untilMs: number, nowMs: number, sinceMs?: number): boolean {
    if (this.#felt.get(client) === untilMs) return true
    const isByHand = sinceMs === undefined && untilMs - nowMs > this.#suspendForMs + MAX_SKEW_MS
    const beginMs = sinceMs ?? untilMs - this.#suspendForMs
    if (!isByHand && nowMs < beginMs + this.#delayOf(client, untilMs)) return false
    this.#felt.delete(client)
    this.#felt.set(client, untilMs)
    if (this.#felt.size > MAX_REMEMBERED) this.#felt.delete(this.#felt.keys().next().value!)
    return true
  }

  #delayOf(client: string, untilMs: number): number {
    const { minMs, maxMs } = this.#range
    const share = Number.parseInt(this.#hash('delay', `${untilMs} ${client}`).slice(0, 8), 16) / 2 ** 32
    return minMs + share * (maxMs - minMs)
  }
}
