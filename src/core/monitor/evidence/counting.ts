/**
 * Evidence without calibration: a leaky bucket. Each suspicious query adds one, and a fixed amount fades per minute, so it
 * decays by time and filler queries do not flush it. It counts: how often an honest client reaches a limit depends on the
 * detectors' thresholds, and nothing is promised.
 */
import { refuse } from '../../checkers.ts'
import { readDoubles, readNumber, readState } from '../../state.ts'
import type { Detection, PlainData } from '../../types.ts'
import type { Cause, Evidence, EvidenceRule } from './evidence.ts'

export interface CountingOptions {
  readonly throttleAt: number
  readonly suspendAt: number
  readonly fadePerMinute: number
  /** The places of the detectors that count. */
  readonly slots: readonly number[]
}

export function countingRule({ throttleAt, suspendAt, fadePerMinute, slots }: CountingOptions): EvidenceRule {
  return {
    kind: 'count',
    throttleAt,
    suspendAt,
    make: () => new Counting(fadePerMinute, slots),
    pValue: () => undefined,
  }
}

class Counting implements Evidence {
  readonly #fadePerMinute: number
  readonly #slots: readonly number[]
  #value = 0
  /** Suspicious queries by detector that counts, since the evidence was last 0. */
  readonly #found: Float64Array

  constructor(fadePerMinute: number, slots: readonly number[]) {
    this.#fadePerMinute = fadePerMinute
    this.#slots = slots
    this.#found = new Float64Array(slots.length)
  }

  learn(detections: readonly (Detection | undefined)[], elapsedMs: number): boolean {
    this.#value = this.value(elapsedMs)
    if (this.#value === 0) this.#found.fill(0)
    let isFound = false
    for (let i = 0; i < this.#slots.length; i++) {
      if (detections[this.#slots[i]!]?.suspicious !== true) continue
      this.#found[i]!++
      isFound = true
    }
    if (isFound) this.#value++
    return isFound
  }

  value(elapsedMs: number): number {
    return Math.max(0, this.#value - (elapsedMs / 60_000) * this.#fadePerMinute)
  }

  causes(): Cause[] {
    const sum = this.#found.reduce((total, count) => total + count, 0)
    const found = this.#slots.map((slot, i) => {
      const count = this.#found[i]!
      return { slot, share: count / sum, what: `${count} suspicious ${count === 1 ? 'query' : 'queries'}` }
    })
    return found.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share)
  }

  clear(): void {
    this.#value = 0
    this.#found.fill(0)
  }

  save(): PlainData {
    return { value: this.#value, found: this.#found.slice() }
  }

  load(state: PlainData): void {
    const fields = readState(state, ['value', 'found'])
    const value = readNumber(fields['value'], 'evidence.value', { fraction: true })
    const found = readDoubles(fields['found'], 'evidence.found', this.#found.length)
    if (found.length !== this.#found.length) {
      refuse('bad_snapshot', `must be ${this.#found.length} numbers`, found, 'evidence.found')
    }
    this.#value = value
    this.#found.set(found)
  }

  bytes(): number {
    return 8 * this.#found.length + 64
  }
}
