/** Evidence from calibrated detectors: the capital of bets, in nats. */
import { workDoubles } from '../../plainRows.ts'
import type { Detection, PlainData } from '../../types.ts'
import type { Bet, Book } from './book.ts'
import type { Cause, Evidence } from './evidence.ts'
import { Wealth } from './wealth.ts'

/** The number of a detection that the bets of a book are about. */
export interface Reading {
  of(detection: Detection): number
  /** What a bet expects too much of, in words. */
  describe(bet: Bet): string
}

export const SCORE: Reading = {
  of: ({ score }) => score,
  describe: ({ above, rate }) => `scores above ${Number(above.toPrecision(3))} more often than 1 in ${1 / rate}`,
}

/** A p-value with its sign turned, so that small ones are high; none of a detector without a calibration. */
export const P_VALUE: Reading = {
  of: ({ pValue }) => (pValue === undefined ? Number.NaN : -pValue),
  describe: ({ rate }) => `p up to ${rate} more often than 1 in ${1 / rate}`,
}

/** A reading for each detector into `out`; NaN where it did not judge. False where none did. */
function setReadings(detections: readonly (Detection | undefined)[], reading: Reading, out: Float64Array): boolean {
  let isRead = false
  for (let i = 0; i < detections.length; i++) {
    const one = detections[i]
    out[i] = one === undefined ? Number.NaN : reading.of(one)
    if (!Number.isNaN(out[i])) isRead = true
  }
  return isRead
}

export class Betting implements Evidence {
  readonly #book: Book
  readonly #reading: Reading
  readonly #wealth: Wealth

  constructor(book: Book, reading: Reading, queries: number) {
    this.#book = book
    this.#reading = reading
    this.#wealth = new Wealth(book, queries)
  }

  learn(detections: readonly (Detection | undefined)[], elapsedMs: number): boolean {
    this.#wealth.fade(elapsedMs)
    const readings = workDoubles(detections.length)
    if (!setReadings(detections, this.#reading, readings)) return false
    const before = this.#wealth.logE()
    this.#wealth.learn(readings)
    return this.#wealth.logE() > before
  }

  value(elapsedMs: number): number {
    return this.#wealth.evidence(elapsedMs)
  }

  causes(): Cause[] {
    const worths = this.#wealth.worths()
    const sum = worths.reduce((total, worth) => total + worth, 0)
    const slots = [...new Set(this.#book.bets.map(({ slot }) => slot))]
    const causes = slots.map((slot) => {
      const own = worths.map((worth, i) => (this.#book.bets[i]!.slot === slot ? worth : 0))
      const best = this.#book.bets[own.indexOf(Math.max(...own))]!
      const share = own.reduce((total, worth) => total + worth, 0) / sum
      return { slot, share, what: this.#reading.describe(best) }
    })
    return causes.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share)
  }

  clear(): void {
    this.#wealth.clear()
  }

  save(): PlainData {
    return this.#wealth.save()
  }

  load(state: PlainData): void {
    this.#wealth.load(state)
  }

  bytes(): number {
    return this.#wealth.bytes()
  }
}
