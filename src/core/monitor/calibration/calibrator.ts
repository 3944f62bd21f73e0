/**
 * From benign traffic to the record of a monitor.
 *
 * 1. The traffic runs through the monitor's detectors, in its order.
 * 2. Every third client is taken to choose levels and weights of the bets.
 * 3. Of all others the most evidence that each ever had is noted: their upper quantile is where suspensions begin. A new
 *    benign client is exchangeable with them as a whole, with its habits and its length; so the share of benign clients
 *    that are ever suspended is at most alpha, whatever the bets are worth.
 *
 * The same is done for groups, where the traffic names enough of them; alpha is then divided evenly between both. A client
 * that the monitor has forgotten in between begins anew, as it does later.
 */
import { BenignScale } from '../../calibration/benignScale.ts'
import { checkPromise, fewestUnits, type Promised, refuseTooFew } from '../../calibration/promise.ts'
import { checkDate, type HoldsFor, recordOf, type Subject } from '../../calibration/record.ts'
import { checkNumber, checkObject, refuse } from '../../checkers.ts'
import { isMonitorError, withPath } from '../../errors.ts'
import { type Bet, type Book, betsOn, evenBook, SPANS, spanOf } from '../evidence/book.ts'
import { DriftPace, typicalOf } from '../evidence/drift.ts'
import { Wealth } from '../evidence/wealth.ts'
import { DEFAULT_HALF_LIFE_MS } from '../policy.ts'
import type { MonitorEvent, QueryEntry, Verdict } from '../verdict.ts'
import { byClients, fitLevels, fitWeights, Heights } from './fit.ts'
import {
  type CalibratedSlot,
  type CalibratedUnits,
  isForClients,
  type MonitorCalibration,
  sealMonitor,
} from './record.ts'
import { NOBODY, Traffic } from './traffic.ts'

export interface CalibrateMonitorOptions extends Promised {
  /** When it is made, as an ISO date. The core knows no clock. Default null. */
  readonly date?: string | null
  /** Time in which evidence halves, in ms, at least one second. Default six hours. */
  readonly halfLifeMs?: number
}

const CALIBRATE_MONITOR_KEYS = ['alpha', 'assurance', 'date', 'halfLifeMs']

/** What the monitor said of a query. */
interface Said {
  readonly verdict: Verdict
  readonly events: readonly MonitorEvent[]
}

/** A detector in its place, and what its record will be bound to. */
export interface CalibratedDetector extends Subject {
  readonly label: string
  readonly scope: CalibratedSlot['scope']
}

/** One in so many clients is taken to fit the bets, and does not count for the promise. */
const FITTED = 3
/** Lines of a log may come a little late. */
const MOST_LATE_MS = 60_000

/** Eats a monitor's verdicts on benign traffic, and makes the record at the end. */
export class MonitorCalibrator {
  readonly #detectors: readonly CalibratedDetector[]
  readonly #promise: Required<Promised>
  readonly #date: string | null
  readonly #halfLifeMs: number
  readonly #traffic: Traffic
  readonly #places: ReadonlyMap<string, number>
  readonly #known = new Set<string>()
  readonly #paces = new Map<string, { readonly pace: DriftPace; queries: number }>()
  /** By detector and span. */
  readonly #typical: number[][][]
  #nowMs = 0
  #firstMs = Infinity

  /** Throws `bad_config`. */
  constructor(detectors: readonly CalibratedDetector[], options: CalibrateMonitorOptions) {
    checkObject(options, CALIBRATE_MONITOR_KEYS, 'options')
    this.#detectors = detectors
    this.#promise = checkPromise(options)
    this.#date = checkDate(options.date ?? null)
    this.#halfLifeMs = checkNumber(options.halfLifeMs ?? DEFAULT_HALF_LIFE_MS, { min: 1000 }, 'halfLifeMs')
    this.#traffic = new Traffic(detectors.length)
    this.#places = new Map(detectors.map(({ label }, i) => [label, i]))
    this.#typical = detectors.map(() => Array.from({ length: SPANS }, () => []))
  }

  /** Named clients so far. */
  get clients(): number {
    return this.#traffic.clients
  }

