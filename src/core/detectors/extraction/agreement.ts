/** How far guessed labels agree with the model's, beyond what always guessing its most frequent label would. */
import { log, logEach } from '../../math.ts'
import { workDoubles } from '../../plainRows.ts'
import { insertAt, placeOf, removeAt } from '../../sorted.ts'
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

/** Of no pairs. */
const NOTHING = { agreement: 0, majority: 1, informationGain: 0 }

/** Pairs of the model's label and a guess, with their numbers. */
export class Pairs {
  /** Those counted, ascending: not in the order of arrival, so that restored ones add up to the same bits. */
  readonly #codes: number[] = []
  /** How often each was. */
  readonly #counts: number[] = []
  readonly #labels = new Map<number, number>()
  readonly #guesses = new Map<number, number>()
  readonly #agreement = { compared: 0, agreed: 0, agreement: 0, majority: 1, informationGain: 0 }

  static codeOf(label: number, guess: number): number {
    return label * MOST_CLASSES + guess
  }

  add(code: number, times: 1 | -1): void {
    const place = placeOf(this.#codes, this.#codes.length, code)
    if (this.#codes[place] !== code) {
      insertAt(this.#codes, place, code)
      insertAt(this.#counts, place, 0)
    }
    this.#counts[place]! += times
    if (this.#counts[place] === 0) {
      removeAt(this.#codes, place)
      removeAt(this.#counts, place)
    }
    addTo(this.#labels, labelOf(code), times)
    addTo(this.#guesses, guessOf(code), times)
  }

  /** O(distinct pairs). Good until the next call. */
  agreement(): Agreement {
    let compared = 0
    let agreed = 0
    for (let place = 0; place < this.#codes.length; place++) {
      const code = this.#codes[place]!
      const count = this.#counts[place]!
      compared += count
      if (labelOf(code) === guessOf(code)) agreed += count
    }
    const found = this.#agreement
    found.compared = compared
    found.agreed = agreed
    if (compared === 0) return Object.assign(found, NOTHING)
    const logs = this.#logsOfShares(compared)
    let shared = 0
    let entropy = 0
    let most = 0
    let last = -1
    for (let place = 0; place < this.#codes.length; place++) {
      const code = this.#codes[place]!
      const count = this.#counts[place]!
      const label = labelOf(code)
      const ofLabel = this.#labels.get(label)!
      shared += count * logs[place]!
      if (label === last) continue
      last = label
      entropy += ofLabel * log(compared / ofLabel)
      most = Math.max(most, ofLabel)
    }
    found.agreement = agreed / compared
    found.majority = most / compared
    found.informationGain = entropy > 0 ? Math.min(Math.max(shared / entropy, 0), 1) : 0
    return found
  }

  /** By place: the logarithm of how much more often a pair was than if guesses told nothing. */
  #logsOfShares(compared: number): Float64Array {
    const logs = workDoubles(this.#codes.length)
    for (let place = 0; place < this.#codes.length; place++) {
      const code = this.#codes[place]!
      const apart = this.#labels.get(labelOf(code))! * this.#guesses.get(guessOf(code))!
      logs[place] = (this.#counts[place]! * compared) / apart
    }
    logEach(logs, this.#codes.length)
    return logs
  }
}

function labelOf(code: number): number {
  return Math.floor(code / MOST_CLASSES)
}

function guessOf(code: number): number {
  return code % MOST_CLASSES
}

/** A count of 0 is forgotten. */
function addTo(counts: Map<number, number>, key: number, times: number): void {
  const count = (counts.get(key) ?? 0) + times
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
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
