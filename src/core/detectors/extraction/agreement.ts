/** How far guessed labels agree with the model's, beyond what always guessing its most frequent label would. */
import { log } from '../../math.ts'
import { placeOf } from '../../sorted.ts'
import { clopperPearson } from '../../stats/clopperPearson.ts'

/** Labels below this. */
export const MOST_CLASSES = 1_000_000

/** How well labels are guessed. */
export interface Agreement {
  /** Labels compared, of which so many were guessed. */
  readonly compared: number
  readonly agreed: number
  /** Share of the labels that are guessed, and that a constant guess would hit. */
  readonly agreement: number
  readonly majority: number
  /** Information that the guesses have of the labels ÷ the labels' entropy, 0 … 1; 0 where there is only one label. */
  readonly informationGain: number
}

/** Pairs of the model's label and a guess, with their numbers. */
export class Pairs {
  readonly #counts = new Map<number, number>()
  /** Those counted, ascending: not in the order of arrival, so that restored ones add up to the same bits. */
  readonly #codes: number[] = []
  readonly #labels = new Map<number, number>()
  readonly #guesses = new Map<number, number>()

  static codeOf(label: number, guess: number): number {
    return label * MOST_CLASSES + guess
  }

  add(code: number, times: 1 | -1): void {
    const count = addTo(this.#counts, code, times)
    if (count === 0) this.#codes.splice(placeOf(this.#codes, this.#codes.length, code), 1)
    else if (count === times) this.#codes.splice(placeOf(this.#codes, this.#codes.length, code), 0, code)
    addTo(this.#labels, labelOf(code), times)
    addTo(this.#guesses, guessOf(code), times)
  }

  /** O(distinct pairs). */
  agreement(): Agreement {
    let compared = 0
    let agreed = 0
    for (const code of this.#codes) {
      const count = this.#counts.get(code)!
      compared += count
      if (labelOf(code) === guessOf(code)) agreed += count
    }
    if (compared === 0) return { compared, agreed, agreement: 0, majority: 1, informationGain: 0 }
    let shared = 0
    let entropy = 0
    let most = 0
    let last = -1
    for (const code of this.#codes) {
      const count = this.#counts.get(code)!
      const label = labelOf(code)
      const ofLabel = this.#labels.get(label)!
      shared += count * log((count * compared) / (ofLabel * this.#guesses.get(guessOf(code))!))
      if (label === last) continue
      last = label
      entropy += ofLabel * log(compared / ofLabel)
      most = Math.max(most, ofLabel)
    }
    const informationGain = entropy > 0 ? Math.min(Math.max(shared / entropy, 0), 1) : 0
    return { compared, agreed, agreement: agreed / compared, majority: most / compared, informationGain }
  }
}

function labelOf(code: number): number {
  return Math.floor(code / MOST_CLASSES)
}

function guessOf(code: number): number {
  return code % MOST_CLASSES
}

/** Returns the new count; one of 0 is forgotten. */
function addTo(counts: Map<number, number>, key: number, times: number): number {
  const count = (counts.get(key) ?? 0) + times
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
  return count
}

/** The share beyond a constant guess: 1 for all, 0 for no more than it, and where there is only one label. */
export function beyondMajority(agreement: number, majority: number): number {
  return majority < 1 ? Math.max(agreement - majority, 0) / (1 - majority) : 0
}

/** The lower limit of the share behind so many of so many, one-sided; those of the last total are remembered. */
export class LowerLimits {
  readonly #alpha: number
  #limits = new Float64Array(0)

  constructor(confidence: number) {
    this.#alpha = 2 * (1 - confidence)
  }

  of(agreed: number, total: number): number {
    if (this.#limits.length !== total + 1) this.#limits = new Float64Array(total + 1).fill(-1)
    if (this.#limits[agreed]! < 0) this.#limits[agreed] = clopperPearson(agreed, total, this.#alpha).low
    return this.#limits[agreed]!
  }
}
