/** What PRADA keeps of each class: the points that lie apart, and how far each query lay from the nearest of them. */
import { checkNumbers, elementType, refuse } from '../../checkers.ts'
import { Ring } from '../../ring.ts'
import { readDoubles, readList, readNumber, readState } from '../../state.ts'
import type { PlainData } from '../../types.ts'

type Point = Float32Array | Float64Array

/** The growing set of one class, and of one length of vectors. */
interface GrowingSet {
  readonly label: number
  readonly length: number
  /** The oldest first. */
  readonly points: Point[]
  /** Of the distances at which its points were added, the first of them 0: number, mean, sum of squares about the mean. */
  added: number
  mean: number
  squares: number
  /** A query further than this from all points is added to them. */
  limit: number
  /** Distances of this class among those remembered. */
  distances: number
}

interface Distance {
  readonly set: GrowingSet
  readonly value: number
}

/** Estimated bytes of a set, of a point beside its numbers, and of a distance. */
const SET_BYTES = 160
const POINT_BYTES = 120
const DISTANCE_BYTES = 40
/** Labels are places in a list of at most a million probabilities. */
const MOST_LABELS = 1_000_000
/** No number may be larger in size, so that sums of squared distances stay finite. */
const LARGEST = 1e100
const NUMBERS = { most: 65_536, min: -LARGEST, max: LARGEST }
const COUNT = { max: Number.MAX_SAFE_INTEGER }
const SIZE = { max: 1e160, fraction: true }

/** The growing sets of all classes of one stream. Up to two limits exactly as published; then the oldest leave. */
export class GrowingSets {
  readonly #sets = new Map<string, GrowingSet>()
  /** The set of each point, in the order in which they came. */
  readonly #owners: Ring<GrowingSet>
  readonly #distances: Ring<Distance>
  #pointBytes = 0

  constructor(mostPoints: number, mostDistances: number) {
    this.#owners = new Ring(mostPoints)
    this.#distances = new Ring(mostDistances)
  }

  get points(): number {
    return this.#owners.items.length
  }

  get distances(): number {
    return this.#distances.items.length
  }

  get classes(): number {
    return this.#sets.size
  }

  bytes(): number {
    return this.#pointBytes + DISTANCE_BYTES * this.distances + SET_BYTES * this.#sets.size
  }

  /** The distance to the nearest point of the class; null for the first of a class, which is its first point. */
  add(vector: ArrayLike<number>, label: number): number | null {
    const key = `${label} ${vector.length}`
    const set = this.#sets.get(key) ?? open(label, vector.length)
    this.#sets.set(key, set)
    if (set.points.length === 0) {
      Object.assign(set, { added: 1, mean: 0, squares: 0, limit: 0 })
      this.#addPoint(set, vector)
      return null
    }
    const distance = Math.sqrt(nearest(set.points, vector))
    this.#addDistance({ set, value: distance })
    if (distance > set.limit) {
      grow(set, distance)
      this.#addPoint(set, vector)
    }
    return distance
  }

  /** The distances of the classes that have at least `least` of them, the oldest first. */
  sample(least: number): number[] {
    return this.#distances
      .list()
      .filter(({ set }) => set.distances >= least)
      .map(({ value }) => value)
  }

