/** What PRADA keeps of each class: the points that lie apart, and how far each query lay from the nearest of them. */
import { checkNumbers, elementType, refuse } from '../../checkers.ts'
import { workDoubles } from '../../plainRows.ts'
import { readDoubles, readList, readNumber, readState } from '../../state.ts'
import type { PlainData } from '../../types.ts'
import { type Floats, PointQueue } from './pointQueue.ts'
import { signedSums } from './signedSums.ts'

/** What is remembered at most. */
export interface Limits {
  readonly maxPoints: number
  /** Distances. */
  readonly maxHistorySize: number
  /** Of all. */
  readonly maxBytes: number
  /** Longer vectors are kept as so many signed sums. */
  readonly maxNumbers: number
}

/** The growing set of one class, and of one length of vectors. */
interface GrowingSet {
  readonly label: number
  readonly length: number
  readonly points: PointQueue
  /** Of the distances at which its points were added, the first of them 0: number, mean, sum of squares about the mean. */
  added: number
  mean: number
  squares: number
  /** A query further than this from all points is added to them. */
  limit: number
  /** Distances of this class among those remembered. */
  distances: number
}

/** Estimated bytes of a set, of a point beside its numbers, and of a distance. */
const SET_BYTES = 240
const POINT_BYTES = 8
const DISTANCE_BYTES = 16
/** Labels are places in a list of at most a million probabilities. */
const MOST_LABELS = 1_000_000
/** No number may be larger in size, so that sums of squared distances stay finite. */
const LARGEST = 1e100
const NUMBERS = { most: 65_536, min: -LARGEST, max: LARGEST }
/** Of numbers as they are kept: a sum may hold as many. */
const LARGEST_KEPT = 65_536 * LARGEST
const COUNT = { max: Number.MAX_SAFE_INTEGER }
const SIZE = { max: 1e160, fraction: true }

