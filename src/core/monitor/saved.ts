/** Reading a monitor's snapshot. */
import { refuse } from '../checkers.ts'
import { readList, readNumber, readText } from '../state.ts'
import type { Detector, PlainData, Snapshot } from '../types.ts'
import { LATEST_MS, MAX_ID } from './entry.ts'
import { MAX_DETECTORS } from './slots.ts'

export function saveDetectors(detectors: Iterable<Pick<Detector<never, unknown>, 'snapshot'>>): PlainData {
  return [...detectors].map((detector) => ({ ...detector.snapshot() }))
}

/** Restores detectors from what {@link saveDetectors} gave. Throws `bad_snapshot`. */
export function loadDetectors(
  value: unknown,
  detectors: readonly Pick<Detector<never, unknown>, 'restore'>[],
  path: string,
): void {
  const snapshots = readList(value, path, MAX_DETECTORS, (v) => v as Snapshot)
  if (snapshots.length !== detectors.length)
    refuse('bad_snapshot', `must be ${detectors.length} snapshots`, value, path)
  for (const [i, detector] of detectors.entries()) detector.restore(snapshots[i]!)
}

/** A moment that has come, or with another `max` one that is to come. */
export function readTime(value: unknown, path: string, max = LATEST_MS): number {
  return readNumber(value, path, { max, fraction: true })
}

export function readName(value: unknown, path: string): string {
  return readText(value, path, MAX_ID)
}

/** Throws `bad_snapshot` if a snapshot is of detectors with other labels. */
export function checkLabels(value: unknown, expected: readonly string[]): void {
  const labels = readList(value, 'state.labels', MAX_DETECTORS, readName)
  if (labels.join() === expected.join()) return
  refuse('bad_snapshot', `is of other detectors: expected ${expected.join(', ')}`, labels.join(', '), 'state.labels')
}
