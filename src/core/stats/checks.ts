/** Checks that the statistics share. */
import { checkNumber, checkNumbers, refuse } from '../checkers.ts'

/** The longest sample: beyond it counts of pairs would no longer be whole numbers. */
export const MOST = 10_000_000

/** Numbers of a sample are at most this large in size, so that sums of squares stay finite. */
export const LARGEST = 1e150

/** How many numbers a sample must have, and how large they may be in size. */
export interface SampleRule {
  readonly least: number
  readonly most: number
  readonly largest: number
}

/** A sample as a fresh array. Throws as {@link checkSample} does. */
export function readSample(values: ArrayLike<number>, path: string, rule: SampleRule): Float64Array {
  checkSample(values, path, rule)
  return new Float64Array(values)
}

/** Throws `bad_query` for too few, too many, NaN, infinite or too large numbers. */
export function checkSample(values: ArrayLike<number>, path: string, rule: SampleRule): void {
  const { least, most, largest } = rule
  checkNumbers(values, { most, min: -largest, max: largest }, path)
  if (values.length < least) refuse('bad_query', `must have at least ${least} numbers`, values.length, path)
}

/** One number of a stream, finite and at most {@link LARGEST} in size. Throws `bad_query`. */
export function checkValue(value: number, path: string): number {
  return checkNumber(value, VALUE, path, 'bad_query')
}

const VALUE = { min: -LARGEST, max: LARGEST }

/** A number strictly between 0 and 1, and large enough to be divided further: 1e-300 at least. Throws `bad_config`. */
export function checkShare(value: number, path: string): number {
  if (!(typeof value === 'number' && value >= 1e-300 && value < 1)) {
    refuse('bad_config', 'must be a number above 0 (1e-300 at least) and below 1', value, path)
  }
  return value
}
