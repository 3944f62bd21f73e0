/** Reading the state of answer following; lets no damaged one in. */
import { elementType, refuse } from '../../checkers.ts'
import { readList, readNumber, readState } from '../../state.ts'
import type { PlainData } from '../../types.ts'
import { LARGEST_MARGIN } from '../lineage/margin.ts'
import { type BisectionState, LATEST } from './bisection.ts'
import {
  CHILDREN,
  CHOICE,
  CHOSEN,
  CORRELATION,
  LABEL,
  LEFT_DOWN,
  LEFT_UP,
  LIKELIHOOD,
  MARGIN,
  PARENT,
  PENDING,
  QUERY,
  REFERENCE,
  ROOT,
  SLOPE,
  SLOPES,
  TAKEN_DOWN,
  TAKEN_UP,
  TOUCHED,
  WIDTH,
} from './memory.ts'

const COUNTS = [
  QUERY,
  PARENT,
  ROOT,
  REFERENCE,
  LABEL,
  CHILDREN,
  TOUCHED,
  PENDING,
  TAKEN_DOWN,
  TAKEN_UP,
  LEFT_DOWN,
  LEFT_UP,
  SLOPES,
  CHOSEN,
]

/** The rows of saved queries, of at most `points`, the last at most number `queries`. Throws `bad_snapshot`. */
export function readRows(value: unknown, { points, queries, classes }: Bounds): Float64Array {
  const rows = value as Float64Array
  const count = elementType(value) === 'Float64Array' ? rows.length / WIDTH : Number.NaN
  if (!(Number.isInteger(count) && count <= points)) {
    refuse('bad_snapshot', `must be ${WIDTH} numbers for each of at most ${points} queries`, value, 'state.rows')
  }
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * WIDTH, (i + 1) * WIDTH)
    const before = i === 0 ? 0 : rows[(i - 1) * WIDTH + QUERY]!
    if (!(isRow(row, queries, classes) && row[QUERY]! > before)) {
      refuse('bad_snapshot', 'must describe a remembered query', row, `state.rows[${i}]`)
    }
  }
  return rows
}

interface Bounds {
  readonly points: number
  readonly queries: number
  readonly classes: number
}

function isRow(row: Float64Array, queries: number, classes: number): boolean {
  const query = row[QUERY]!
  return (
    row.every((value) => Number.isFinite(value)) &&
    COUNTS.every((at) => Number.isSafeInteger(row[at]) && row[at]! >= 0) &&
    query >= 1 &&
    query <= queries &&
    row[PARENT]! < query &&
    row[ROOT]! >= 1 &&
    row[ROOT]! <= query &&
    row[TOUCHED]! >= query &&
    row[TOUCHED]! <= queries &&
    row[REFERENCE]! < classes &&
    row[LABEL]! < classes &&
    row[PENDING]! <= 1 &&
    Math.abs(row[MARGIN]!) <= LARGEST_MARGIN &&
    Math.abs(row[CORRELATION]!) <= 1 &&
    Math.abs(row[CHOICE]!) <= 1e15 &&
    Math.abs(row[LIKELIHOOD]!) <= 1e15 &&
    Math.abs(row[SLOPE]!) <= 1e15
  )
}

/** The state of the bisection test after so many queries. Throws `bad_snapshot`. */
export function readBisection(value: PlainData, queries: number): BisectionState {
  const saved = readState(value, ['evidence', 'halvings', 'towards', 'bracket', 'latest'])
  const number = (one: unknown, path: string) => readNumber(one, path, { min: 1, max: queries })
  const bracket = readList(saved['bracket'], 'state.bisection.bracket', 3, number)
  if (bracket.length !== 0 && bracket.length !== 3) {
    refuse('bad_snapshot', 'must be three queries or none', bracket, 'state.bisection.bracket')
  }
  const halvings = readNumber(saved['halvings'], 'state.bisection.halvings', { max: queries })
  return {
    evidence: readNumber(saved['evidence'], 'state.bisection.evidence', { fraction: true }),
    halvings,
    towards: readNumber(saved['towards'], 'state.bisection.towards', { max: halvings }),
    bracket: bracket as unknown as BisectionState['bracket'],
    latest: readList(saved['latest'], 'state.bisection.latest', LATEST, number),
  }
}