  #addPoint(set: GrowingSet, vector: ArrayLike<number>): void {
    const point = elementType(vector) === 'Float32Array' ? Float32Array.from(vector) : Float64Array.from(vector)
    set.points.push(point)
    this.#pointBytes += point.byteLength + POINT_BYTES
    const left = this.#owners.push(set)
    if (left === undefined) return
    this.#pointBytes -= left.points.shift()!.byteLength + POINT_BYTES
    this.#dropIfEmpty(left)
  }

  #addDistance(distance: Distance): void {
    const left = this.#distances.push(distance)
    distance.set.distances++
    if (left === undefined) return
    left.set.distances--
    this.#dropIfEmpty(left.set)
  }

  #dropIfEmpty({ label, length, points, distances }: GrowingSet): void {
    if (points.length === 0 && distances === 0) this.#sets.delete(`${label} ${length}`)
  }

  save(): { readonly [key: string]: PlainData } {
    const sets = [...this.#sets.values()]
    const place = new Map(sets.map((set, i) => [set, i]))
    const distances = this.#distances.list()
    return {
      sets: sets.map(({ label, length, points, added, mean, squares, limit }) => {
        return { label, length, points: points.map((point) => point.slice()), added, mean, squares, limit }
      }),
      owners: Uint32Array.from(this.#owners.list(), (set) => place.get(set)!),
      distances: Float64Array.from(distances, ({ value }) => value),
      distanceSets: Uint32Array.from(distances, ({ set }) => place.get(set)!),
    }
  }

  /** Fills an empty one from a saved state. Throws `bad_snapshot`. */
  load(saved: Readonly<Record<string, PlainData>>): void {
    const { capacity } = this.#owners
    const sets = readList(saved['sets'], 'state.sets', capacity + this.#distances.capacity, readSet)
    for (const set of sets) this.#sets.set(`${set.label} ${set.length}`, set)
    if (this.#sets.size !== sets.length) refuse('bad_snapshot', 'must hold each class once', sets.length, 'state.sets')
    const owners = readPlaces(saved['owners']!, sets.length, capacity, 'state.owners')
    const counts = new Uint32Array(sets.length)
    for (const owner of owners) {
      this.#owners.push(sets[owner]!)
      counts[owner]!++
    }
    const odd = sets.findIndex(({ points }, i) => points.length !== counts[i])
    if (odd !== -1) refuse('bad_snapshot', `must hold ${counts[odd]} points`, sets[odd]!.points, `state.sets[${odd}]`)
    this.#loadDistances(saved, sets)
    for (const { points } of sets) for (const point of points) this.#pointBytes += point.byteLength + POINT_BYTES
  }

  #loadDistances(saved: Readonly<Record<string, PlainData>>, sets: readonly GrowingSet[]): void {
    const { capacity } = this.#distances
    const distances = readDoubles(saved['distances'], 'state.distances', capacity)
    const places = readPlaces(saved['distanceSets']!, sets.length, capacity, 'state.distanceSets')
    if (places.length !== distances.length || distances.some((value) => value < 0)) {
      refuse('bad_snapshot', `must be ${places.length} distances`, distances, 'state.distances')
    }
    for (const [i, value] of distances.entries()) this.#addDistance({ set: sets[places[i]!]!, value })
    const empty = sets.findIndex((set) => set.points.length === 0 && set.distances === 0)
    if (empty !== -1) refuse('bad_snapshot', 'must not be empty', sets[empty], `state.sets[${empty}]`)
  }
}

function open(label: number, length: number): GrowingSet {
  return { label, length, points: [], added: 0, mean: 0, squares: 0, limit: 0, distances: 0 }
}

/** Mean and squares by Welford's recursion; the limit is the mean less the standard deviation (divisor n), and never falls. */
function grow(set: GrowingSet, distance: number): void {
  set.added++
  const off = distance - set.mean
  set.mean += off / set.added
  set.squares += off * (distance - set.mean)
  set.limit = Math.max(set.limit, set.mean - Math.sqrt(set.squares / set.added))
}

/** The squared distance to the nearest point. */
function nearest(points: readonly Point[], vector: ArrayLike<number>): number {
  let least = Infinity
  const one = Float64Array.from(vector)
  for (const point of points) {
    let sum = 0
    for (let i = 0; i < one.length && sum < least; i++) {
      const d = one[i]! - point[i]!
      sum += d * d
    }
    if (sum < least) least = sum
  }
  return least
}

function readSet(value: unknown, path: string): GrowingSet {
  const saved = readState(value as PlainData, ['label', 'length', 'points', 'added', 'mean', 'squares', 'limit'])
  const length = readNumber(saved['length'], `${path}.length`, { min: 1, max: 65_536 })
  return {
    label: readNumber(saved['label'], `${path}.label`, { max: MOST_LABELS }),
    length,
    points: readList(saved['points'], `${path}.points`, 10_000_000, (point, at) => readPoint(point, length, at)),
    added: readNumber(saved['added'], `${path}.added`, COUNT),
    mean: readNumber(saved['mean'], `${path}.mean`, SIZE),
    squares: readNumber(saved['squares'], `${path}.squares`, { max: Number.MAX_VALUE, fraction: true }),
    limit: readNumber(saved['limit'], `${path}.limit`, SIZE),
    distances: 0,
  }
}

function readPoint(value: unknown, length: number, path: string): Point {
  const isKind = ['Float32Array', 'Float64Array'].includes(elementType(value))
  if (!isKind) refuse('bad_snapshot', 'must be a Float32Array or Float64Array', value, path)
  const point = value as Point
  if (point.length !== length || !point.every((v) => Math.abs(v) <= LARGEST)) {
    refuse('bad_snapshot', `must be ${length} finite numbers`, value, path)
  }
  return point.slice()
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
