/** The last verdicts of each client, for people to look at: numbers and reasons, never what was asked. */
import type { Detection } from '../../core/index.ts'
import type { Action, Verdict } from '../../core/monitor/index.ts'

/** What is kept and told of one verdict. */
export interface VerdictSummary {
  readonly timeMs: number
  readonly suspicious: boolean
  readonly action: Action
  readonly proposed: Action
  /** Of the client, after this query. */
  readonly evidence: number
  readonly detections: readonly DetectionSummary[]
  /** Codes only: messages may quote the query. */
  readonly errors: readonly { readonly code: string; readonly path: string }[]
  /** Why the client was throttled or suspended. */
  readonly explanation?: string
  readonly id?: string
}

export interface DetectionSummary {
  readonly detector: string
  readonly suspicious: boolean
  readonly score: number
  readonly threshold: number
  readonly reason: string
}

/** A verdict without its metadata, which may hold a fingerprint of the query, and without the texts of errors. */
export function summaryOf({
  timeMs,
  suspicious,
  action,
  proposed,
  client,
  detections,
  errors,
  explanation,
  id,
}: Verdict): VerdictSummary {
  const summary = {
    timeMs,
    suspicious,
    action,
    proposed,
    evidence: client.evidence,
    detections: detections.map(detectionSummary),
    errors: errors.map(({ code, path }) => ({ code, path })),
    ...(explanation === undefined ? {} : { explanation }),
  }
  return id === undefined ? summary : { ...summary, id }
}

function detectionSummary({ detector, suspicious, score, threshold, reason }: Detection): DetectionSummary {
  return { detector, suspicious, score, threshold, reason }
}

export interface RecentLimits {
  readonly recentClients: number
  readonly recentPerClient: number
}

/** The last verdicts of the clients seen last. A verdict is made into its summary when somebody looks. */
export class Recent {
  readonly #limits: RecentLimits
  readonly #clients = new Map<string, { verdicts: Verdict[]; next: number }>()

  constructor(limits: RecentLimits) {
    this.#limits = limits
  }

  /** Remembers a verdict; the client seen longest ago leaves. */
  add(verdict: Verdict): void {
    const { recentClients, recentPerClient } = this.#limits
    if (recentClients === 0 || recentPerClient === 0) return
    const { id } = verdict.client
    const known = this.#clients.get(id)
    const ring = known ?? { verdicts: [], next: 0 }
    if (ring.verdicts.length < recentPerClient) ring.verdicts.push(verdict)
    else ring.verdicts[ring.next] = verdict
    ring.next = (ring.next + 1) % recentPerClient
    if (known !== undefined && this.#clients.size === 1) return
    this.#clients.delete(id)
    this.#clients.set(id, ring)
    if (this.#clients.size > recentClients) this.#clients.delete(this.#clients.keys().next().value as string)
  }

  /** Newest first; empty for a client that is not remembered. */
  of(client: string): VerdictSummary[] {
    const ring = this.#clients.get(client)
    if (ring === undefined) return []
    const { verdicts, next } = ring
    const oldestFirst =
      verdicts.length < this.#limits.recentPerClient ? verdicts : [...verdicts.slice(next), ...verdicts.slice(0, next)]
    return oldestFirst.toReversed().map(summaryOf)
  }

  /** Why the client was refused, or else found suspicious, the last time; undefined where that is not remembered. */
  reasonFor(client: string): string | undefined {
    const known = this.of(client)
    const refused = known.find(({ explanation }) => explanation !== undefined)
    if (refused !== undefined) return refused.explanation
    return known.find(({ suspicious }) => suspicious)?.detections.find(({ suspicious }) => suspicious)?.reason
  }

  forget(client: string): void {
    this.#clients.delete(client)
  }

  clear(): void {
    this.#clients.clear()
  }
}
