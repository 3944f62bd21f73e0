/** Asking the detectors of a monitor about a query. */
import { type PlainError, toMonitorError, withPath } from '../errors.ts'
import type { Detection, Detector, Observation } from '../types.ts'
import type { ClientState } from './clients.ts'
import { isPlainError } from './entry.ts'
import type { Slot } from './slots.ts'
import type { QueryEntry, StreamDetector } from './verdict.ts'

/** What they said. */
export interface Heard {
  readonly detections: readonly Detection[]
  /** The same by the detector's place; undefined where it said nothing. */
  readonly bySlot: readonly (Detection | undefined)[]
  readonly errors: readonly PlainError[]
  readonly skipped: readonly string[]
}

export interface Witnesses {
  readonly slots: readonly Slot[]
  readonly global: ReadonlyMap<string, StreamDetector>
  readonly client: ClientState
  /** Undefined where the query names none. */
  readonly group: ClientState | undefined
  readonly nowMs: number
}

/** Lets each detector score and learn what it has been given. What one of them fails on changes nothing in it. */
export function hear({ observations }: QueryEntry, { slots, global, client, group, nowMs }: Witnesses): Heard {
  const bySlot = new Array<Detection | undefined>(slots.length).fill(undefined)
  const errors: PlainError[] = []
  const skipped: string[] = []
  const next = { client: 0, group: 0 }
  for (const [i, slot] of slots.entries()) {
    const detector = detectorOf(slot)
    const observation = observations[i]!
    if (observation === null || detector === undefined) skipped.push(slot.label)
    else if (isPlainError(observation)) errors.push(observation)
    else ask(i, slot, detector, slot.isTimed ? { ...observation, timeMs: nowMs } : observation)
  }
  const haveAll = errors.length + skipped.length === 0
  const detections = haveAll ? (bySlot as Detection[]) : bySlot.filter((one) => one !== undefined)
  return { detections, bySlot, errors, skipped }

  function detectorOf({ scope, label }: Slot): StreamDetector | undefined {
    if (scope === 'global') return global.get(label)
    const owner = scope === 'client' ? client : group
    return owner?.detectors[next[scope]++] as StreamDetector | undefined
  }

  function ask(i: number, { label }: Slot, detector: Detector<Observation, unknown>, observation: Observation): void {
    try {
      const detection = detector.process(observation)
      bySlot[i] = detection.detector === label ? detection : { ...detection, detector: label }
    } catch (thrown) {
      errors.push(withPath(toMonitorError(thrown, 'plugin_failed'), label).toJSON())
    }
  }
}
