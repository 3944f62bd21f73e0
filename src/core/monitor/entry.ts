/** The checks of what a monitor eats. */
import { checkNumber, isWellFormed, refuse } from '../checkers.ts'
import { type ErrorCode, isErrorData, type PlainError } from '../errors.ts'
import type { Observation } from '../types.ts'
import type { Entry } from './verdict.ts'

/** The last moment that a `Date` can hold, in ms since the epoch: the year 275760. */
export const LATEST_MS = 8.64e15
const TIMES = { min: 0, max: LATEST_MS }

/** Most characters of a name. */
export const MAX_ID = 256

const KINDS: readonly unknown[] = ['query', 'suspend', 'release', 'erase', 'expire'] satisfies Entry['kind'][]

/** Throws `bad_query` for an entry that is malformed as a whole. */
export function checkEntry(entry: Entry, detectors: number): void {
  if (typeof entry !== 'object' || entry === null) refuse('bad_query', 'must be an entry', entry, 'entry')
  if (!KINDS.includes(entry.kind)) refuse('bad_query', `must be one of ${KINDS.join(', ')}`, entry.kind, 'kind')
  checkTime(entry.timeMs, 'timeMs')
  if (entry.kind === 'expire') {
    checkTime(entry.unseenMs, 'unseenMs')
    return
  }
  checkClient(entry.client)
  if (entry.kind === 'suspend') checkTime(entry.untilMs, 'untilMs')
  if (entry.kind !== 'query') return
  if (entry.id !== undefined) checkText(entry.id, 'id')
  if (entry.group !== undefined) checkGroup(entry.group)
  const { observations } = entry
  const fits = Array.isArray(observations) && observations.length === detectors
  if (!fits) refuse('bad_query', `must have one item for each of ${detectors} detectors`, observations, 'observations')
  for (let i = 0; i < detectors; i++) checkObservation(observations[i], i)
}

/** What stands for a detector's features; the detector checks these themselves. */
function checkObservation(one: unknown, i: number): void {
  if (one === null) return
  const isSound = typeof one === 'object' && ((one as PlainError).name !== 'MonitorError' || isErrorData(one))
  if (!isSound) refuse('bad_query', 'must be an observation, an error as data, or null', one, `observations[${i}]`)
}

/** A time, or a length of time, in ms. Throws `bad_query`. */
function checkTime(value: unknown, path: string): number {
  return checkNumber(value, TIMES, path, 'bad_query')
}

/** Checks a client's name: a well-formed string of at most 256 characters, '' for an unknown one. Throws `bad_query`. */
export function checkClient(client: unknown): string {
  return checkText(client, 'client')
}

/** Checks the name of a group of clients, as that of a client; '' for none. Throws `bad_query`. */
export function checkGroup(group: unknown): string {
  return checkText(group, 'group')
}

function checkText(value: unknown, path: string, code: ErrorCode = 'bad_query'): string {
  const ok = typeof value === 'string' && value.length <= MAX_ID && isWellFormed(value)
  if (!ok) refuse(code, `must be a well-formed string of at most ${MAX_ID} characters`, value, path)
  return value
}

export function isPlainError(value: Observation | PlainError): value is PlainError {
  return (value as PlainError).name === 'MonitorError'
}