/** The growing sets of all classes of one stream. Up to the limits exactly as published; then the oldest leave. */
export class GrowingSets {
  readonly #limits: Limits
  /** By {@link keyOf}. */
  readonly #sets = new Map<number, GrowingSet>()
  /** The set of each point, in the order in which they came. */
  readonly #owners: GrowingSet[] = []
  readonly #distances: number[] = []
  /** The set of each distance. */
  readonly #distanceSets: GrowingSet[] = []
  #numberBytes = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get points(): number {
    return this.#owners.length
  }

  get distances(): number {
    return this.#distances.length
  }

  get classes(): number {
    return this.#sets.size
  }

  bytes(): number {
    const { points, distances } = this
    return this.#numberBytes + POINT_BYTES * points + DISTANCE_BYTES * distances + SET_BYTES * this.#sets.size
  }

  /** The distance to the nearest point of the class; null for the first of a class, which is its first point. */
  add(vector: ArrayLike<number>, label: number): number | null {
    const { length } = vector
    const { maxNumbers } = this.#limits
    const key = keyOf(label, length)
    const set = this.#sets.get(key) ?? open(label, length, maxNumbers)
    this.#sets.set(key, set)
    const point = length > maxNumbers ? signedSums(vector, maxNumbers) : vector
    const distance = this.#learn(set, point)
    this.#makeRoom()
    return distance
  }

  #learn(set: GrowingSet, point: ArrayLike<number>): number | null {
    if (set.points.size === 0) {
      Object.assign(set, { added: 1, mean: 0, squares: 0, limit: 0 })
      this.#addPoint(set, point)
      return null
    }
    const distance = Math.sqrt(set.points.nearest(point))
    this.#addDistance(set, distance)
    if (distance > set.limit) {
      grow(set, distance)
      this.#addPoint(set, point)
    }
    return distance
  }

  /** The distances of the classes that have at least `least` of them, the oldest first. Good until the next call, of whomever. */
  sample(least: number): Float64Array {
    const sample = workDoubles(this.distances)
    let count = 0
    for (let i = 0; i < this.#distances.length; i++) {
      if (this.#distanceSets[i]!.distances >= least) sample[count++] = this.#distances[i]!
    }
    return sample.subarray(0, count)
  }

  /** The oldest points leave, and if that is not enough the oldest distances; one point stays. */
  #makeRoom(): void {
    const { maxPoints, maxHistorySize, maxBytes } = this.#limits
    while (this.points > maxPoints) this.#dropPoint()
    while (this.distances > maxHistorySize) this.#dropDistance()
    while (this.bytes() > maxBytes && this.points > 1) this.#dropPoint()
    while (this.bytes() > maxBytes && this.distances > 0) this.#dropDistance()
  }

  #addPoint(set: GrowingSet, point: ArrayLike<number>): void {
    this.#owners.push(set)
    this.#numberBytes -= set.points.bytes
    set.points.push(point)
    this.#numberBytes += set.points.bytes
  }

  #dropPoint(): void {
    const set = this.#owners.shift()!
    this.#numberBytes -= set.points.bytes
    set.points.shift()
    this.#numberBytes += set.points.bytes
    this.#dropIfEmpty(set)
  }

  #addDistance(set: GrowingSet, distance: number): void {
    this.#distances.push(distance)
    this.#distanceSets.push(set)
    set.distances++
  }

  #dropDistance(): void {
    this.#distances.shift()
    const set = this.#distanceSets.shift()!
    set.distances--
    this.#dropIfEmpty(set)
  }

  #dropIfEmpty({ label, length, points, distances }: GrowingSet): void {
    if (points.size === 0 && distances === 0) this.#sets.delete(keyOf(label, length))
  }

  save(): { readonly [key: string]: PlainData } {
    const sets = [...this.#sets.values()]
    const place = new Map(sets.map((set, i) => [set, i]))
    return {
      sets: sets.map(({ label, length, points, added, mean, squares, limit }) => {
        return { label, length, points: points.save(), added, mean, squares, limit }
      }),
      owners: Uint32Array.from(this.#owners, (set) => place.get(set)!),
      distances: Float64Array.from(this.#distances),
      distanceSets: Uint32Array.from(this.#distanceSets, (set) => place.get(set)!),
    }
  }

  /** Fills an empty one from a saved state. Throws `bad_snapshot`. */
  load(saved: Readonly<Record<string, PlainData>>): void {
    const { maxPoints, maxHistorySize, maxNumbers } = this.#limits
    const read = (value: unknown, path: string) => readSet(value, path, maxNumbers)
    const sets = readList(saved['sets'], 'state.sets', maxPoints + maxHistorySize, read)
    for (const set of sets) this.#sets.set(keyOf(set.label, set.length), set)
    if (this.#sets.size !== sets.length) refuse('bad_snapshot', 'must hold each class once', sets.length, 'state.sets')
    const owners = readPlaces(saved['owners']!, sets.length, maxPoints, 'state.owners')
    const counts = new Uint32Array(sets.length)
    for (const owner of owners) {
      this.#owners.push(sets[owner]!)
      counts[owner]!++
    }
    const odd = sets.findIndex(({ points }, i) => points.size !== counts[i])
    if (odd !== -1)
      refuse('bad_snapshot', `must hold ${counts[odd]} points`, sets[odd]!.points.size, `state.sets[${odd}]`)
    this.#loadDistances(saved, sets)
    for (const { points } of sets) this.#numberBytes += points.bytes
  }

  #loadDistances(saved: Readonly<Record<string, PlainData>>, sets: readonly GrowingSet[]): void {
    const { maxHistorySize } = this.#limits
    const distances = readDoubles(saved['distances'], 'state.distances', maxHistorySize)
    const places = readPlaces(saved['distanceSets']!, sets.length, maxHistorySize, 'state.distanceSets')
    if (places.length !== distances.length || distances.some((value) => value < 0)) {
      refuse('bad_snapshot', `must be ${places.length} distances`, distances, 'state.distances')
    }
    for (const [i, value] of distances.entries()) this.#addDistance(sets[places[i]!]!, value)
    const empty = sets.findIndex((set) => set.points.size === 0 && set.distances === 0)
    if (empty !== -1) refuse('bad_snapshot', 'must not be empty', sets[empty], `state.sets[${empty}]`)
  }
}

/** One number for a class and a length, which is at most 65 536. */
function keyOf(label: number, length: number): number {
  return label * 65_537 + length
}

function open(label: number, length: number, maxNumbers: number): GrowingSet {
  const points = new PointQueue(Math.min(length, maxNumbers))
  return { label, length, points, added: 0, mean: 0, squares: 0, limit: 0, distances: 0 }
}

/** Mean and squares by Welford's recursion; the limit is the mean less the standard deviation (divisor n), and never falls. */
function grow(set: GrowingSet, distance: number): void {
  set.added++
  const off = distance - set.mean
  set.mean += off / set.added
  set.squares += off * (distance - set.mean)
  set.limit = Math.max(set.limit, set.mean - Math.sqrt(set.squares / set.added))
}

function readSet(value: unknown, path: string, maxNumbers: number): GrowingSet {
  const saved = readState(value as PlainData, ['label', 'length', 'points', 'added', 'mean', 'squares', 'limit'])
  const length = readNumber(saved['length'], `${path}.length`, { min: 1, max: 65_536 })
  return {
    label: readNumber(saved['label'], `${path}.label`, { max: MOST_LABELS }),
    length,
    points: readPoints(saved['points'], Math.min(length, maxNumbers), `${path}.points`),
    added: readNumber(saved['added'], `${path}.added`, COUNT),
    mean: readNumber(saved['mean'], `${path}.mean`, SIZE),
    squares: readNumber(saved['squares'], `${path}.squares`, { max: Number.MAX_VALUE, fraction: true }),
    limit: readNumber(saved['limit'], `${path}.limit`, SIZE),
    distances: 0,
  }
}

function readPoints(value: unknown, width: number, path: string): PointQueue {
  const isKind = ['Float32Array', 'Float64Array'].includes(elementType(value))
  if (!isKind) refuse('bad_snapshot', 'must be a Float32Array or Float64Array', value, path)
  const rows = value as Floats
  if (rows.length % width !== 0 || !rows.every((v) => Math.abs(v) <= LARGEST_KEPT)) {
    refuse('bad_snapshot', `must be rows of ${width} finite numbers`, value, path)
  }
  return new PointQueue(width, rows.slice())
}

function readPlaces(value: PlainData, below: number, most: number, path: string): Uint32Array {
  const places = value as Uint32Array
  const isList = elementType(value) === 'Uint32Array' && places.length <= most && places.every((p) => p < below)
  if (!isList) refuse('bad_snapshot', `must be a Uint32Array of at most ${most} places below ${below}`, value, path)
  return places
}

/** Checks the numbers of a query, of any length. Throws `bad_query`. */
export function checkNumbersOf(vector: ArrayLike<number> | undefined): ArrayLike<number> {
  if (vector === undefined) refuse('bad_query', 'pass pictureVector(pixels) or scaledRow(row)', vector, 'vector')
  checkNumbers(vector, NUMBERS, 'vector')
  return vector
}
