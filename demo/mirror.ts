/**
 * Which of the page's queries a detector speaks of. A detector keeps no queries, only their features, and names an
 * earlier one by its place in its memory; the page keeps the same order and finds the number on the card.
 */
import { type Detection, hammingDistance } from '../src/core/index.ts'
import type { Verdict } from '../src/core/monitor/index.ts'
import { isSimilarity } from './config.ts'

/** An earlier query: one of this page by its number, or one of a state that was loaded, by its place in that memory. */
export type Earlier =
  | { readonly where: 'page'; readonly number: number }
  | { readonly where: 'loaded'; readonly place: number }

interface Learned {
  readonly number: number
  readonly fingerprint: string
}

interface Memory {
  readonly mostSimilarIndex?: number | null
  readonly historySize: number
  readonly fingerprint?: string
  readonly count?: number
}

/** The order in which each detector has learned the page's queries. */
export class Mirror {
  readonly #learned = new Map<string, Learned[]>()
  readonly #radius: number

  /** `radius` as in the image detector: hashes up to so many bits apart are the same picture. */
  constructor(radius: number) {
    this.#radius = radius
  }

  /** Takes in the verdict on query `number`; gives, by detector, the earlier query that it resembles. */
  note(number: number, verdict: Verdict): Map<string, Earlier> {
    const found = this.find(verdict)
    for (const { detector, metadata } of verdict.detections) {
      const { fingerprint = '' } = metadata as Memory
      this.#learned.set(detector, [...(this.#learned.get(detector) ?? []), { number, fingerprint }])
    }
    return found
  }

  /** The same for a query that is not learned; the verdict is that of a monitor which has learned it. */
  find({ detections }: Verdict): Map<string, Earlier> {
    const found = new Map<string, Earlier>()
    for (const detection of detections) {
      const earlier = this.#earlier(detection, this.#learned.get(detection.detector) ?? [])
      if (earlier !== undefined) found.set(detection.detector, earlier)
    }
    return found
  }

  #earlier({ detector, metadata }: Detection, learned: readonly Learned[]): Earlier | undefined {
    const memory = metadata as Memory
    return isSimilarity(detector) ? nearest(memory, learned) : this.#repeated(detector, memory, learned)
  }

  #repeated(detector: string, memory: Memory, learned: readonly Learned[]): Earlier | undefined {
    const { fingerprint = '', count = 1, historySize } = memory
    if (count < 2) return undefined
    const remembered = learned.slice(Math.max(0, learned.length - (historySize - 1)))
    const same = remembered.findLast((one) => this.#isSame(detector, one.fingerprint, fingerprint))
    return same === undefined ? { where: 'loaded', place: 0 } : { where: 'page', number: same.number }
  }

  #isSame(detector: string, a: string, b: string): boolean {
    return a === b || (detector === 'image_repetition' && hammingDistance(a, b) <= this.#radius)
  }
}

/** The place counts from the oldest query remembered; the page may have seen more than that, or less after a load. */
function nearest({ mostSimilarIndex = null, historySize }: Memory, learned: readonly Learned[]): Earlier | undefined {
  if (mostSimilarIndex === null) return undefined
  const known = learned[learned.length - historySize + mostSimilarIndex]
  return known === undefined
    ? { where: 'loaded', place: mostSimilarIndex + 1 }
    : { where: 'page', number: known.number }
}