  /** Refuses a query that comes too late. Ask before the monitor learns it. Throws `bad_query`. */
  checkOrder({ timeMs }: Pick<QueryEntry, 'timeMs'>): void {
    if (timeMs >= this.#nowMs - MOST_LATE_MS) return
    const message = `must not be earlier than the query before by more than ${MOST_LATE_MS} ms: sort the traffic by time`
    refuse('bad_query', message, timeMs, 'timeMs')
  }

  /** A query without any detection counts for nothing. */
  add({ client, group = '' }: Pick<QueryEntry, 'client' | 'group'>, { verdict, events }: Said): void {
    for (const event of events) if (event.kind === 'evicted') this.#forget(event.client)
    const { detections, timeMs } = verdict
    if (detections.length === 0) return
    const scores = new Float64Array(this.#detectors.length).fill(Number.NaN)
    for (const { detector, score } of detections) scores[this.#places.get(detector)!] = score
    this.#nowMs = timeMs
    this.#firstMs = Math.min(this.#firstMs, timeMs)
    this.#traffic.add({ client, group, timeMs, isNew: !this.#known.has(client), scores })
    this.#known.add(client)
    this.#remember(client, timeMs, scores)
  }

  #forget(client: string): void {
    this.#known.delete(client)
    this.#paces.delete(client)
  }

  #remember(client: string, timeMs: number, scores: Float64Array): void {
    if (client === '') return
    const own = this.#paces.get(client) ?? { pace: new DriftPace(), queries: 0 }
    this.#paces.set(client, own)
    own.queries++
    if (!own.pace.isDue(own.queries, timeMs)) return
    const span = spanOf(own.queries)
    for (const [i, typical] of this.#typical.entries()) if (!Number.isNaN(scores[i]!)) typical[span]!.push(scores[i]!)
  }

  /**
   * The record of what was added. `holdsFor` replaces that of each detector, where it is known only now. Throws
   * `bad_config` where there is too little for alpha, saying how much is needed.
   */
  finish(holdsFor: readonly HoldsFor[] = this.#detectors.map((one) => one.holdsFor)): MonitorCalibration {
    const traffic = this.#traffic
    const dataHash = traffic.hash()
    const { alpha, assurance } = this.#promise
    const isEnough = (count: number, share: number) => count >= neededFor({ alpha: share, assurance })
    const hasGroups = isEnough(traffic.groups, alpha / 2) && isEnough(traffic.clients, alpha / 2)
    const own = hasGroups ? alpha / 2 : alpha
    if (!isEnough(traffic.clients, own)) {
      refuseTooFew(traffic.clients, this.#promise, { unit: 'client', path: 'alpha', needed: neededFor })
    }
    const detectors = this.#detectors.map((_, i) => this.#slot(i, { dataHash, holdsFor: holdsFor[i]! }))
    const bets = detectors.map(({ levels }, i) => betsOn(i, levels))
    const ofClients = bets.filter((_, i) => isForClients(this.#detectors[i]!)).flat()
    return sealMonitor({
      alpha,
      assurance,
      halfLifeMs: this.#halfLifeMs,
      detectors,
      clients: this.#units('client', ofClients, own),
      groups: hasGroups ? this.#units('group', bets.flat(), own) : null,
      queries: traffic.queries,
      longest: mostOften(traffic.clientOf.values, traffic.clients),
      spanMs: this.#nowMs - this.#firstMs,
      dataHash,
      date: this.#date,
    })
  }

  #slot(i: number, found: { readonly dataHash: string; readonly holdsFor: HoldsFor }): CalibratedSlot {
    const { label, scope, ...subject } = this.#detectors[i]!
    const unit = scope === 'group' ? 'group' : 'client'
    const { unitOf, count } = this.#named(unit)
    const scores = this.#traffic.scoresBy(unitOf, count, i)
    const judged = scores.filter(({ length }) => length > 0)
    const best = judged.map((own) => own.reduce((most, score) => Math.max(most, score), -Infinity))
    try {
      const record = recordOf(best, {
        ...subject,
        ...found,
        promise: this.#promise,
        unit,
        queries: scores.reduce((sum, { length }) => sum + length, 0),
        date: this.#date,
      })
      const fitted = scores.filter((_, number) => isFitted(number))
      const typical = this.#typical[i]!
      // Where no score was due, of clients with one query each, all that is known are the first ones.
      const isKnown = typical.some(({ length }) => length > 0)
      const scoresOfDrift = isKnown ? typical : [judged.map((own) => own[0]!)]
      return { label, scope, record, levels: fitLevels(fitted), typical: typicalOf(scoresOfDrift) }
    } catch (thrown) {
      throw isMonitorError(thrown) ? withPath(thrown, label) : thrown
    }
  }

  #named(unit: 'client' | 'group'): { readonly unitOf: Float64Array; readonly count: number } {
    const { clientOf, clients, groupOf, groups } = this.#traffic
    return unit === 'group' ? { unitOf: groupOf.values, count: groups } : { unitOf: clientOf.values, count: clients }
  }

  #units(kind: 'client' | 'group', bets: readonly Bet[], alpha: number): CalibratedUnits {
    const { unitOf, count } = this.#named(kind)
    const begins = kind === 'group' ? undefined : this.#traffic.isNew.values
    const heights = new Map<number, Heights>()
    this.#run({ unitOf, begins }, evenBook(bets, this.#halfLifeMs), {
      isWanted: isFitted,
      see(unit, wealth) {
        const own = heights.get(unit) ?? new Heights(bets.length)
        heights.set(unit, own)
        own.see(wealth.capital, wealth.count)
      },
    })
    const weights = fitWeights([...heights.values()], bets, alpha / 2)
    const maxima = new Map<number, number>()
    const book = { bets, weights, halfLifeMs: this.#halfLifeMs }
    this.#run({ unitOf, begins }, book, {
      isWanted: (unit) => !isFitted(unit),
      see: (unit, wealth) => maxima.set(unit, Math.max(maxima.get(unit) ?? 0, wealth.evidence())),
    })
    return {
      weights: weights.map((span) => [...span]),
      maxima: BenignScale.of(kind === 'group' ? this.#byClients(maxima) : [...maxima.values()]).toJSON(),
      alpha,
      fitted: count - maxima.size,
    }
  }

