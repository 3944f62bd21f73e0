/** Asking the detectors of a monitor about a query. */
import { type PlainError, toMonitorError, withPath } from '../errors.ts'
import type { Detection, Observation } from '../types.ts'
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

/** Who is asked, and when. */
export interface Witnesses {
  readonly slots: readonly Slot[]
  readonly global: ReadonlyMap<string, StreamDetector>
  client: ClientState
  /** Undefined where the query names none. */
  group: ClientState | undefined
  nowMs: number
}

/** Lets each detector score and learn what it has been given. What one of them fails on changes nothing in it. */
export function hear({ observations }: QueryEntry, witnesses: Witnesses): Heard {
  const { slots, global, client, group, nowMs } = witnesses
  const bySlot = new Array<Detection | undefined>(slots.length).fill(undefined)
  const errors: PlainError[] = []
  const skipped: string[] = []
  let nextOfClient = 0
  let nextOfGroup = 0
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const { scope, label } = slot
    let detector: StreamDetector | undefined
    if (scope === 'global') detector = global.get(label)
    else if (scope === 'client') detector = client.detectors[nextOfClient++] as StreamDetector | undefined
    else detector = group?.detectors[nextOfGroup++] as StreamDetector | undefined
    const observation = observations[i]!
    if (observation === null || detector === undefined) skipped.push(label)
    else if (isPlainError(observation)) errors.push(observation)
    else bySlot[i] = ask(label, detector, slot.isTimed ? { ...observation, timeMs: nowMs } : observation, errors)
  }
  const haveAll = errors.length + skipped.length === 0
  const detections = haveAll ? (bySlot as Detection[]) : bySlot.filter(isThere)
  return { detections, bySlot, errors, skipped }
}

function isThere(detection: Detection | undefined): detection is Detection {
  return detection !== undefined
}

/** What a detector says; undefined where it fails, which goes to `errors`. */
function ask(
  label: string,
  detector: StreamDetector,
  observation: Observation,
  errors: PlainError[],
): Detection | undefined {
  try {
    const detection = detector.process(observation)
    return detection.detector === label ? detection : { ...detection, detector: label }
  } catch (thrown) {
    errors.push(withPath(toMonitorError(thrown, 'plugin_failed'), label).toJSON())
    return undefined
  }
}
