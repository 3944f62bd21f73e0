/** Recorded sessions in a folder, by the SHA-256 of all that decides on their queries. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMonitorError, type PlainData, stableJson } from '../../core/index.ts'
import { type Recording, recordingFromBytes, recordingToBytes } from '../recording.ts'
import { recordSession, replaySession } from '../replay.ts'
import type { Outcome, SessionOptions } from '../session.ts'
import type { Kind } from '../types.ts'
import type { SessionWatcher } from '../watch.ts'
import { hashOf, writeAtOnce } from './files.ts'

interface Wanted<K extends Kind, Config extends object> {
  readonly session: Omit<SessionOptions<K, Config>, 'watchers'>
  /** New detectors: those that saw a replay fail are worthless. */
  // biome-ignore lint/suspicious/noExplicitAny: what the session's own kind is, the caller knows
  readonly watch: () => SessionWatcher<any>
}

interface Cache {
  /** Undefined: nothing is kept. */
  readonly folder: string | undefined
  /** What the session itself does not tell: model, data, source, whoever answers in the model's place. */
  readonly about: PlainData
}

const FORMAT = 1
const sha256 = () => createHash('sha256')

/** A session from the cache if it is there, whole and still what the client asks; else from the model. */
export async function runCached<K extends Kind, Config extends object>(
  { session, watch }: Wanted<K, Config>,
  { folder, about }: Cache,
): Promise<{ readonly outcome: Outcome; readonly hash: string; readonly watcher: ReturnType<typeof watch> }> {
  const file = folder === undefined ? undefined : join(folder, `${keyOf(session, about)}.rec`)
  const known = file === undefined ? undefined : await readRecording(file)
  if (known !== undefined) {
    const watcher = watch()
    const outcome = await replayed({ ...session, watchers: [watcher] }, known)
    if (outcome !== undefined) return { outcome, hash: known.hash, watcher }
  }
  const watcher = watch()
  const { outcome, recording } = await recordSession({ ...session, watchers: [watcher] }, sha256())
  if (file !== undefined) await writeAtOnce(file, recordingToBytes(recording))
  return { outcome, hash: recording.hash, watcher }
}

function keyOf<K extends Kind, Config extends object>(
  { client, config, task, seed }: Wanted<K, Config>['session'],
  about: PlainData,
): string {
  return hashOf(stableJson([FORMAT, client.name, config, seed, task.budget, about]))
}

/** Undefined if there is none, or none that is whole. */
async function readRecording(file: string): Promise<Recording | undefined> {
  try {
    return recordingFromBytes(await readFile(file))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' || isMonitorError(thrown)) return undefined
    throw thrown
  }
}

/** Undefined if the client asks something else by now, and whatever it throws at answers that are not meant for it. */
async function replayed<K extends Kind, Config extends object>(
  options: SessionOptions<K, Config>,
  recording: Recording,
): Promise<Outcome | undefined> {
  try {
    return await replaySession(options, recording, sha256())
  } catch {
    return undefined // the session is run with the model then, and fails again if it is to fail
  }
}
