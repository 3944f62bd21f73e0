/** The statistics of one path of adoptions, as a row of numbers, and the two rules over them. */
import type { DescentLineageConfig, Stakes } from './config.ts'

// One row a remembered query. The path of a query is that of the adopted query it descends from, or its own once it is
// adopted itself: a copy, since the ancestor may be forgotten.
/** Number of the query in the stream, from 1. */
export const QUERY = 0
/** Margin of the query. */
export const MARGIN = 1
/** Queries that built on it; counted until it is adopted. */
export const VOTES = 2
/** Where the path's own numbers begin. The first is the number of the adopted query at its tip. */
export const TIP = 3
/** Margin of the tip. */
export const TIP_MARGIN = 4
/** Logarithm of rule S's e-process. */
export const EVIDENCE = 5
/** Lowest margin that counted as a record. */
const RECORD = 6
export const RECORDS = 7
/** Sum of the falls along the path. */
export const DOWN = 8
/** Sum of the rises. */
export const UP = 9
/** Adoptions since the group began. */
export const LENGTH = 10
/** Numbers of a row. */
export const WIDTH = 11

/** A new path, of the query itself. */
export function beginPath(rows: Float64Array, at: number): void {
  rows[at + TIP] = rows[at + QUERY]!
  rows[at + TIP_MARGIN] = rows[at + MARGIN]!
  rows[at + EVIDENCE] = 0
  rows[at + RECORD] = rows[at + MARGIN]!
  rows[at + RECORDS] = 0
  rows[at + DOWN] = 0
  rows[at + UP] = 0
  rows[at + LENGTH] = 0
}

/** The query becomes the tip of the path it descends from. */
export function extendPath(rows: Float64Array, at: number, recordStep: number, { fall, rise }: Stakes): void {
  const margin = rows[at + MARGIN]!
  const change = margin - rows[at + TIP_MARGIN]!
  if (change < 0) rows[at + EVIDENCE]! += fall
  if (change > 0) rows[at + EVIDENCE]! += rise
  if (margin < rows[at + RECORD]! - recordStep) {
    rows[at + RECORD] = margin
    rows[at + RECORDS]!++
  }
  rows[at + DOWN]! += Math.max(0, -change)
  rows[at + UP]! += Math.max(0, change)
  rows[at + LENGTH]!++
  rows[at + TIP] = rows[at + QUERY]!
  rows[at + TIP_MARGIN] = margin
}

/** How much of rule S is reached: 1 and more alarms. */
export function shareOfS(rows: Float64Array, at: number, { limit }: Stakes): number {
  return Math.max(0, rows[at + EVIDENCE]!) / limit
}

/**
 * How much is reached of the condition of rule M that is furthest from being met: 1 and more alarms. A quotient of two
 * doubles is at least 1 exactly if the first is at least the second.
 */
export function shareOfM(
  rows: Float64Array,
  at: number,
  firstMargin: number,
  { records, drop, relativeDrop, ratio }: DescentLineageConfig,
): number {
  const fallen = firstMargin - rows[at + TIP_MARGIN]!
  const net = rows[at + DOWN]! - rows[at + UP]!
  if (!(fallen > 0 && net > 0)) return 0
  const steadiness = net / (rows[at + DOWN]! + rows[at + UP]!)
  const relative = relativeDrop * Math.abs(firstMargin)
  return Math.min(
    rows[at + RECORDS]! / records,
    fallen / drop,
    relative === 0 ? Infinity : fallen / relative,
    steadiness / ratio,
  )
}
