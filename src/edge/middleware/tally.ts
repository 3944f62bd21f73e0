/** What happened to requests: told one by one, and counted. */
import type { ErrorCode } from '../../core/index.ts'
import type { Verdict } from '../../core/monitor/index.ts'

/** Why a request was not inspected though nothing was wrong. */
export type SkipReason =
  /** It is no query, as whoever reads the query says. */
  | 'no_query'
  /** The handler itself turned it away: status 401, 403, 404, 405 or 429. */
  | 'not_served'
  /** Only the model's output is watched, and this answer holds none: it is no JSON, or an error. */
  | 'no_output'

/** What went wrong. From `bad_answer` on it is only counted; of the others `onError` decides. */
export type FailureCode =
  /** Nothing tells who asks. */
  | 'unidentified'
  /** The body is above `limits.bodyBytes`, packed or unpacked. */
  | 'body_too_large'
  /** It broke off, or is packed wrongly. */
  | 'body_broken'
  /** It is packed in a way that is not known here. */
  | 'body_encoding'
  /** Somebody had read it before. */
  | 'body_used'
  /** The query could not be read from it. */
  | 'bad_body'
  /** What the monitor rejects with: `timeout`, `overloaded`, `store_failed` … */
  | ErrorCode
  /** It threw something else. */
  | 'monitor_failed'
  /** The model's output could not be read from the answer. */
  | 'bad_answer'
  | 'answer_too_large'
  | 'handler_threw'
  /** There is no harmless answer; the client got an error instead. */
  | 'decoy_failed'
  /** `refusal` threw; the client got the usual refusal. */
  | 'refusal_failed'

/** Something that happened. Names of clients are what `client` returned; no content of a query or an answer. */
export type EdgeEvent =
  | { readonly kind: 'verdict'; readonly client: string; readonly verdict: Verdict }
  | { readonly kind: 'refused'; readonly client: string; readonly code: string; readonly status: number }
  /** `reply: 'silent'`: the client got a harmless answer. */
  | { readonly kind: 'decoy'; readonly client: string; readonly code: string }
  | { readonly kind: 'skipped'; readonly client: string; readonly reason: SkipReason }
  | { readonly kind: 'failed'; readonly client: string; readonly code: FailureCode; readonly message: string }

/** Counts since the start. */
export interface EdgeCounts {
  readonly requests: number
  readonly inspected: number
  readonly refused: number
  readonly decoys: number
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>
  readonly failed: Readonly<Partial<Record<FailureCode, number>>>
  /** How often `onEvent` threw. */
  readonly listenerErrors: number
}

/** The counter of one middleware. */
export class Tally {
  readonly #listen: ((event: EdgeEvent) => void) | undefined
  #requests = 0
  #inspected = 0
  #refused = 0
  #decoys = 0
  #listenerErrors = 0
  readonly #skipped: Partial<Record<SkipReason, number>> = {}
  readonly #failed: Partial<Record<FailureCode, number>> = {}

  constructor(listen: ((event: EdgeEvent) => void) | undefined) {
    this.#listen = listen
  }

  requested(): void {
    this.#requests++
  }

  failed(client: string, code: FailureCode, message: string): void {
    this.happened({ kind: 'failed', client, code, message })
  }

  happened(event: EdgeEvent): void {
    if (event.kind === 'verdict') this.#inspected++
    else if (event.kind === 'refused') this.#refused++
    else if (event.kind === 'decoy') this.#decoys++
    else if (event.kind === 'skipped') this.#skipped[event.reason] = (this.#skipped[event.reason] ?? 0) + 1
    else this.#failed[event.code] = (this.#failed[event.code] ?? 0) + 1
    try {
      this.#listen?.(event)
    } catch {
      this.#listenerErrors++ // a listener must not break a response
    }
  }

  counts(): EdgeCounts {
    return {
      requests: this.#requests,
      inspected: this.#inspected,
      refused: this.#refused,
      decoys: this.#decoys,
      skipped: { ...this.#skipped },
      failed: { ...this.#failed },
      listenerErrors: this.#listenerErrors,
    }
  }
}
