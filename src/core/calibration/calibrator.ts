/**
 * From benign traffic to the record of one detector.
 *
 * One score for each independent unit. Where clients are known the unit is the client and its score the largest of all its
 * queries, from a memory of its own: then the promise is about clients, whatever their queries have to do with each other.
 * Else the unit is the query, which is right only for detectors and traffic in which queries do not depend on each other.
 */
import { checkChoice, checkObject, refuse } from '../checkers.ts'
import { checkClient } from '../monitor/entry.ts'
import type { Detection, Detector } from '../types.ts'
import { checkPromise, type Promised } from './promise.ts'
import { type Calibration, checkDate, type HoldsFor, recordOf, type Subject } from './record.ts'
import { hashOfNumbers, ScoreLog } from './scoreLog.ts'

export interface CalibrateOptions extends Promised {
  /** What a score is of. Default `client` if the first query names one, else `query`. */
  readonly unit?: 'query' | 'client'
  /** When it is made, as an ISO date. The core knows no clock. Default null. */
  readonly date?: string | null
}

/** A benign query, as far as a detector sees it. */
export interface BenignObservation<Obs> {
  readonly observation: Obs
  /** Who asked; '' when unknown. */
  readonly client?: string
}

/** The keys of {@link CalibrateOptions}. */
export const CALIBRATE_KEYS = ['alpha', 'assurance', 'unit', 'date']

const UNITS = ['query', 'client'] as const

/** Scores benign queries one by one, and makes the record at the end. */
export class Calibrator<Obs> {
  readonly #make: () => Detector<Obs, unknown>
  readonly #subject: Subject
  readonly #promise: Promised
  readonly #date: string | null
  #unit: 'query' | 'client' | undefined
  readonly #detectors = new Map<string, { readonly detector: Detector<Obs, unknown>; best: number }>()
  readonly #scores = new ScoreLog()

  /** Throws `bad_config`. */
  constructor(make: () => Detector<Obs, unknown>, subject: Subject, options: CalibrateOptions) {
    checkObject(options, CALIBRATE_KEYS, 'options')
    this.#make = make
    this.#subject = subject
    const { alpha, assurance } = options
    this.#promise = { alpha, ...(assurance === undefined ? {} : { assurance }) }
    checkPromise(this.#promise)
    this.#date = checkDate(options.date ?? null)
    this.#unit = options.unit === undefined ? undefined : checkChoice(options.unit, UNITS, 'unit')
  }

  /** Scores so far: one a query, whatever the unit. */
  get queries(): number {
    return this.#scores.count
  }

  /** Throws `bad_query`, and is as before, for an observation that the detector refuses, and one that lacks its client. */
  add(observation: Obs, client = ''): Detection {
    checkClient(client)
    const unit = this.#unit ?? (client === '' ? 'query' : 'client')
    if (unit === 'client' && client === '') {
      refuse('bad_query', "must be named like the others, or leave all unnamed with unit: 'query'", client, 'client')
    }
    const key = unit === 'client' ? client : ''
    const own = this.#detectors.get(key) ?? { detector: this.#make(), best: -Infinity }
    const detection = own.detector.process(observation)
    this.#unit = unit
    this.#detectors.set(key, own)
    own.best = Math.max(own.best, detection.score)
    this.#scores.push(detection.score)
    return detection
  }

  /**
   * The record of what was added. `holdsFor` replaces the subject's, where it is known only now. Throws `bad_config` where
   * there is too little for alpha, saying how much is needed.
   */
  finish(holdsFor: HoldsFor = this.#subject.holdsFor): Calibration {
    const unit = this.#unit ?? 'query'
    const all = this.#scores.values
    const best = Float64Array.from(this.#detectors.values(), (own) => own.best)
    return recordOf(unit === 'client' ? best : all, {
      ...this.#subject,
      holdsFor,
      promise: checkPromise(this.#promise, { unit }),
      unit,
      queries: all.length,
      dataHash: hashOfNumbers([all, best]),
      date: this.#date,
    })
  }
}
