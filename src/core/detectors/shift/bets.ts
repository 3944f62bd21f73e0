/**
 * Evidence, query by query, that a client's queries come from elsewhere than honest ones: a conformal test martingale.
 *
 * Two values are compared with those of honest queries that were set aside. Novelty is the distance to the nearest reference.
 * Drift is the product with the way from the mean of the references to the mean of the client's own queries so far; that
 * direction depends on the past alone. Capital is bet on values in the largest 0.5 … 20 % of the honest ones. While honest and
 * own queries come from one distribution, the mean capital ever exceeds 1/alpha with a probability of at most alpha (Ville).
 * Source: Vovk, Nouretdinov and Gammerman, ICML 2003; the direction learned from the past as in Shekhar and Ramdas 2021.
 */
import { refuse } from '../../checkers.ts'
import { log } from '../../math.ts'
import { workDoubles } from '../../plainRows.ts'
import { dot, dotRows, type RowsAt } from '../../rowSums.ts'
import { readDoubles, readNumber, readState } from '../../state.ts'
import { meanLogE } from '../../stats/index.ts'
import type { PlainData } from '../../types.ts'

/** Shares of the honest values that are bet on, the largest ones. */
const TAILS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
/** Shares of the capital that are staked. */
const STAKES = [0.01, 0.03, 0.1, 0.3, 0.6]
/** Nothing staked sinks below this, in nats: what a long honest time costs. It adds 2e-9 a query to the probability. */
const LOWEST = -20
const MOST_NATS = 1e9
/** A direction is first learned from so many queries, then at twice as many, up to `every`. */
const FIRST = 5

/** What all clients share. */
export interface PreparedBets {
  readonly dimension: number
  /** Of length 1, one behind the other. */
  readonly references: RowsAt
  /** Set aside. */
  readonly calibration: RowsAt
  /** Of the references. */
  readonly mean: Float64Array
  /** Of each tail: how many of the values set aside lie in it. */
  readonly places: readonly number[]
  /** Of each tail: the novelty it begins above. */
  readonly novelties: readonly number[]
  /** By tail and stake: what the logarithm of the capital gains where the bet is won. Lost: by stake. */
  readonly won: Float64Array
  readonly lost: Float64Array
}

/** In nats: at least −20, 0 at the start. */
export interface ShiftEvidence {
  readonly novelty: number
  readonly drift: number
}

export interface BetsOptions {
  /** Queries that the mean of a client's own remembers. */
  readonly queries: number
  /** Queries from one learned direction to the next. */
  readonly every: number
}

/** Two lists of vectors of length 1, none of them empty. */
export function prepareBets(given: readonly Float64Array[], setAside: readonly Float64Array[]): PreparedBets {
  const dimension = given[0]!.length
  const references = behindEachOther(given, dimension)
  const calibration = behindEachOther(setAside, dimension)
  const mean = new Float64Array(dimension)
  for (const one of given) for (let i = 0; i < dimension; i++) mean[i]! += one[i]! / given.length
  const count = setAside.length
  const places = TAILS.map((tail) => Math.max(1, Math.floor(tail * (count + 1))))
  const won = places.flatMap((place) => STAKES.map((stake) => log(1 - stake + (stake * (count + 1)) / place)))
  const lost = places.flatMap(() => STAKES.map((stake) => log(1 - stake)))
  const novelties = largestOf(
    Float64Array.from(setAside, (one) => noveltyOf(one, references)),
    count,
    places,
  )
  return {
    ...{ dimension, references, calibration, mean, places, novelties },
    won: Float64Array.from(won),
    lost: Float64Array.from(lost),
  }
}

function behindEachOther(vectors: readonly Float64Array[], dimension: number): RowsAt {
  const rows = new Float64Array(vectors.length * dimension)
  for (const [i, vector] of vectors.entries()) rows.set(vector, i * dimension)
  return { rows, start: 0, stride: dimension, count: vectors.length }
}

/** The memory of one client. */
export class Bets {
  readonly #shared: PreparedBets
  readonly #options: BetsOptions
  #count = 0
  #weight = 0
  #sums: Float64Array
  /** Zeros before there is one. */
  #direction: Float64Array
  /** Of each tail: the product with the direction that it begins above. */
  #drifts: readonly number[] = []
  #novelty: Float64Array
  #drift: Float64Array
  /** Follows from the capital; not while `#isTold` is false, as nobody has asked since the last query. */
  readonly #evidence = { novelty: 0, drift: 0 }
  #isTold = false

  constructor(shared: PreparedBets, options: BetsOptions) {
    this.#shared = shared
    this.#options = options
    this.#sums = new Float64Array(shared.dimension)
    this.#direction = new Float64Array(shared.dimension)
    this.#novelty = new Float64Array(shared.won.length)
    this.#drift = new Float64Array(shared.won.length)
  }

  get size(): number {
    return this.#count
  }

