/** One door under fuzz: so many cases, a seed in the name, and a count for the report. */
import { basename } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { isMonitorError } from '../../../src/core/index.ts'
import { writeReport } from '../../tools/report.ts'
import { runsOf, SEED } from './size.ts'

/** Cases of this file so far, by door. */
const cases = new Map<string, number>()

/** `reports/faults-<file>.json`: how many cases of each door passed. */
afterAll(() => {
  const file = basename(expect.getState().testPath ?? 'unknown', '.test.ts')
  const rows = [...cases].map(([name, value]) => ({ name, value, unit: 'cases', met: true }))
  if (rows.length > 0) writeReport(`faults-${file}`, rows)
})

/**
 * A test of `short` cases, or `full` ones in the nightly form. `check` throws for a crash; a failure names the seed and the
 * path of the smallest case, which `fc.assert` takes again.
 */
export function fuzz<T>(
  door: string,
  cases_: { readonly of: fc.Arbitrary<T>; readonly short: number; readonly full: number },
  check: (one: T) => void | Promise<void>,
): void {
  const numRuns = runsOf(cases_.short, cases_.full)
  test(`${door}: ${numRuns} cases (seed ${SEED})`, { timeout: 7_200_000 }, async () => {
    let count = 0
    const property = fc.asyncProperty(cases_.of, async (one) => {
      count++
      await check(one)
    })
    await fc.assert(property, { seed: SEED, numRuns })
    cases.set(door, (cases.get(door) ?? 0) + count)
  })
}

/** Throws unless what was thrown is an error of this library with one of these codes, and a message for people. */
export function expectRefusal(thrown: unknown, codes: readonly string[]): void {
  if (!isMonitorError(thrown)) throw thrown
  expect(codes, thrown.message).toContain(thrown.code)
  expect(thrown.message.length).toBeGreaterThan(5)
  expect(thrown.message.length).toBeLessThan(2000)
}

/** Nothing that came in may have changed what all objects have. */
export function expectClean(): void {
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
}
