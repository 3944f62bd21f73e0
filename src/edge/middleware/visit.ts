/** One request on its way, and what is held against it. */
import type { Action, Verdict } from '../../core/monitor/index.ts'
import type { Query } from '../../embed/index.ts'
import type { Lease } from './leases.ts'
import type { Refusal } from './refusal.ts'

export interface Visit {
  readonly request: Request
  /** What the host gave beside the request. */
  readonly args: readonly unknown[]
  /** '' while it is not known. */
  client: string
  /** False for a client without a name: then nothing that all of them share is held against it. */
  isNamed: boolean
  /** Why it is refused, once it is. */
  refusal: Refusal | undefined
  /** For the tag. */
  action: Action
  /** Undefined where nothing is inspected. */
  lease: Lease | undefined
}

/** What is known of the query: `none` if the request is no query, `failed` if that has been counted. */
export type Known =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed' }

export function newVisit(request: Request, args: readonly unknown[]): Visit {
  return { request, args, client: '', isNamed: false, refusal: undefined, action: 'allow', lease: undefined }
}

/** Whether the query is refused for what the detectors failed on, not for what they found. */
export function isUnjudged({ detections, errors }: Verdict): boolean {
  return errors.length > 0 && !detections.some(({ suspicious }) => suspicious)
}

const ACTIONS: readonly Action[] = ['allow', 'flag', 'throttle', 'suspend']

export function stricter(a: Action, b: Action): Action {
  return ACTIONS.indexOf(a) > ACTIONS.indexOf(b) ? a : b
}