  get bytes(): number {
    return 8 * (2 * this.#sums.length + 2 * this.#novelty.length + this.#shared.places.length) + 64
  }

  /** Good until the next query. */
  get evidence(): ShiftEvidence {
    const evidence = this.#evidence
    if (this.#isTold) return evidence
    evidence.novelty = meanLogE(this.#novelty)
    evidence.drift = meanLogE(this.#drift)
    this.#isTold = true
    return evidence
  }

  /** Takes a query of length 1. */
  push(vector: Float64Array): void {
    const { references, novelties } = this.#shared
    this.#bet(this.#novelty, noveltyOf(vector, references), novelties)
    if (this.#drifts.length > 0) this.#bet(this.#drift, dot(vector, 0, this.#direction), this.#drifts)
    const decay = 1 - 1 / this.#options.queries
    const sums = this.#sums
    for (let i = 0; i < sums.length; i++) sums[i] = decay * sums[i]! + vector[i]!
    this.#weight = decay * this.#weight + 1
    this.#count++
    this.#isTold = false
    if (this.#learnsNow()) this.#learn()
  }

  #bet(capital: Float64Array, value: number, begins: readonly number[]): void {
    const { won, lost } = this.#shared
    for (let i = 0; i < capital.length; i++) {
      const gain = value > begins[Math.floor(i / STAKES.length)]! ? won[i]! : lost[i]!
      capital[i] = Math.min(Math.max(capital[i]! + gain, LOWEST), MOST_NATS)
    }
  }

  #learnsNow(): boolean {
    const count = this.#count
    const { every } = this.#options
    if (count % every === 0) return true
    const doublings = count / FIRST
    return count < every && Number.isInteger(doublings) && (doublings & (doublings - 1)) === 0
  }

  #learn(): void {
    const { mean } = this.#shared
    const direction = this.#direction
    for (let i = 0; i < direction.length; i++) direction[i] = this.#sums[i]! / this.#weight - mean[i]!
    this.#drifts = this.#tailsAlong(direction)
  }

  #tailsAlong(direction: Float64Array): number[] {
    const { calibration, places } = this.#shared
    const { count } = calibration
    const products = workDoubles(count)
    dotRows(calibration, direction, products)
    return largestOf(products, count, places)
  }

  save(): PlainData {
    return {
      count: this.#count,
      weight: this.#weight,
      sums: this.#sums.slice(),
      direction: this.#drifts.length > 0 ? this.#direction.slice() : new Float64Array(0),
      novelty: this.#novelty.slice(),
      drift: this.#drift.slice(),
    }
  }

  /** Reads completely before anything is changed. Throws `bad_snapshot`. */
  load(state: PlainData): void {
    const saved = readState(state, ['count', 'weight', 'sums', 'direction', 'novelty', 'drift'])
    const { dimension, won } = this.#shared
    const count = readNumber(saved['count'], 'state.count')
    const weight = readNumber(saved['weight'], 'state.weight', { max: count, fraction: true })
    const sums = readExactly(saved['sums'], 'state.sums', dimension, weight)
    const hasDirection = count >= Math.min(FIRST, this.#options.every)
    const direction = readExactly(saved['direction'], 'state.direction', hasDirection ? dimension : 0, 2)
    const novelty = readCapital(saved['novelty'], 'state.novelty', won.length)
    const drift = readCapital(saved['drift'], 'state.drift', won.length)
    this.#count = count
    this.#weight = weight
    this.#sums = sums.slice()
    this.#direction = hasDirection ? direction.slice() : new Float64Array(dimension)
    this.#drifts = hasDirection ? this.#tailsAlong(this.#direction) : []
    this.#novelty = novelty.slice()
    this.#drift = drift.slice()
    this.#isTold = false
  }
}

/** 1 minus the cosine to the nearest reference. */
function noveltyOf(vector: Float64Array, references: RowsAt): number {
  const products = workDoubles(references.count)
  dotRows(references, vector, products)
  let nearest = -1
  for (let i = 0; i < references.count; i++) nearest = Math.max(nearest, products[i]!)
  return 1 - nearest
}

/** Of the first `count` numbers, which are put in order, those at these places, counted from the largest, from 1 on. */
function largestOf(numbers: Float64Array, count: number, places: readonly number[]): number[] {
  const sorted = numbers.subarray(0, count).sort()
  return places.map((place) => sorted[count - place]!)
}

function readExactly(value: unknown, path: string, length: number, most: number): Float64Array {
  const numbers = readDoubles(value, path, length)
  const fits = numbers.length === length && numbers.every((x) => Math.abs(x) <= most * (1 + 1e-9))
  if (!fits) refuse('bad_snapshot', `must be ${length} numbers in ±${most}`, numbers, path)
  return numbers
}

function readCapital(value: unknown, path: string, length: number): Float64Array {
  const numbers = readDoubles(value, path, length)
  const fits = numbers.length === length && numbers.every((x) => x >= LOWEST && x <= MOST_NATS)
  if (!fits) refuse('bad_snapshot', `must be ${length} numbers from ${LOWEST} on`, numbers, path)
  return numbers
}
