/** What a replay counts. */
import type { PlainError } from '../core/index.ts'
import type { Verdict } from '../core/monitor/index.ts'

/** What became of one line. */
export type Outcome =
  | { readonly kind: 'verdict'; readonly line: number; readonly verdict: Verdict; readonly excerpt: string }
  | { readonly kind: 'bad'; readonly line: number; readonly error: PlainError }

/** The numbers of a replay, plain data. */
export interface Summary {
  /** Queries that got a verdict. */
  readonly queries: number
  /** Of these, the ones that no detector could judge. */
  readonly unjudged: number
  /** By detector: what it judged, what it found suspicious, and the share of it. */
  readonly detectors: Readonly<
    Record<string, { readonly judged: number; readonly suspicious: number; readonly share: number }>
  >
  /** By code, over all detectors and bad lines. */
  readonly errors: Readonly<Record<string, number>>
  /** Lines that gave no query; `lines` names the first ten. */
  readonly bad: { readonly count: number; readonly lines: readonly number[] }
  /** Verdicts by action. */
  readonly actions: Readonly<Record<string, number>>
  /** The monitor's clients at the end, those of a loaded snapshot included. */
  readonly clients: { readonly remembered: number; readonly suspended: number }
  readonly elapsedMs: number
  readonly queriesPerSecond: number
  readonly interrupted: boolean
}

const NAMED_LINES = 10

/** Counts outcomes. */
export class Tally {
  #queries = 0
  #unjudged = 0
  #bad = 0
  readonly #badLines: number[] = []
  readonly #detectors: Map<string, { judged: number; suspicious: number }>
  readonly #errors = new Map<string, number>()
  readonly #actions = new Map<string, number>()

  constructor(labels: readonly string[]) {
    this.#detectors = new Map(labels.map((label) => [label, { judged: 0, suspicious: 0 }]))
  }

  add(outcome: Outcome): void {
    if (outcome.kind === 'bad') {
      this.#bad++
      if (this.#badLines.length < NAMED_LINES) this.#badLines.push(outcome.line)
      increment(this.#errors, outcome.error.code)
      return
    }
    const { detections, errors, action } = outcome.verdict
    this.#queries++
    if (detections.length === 0) this.#unjudged++
    for (const { code } of errors) increment(this.#errors, code)
    for (const { detector, suspicious } of detections) {
      const counts = this.#detectors.get(detector)!
      counts.judged++
      if (suspicious) counts.suspicious++
    }
    increment(this.#actions, action)
  }

  get queries(): number {
    return this.#queries
  }

  /** Verdicts of single detectors that were suspicious. */
  get suspicious(): number {
    return [...this.#detectors.values()].reduce((sum, { suspicious }) => sum + suspicious, 0)
  }

  /** True when some line gave no query, or one that no detector could judge. */
  get isFlawed(): boolean {
    return this.#bad + this.#unjudged > 0
  }

  summary(rest: Pick<Summary, 'clients' | 'elapsedMs' | 'interrupted'>): Summary {
    const detectors = [...this.#detectors].map(([label, { judged, suspicious }]) => {
      return [label, { judged, suspicious, share: judged === 0 ? 0 : suspicious / judged }] as const
    })
    return {
      queries: this.#queries,
      unjudged: this.#unjudged,
      detectors: Object.fromEntries(detectors),
      errors: Object.fromEntries(this.#errors),
      bad: { count: this.#bad, lines: [...this.#badLines] },
      actions: Object.fromEntries(this.#actions),
      clients: rest.clients,
      elapsedMs: rest.elapsedMs,
      queriesPerSecond: rest.elapsedMs > 0 ? (this.#queries / rest.elapsedMs) * 1000 : 0,
      interrupted: rest.interrupted,
    }
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