  #byClients(maxima: ReadonlyMap<number, number>): number[] {
    const sizes = this.#traffic.clientsByGroup()
    return byClients(
      [...maxima.values()],
      Array.from(maxima.keys(), (group) => sizes[group]!),
    )
  }

  /** All queries of the wanted units, in their order, through wealth of each unit's own, from each of its beginnings. */
  #run(
    { unitOf, begins }: { readonly unitOf: Float64Array; readonly begins: Float64Array | undefined },
    book: Book,
    { isWanted, see }: { isWanted(unit: number): boolean; see(unit: number, wealth: Wealth): void },
  ): void {
    const traffic = this.#traffic
    const scores = traffic.scores.map(({ values }) => values)
    const timesMs = traffic.timesMs.values
    const states = new Map<number, { readonly wealth: Wealth; lastMs: number }>()
    const readings = new Float64Array(scores.length)
    for (let i = 0; i < unitOf.length; i++) {
      const unit = unitOf[i]!
      if (unit === NOBODY || !isWanted(unit)) continue
      const known = begins?.[i] === 1 ? undefined : states.get(unit)
      const state = known ?? { wealth: new Wealth(book), lastMs: timesMs[i]! }
      states.set(unit, state)
      for (let d = 0; d < readings.length; d++) readings[d] = scores[d]![i]!
      state.wealth.fade(timesMs[i]! - state.lastMs)
      state.wealth.learn(readings)
      state.lastMs = timesMs[i]!
      see(unit, state.wealth)
    }
  }
}

function isFitted(unit: number): boolean {
  return unit % FITTED === 0
}

/** Units that it takes in all, those included on which the bets are fitted. */
function neededFor(promise: Required<Promised>): number {
  const counted = fewestUnits(promise)
  return counted + Math.ceil(counted / (FITTED - 1))
}

/** How often the number is there that is there most often. */
function mostOften(numbers: Float64Array, count: number): number {
  const counts = new Uint32Array(count)
  for (const number of numbers) if (number !== NOBODY) counts[number]!++
  return counts.reduce((most, one) => Math.max(most, one), 0)
}
