/** Reading the groups of a snapshot; lets no damaged one in. */
import { elementType, refuse } from '../../checkers.ts'
import { readList, readNumber, readState } from '../../state.ts'
import type { PlainData } from '../../types.ts'
import type { DescentLineageConfig } from './config.ts'
import { Group, type GroupHead, type SavedQueries } from './group.ts'
import { LARGEST_MARGIN } from './margin.ts'
import { DOWN, LENGTH, QUERY, RECORDS, TIP, UP, VOTES, WIDTH } from './path.ts'
import { isSaved, MAX_LENGTH, type SavedPoints, storageFor } from './points.ts'

const FIELDS = ['length', 'classes', 'reference', 'firstMargin', 'adopted', 'rows', 'numbers', 'sums'] as const

/** A group as plain data, for {@link readGroups}. */
export function saveGroup(group: Group): PlainData {
  return { ...group.head, ...group.save() }
}

/** Saved groups after `queries` queries, the least recently used first. Throws `bad_snapshot`. */
export function readGroups(state: PlainData, config: DescentLineageConfig, queries: number): Group[] {
  return readList(state, 'state.groups', config.groups, (value, path) => {
    const fields = readState(value as PlainData, FIELDS)
    const head = readHead(fields, path)
    const storage = storageFor(head.length, config.storage)
    const rows = readRows(fields, config, queries, path)
    const points = { numbers: fields['numbers'], sums: fields['sums'] } as unknown as SavedPoints
    if (!isSaved(points, storage, head.length, rows.rows.length / WIDTH)) {
      refuse('bad_snapshot', 'must hold the vectors of its queries', points.numbers, `${path}.numbers`)
    }
    const group = new Group(head, storage, config)
    group.load({ ...rows, ...points })
    return group
  })
}

function readHead(fields: Readonly<Record<string, PlainData>>, path: string): GroupHead {
  const classes = readNumber(fields['classes'], `${path}.classes`, { min: 2 })
  return {
    length: readNumber(fields['length'], `${path}.length`, { min: 1, max: MAX_LENGTH }),
    classes,
    reference: readNumber(fields['reference'], `${path}.reference`, { max: classes - 1 }),
    firstMargin: readNumber(fields['firstMargin'], `${path}.firstMargin`, { max: LARGEST_MARGIN, fraction: true }),
  }
}

function readRows(
  fields: Readonly<Record<string, PlainData>>,
  config: DescentLineageConfig,
  queries: number,
  path: string,
): Pick<SavedQueries, 'adopted' | 'rows'> {
  const rows = fields['rows'] as Float64Array
  const count = elementType(rows) === 'Float64Array' ? rows.length / WIDTH : 0
  const adopted = readNumber(fields['adopted'], `${path}.adopted`, { min: 1, max: config.adopted })
  const isFull = Number.isInteger(count) && count >= adopted && count - adopted <= config.ring
  if (!isFull) refuse('bad_snapshot', `must be a Float64Array of ${WIDTH} numbers a query`, rows, `${path}.rows`)
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * WIDTH, (i + 1) * WIDTH)
    if (!isRow(row, i >= count - adopted, config, queries)) {
      refuse('bad_snapshot', 'must describe a remembered query', row, `${path}.rows[${i}]`)
    }
  }
  return { adopted, rows }
}

function isRow(row: Float64Array, isAdopted: boolean, { children }: DescentLineageConfig, queries: number): boolean {
  const counts = [QUERY, VOTES, TIP, RECORDS, LENGTH]
  const sums = [DOWN, UP]
  const isOrdered = row[QUERY]! <= queries && (isAdopted ? row[TIP] === row[QUERY] : row[TIP]! < row[QUERY]!)
  return (
    isOrdered &&
    row.every((value) => Number.isFinite(value)) &&
    counts.every((at) => Number.isSafeInteger(row[at]) && row[at]! >= 0) &&
    sums.every((at) => row[at]! >= 0) &&
    row[TIP]! > 0 &&
    row[VOTES]! <= children
  )
}
