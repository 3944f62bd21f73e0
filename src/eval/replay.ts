/** Sessions recorded, and run again without the model. */
import { MonitorError } from '../core/index.ts'
import { createRecorder, type Recording, type Sha256 } from './recording.ts'
import { type Outcome, runSession, type SessionOptions } from './session.ts'
import type { InputOf, Kind, Victim, Watcher } from './types.ts'

export interface Recorded {
  readonly outcome: Outcome
  readonly recording: Recording
}

/** Runs a session and writes it down. `sha256` is new. */
export async function recordSession<K extends Kind, Config extends object>(
  options: SessionOptions<K, Config>,
  sha256: Sha256,
): Promise<Recorded> {
  const { victim, watchers = [] } = options
  const recorder = createRecorder<K>(victim.kind, victim.classes, sha256)
  const outcome = await runSession({ ...options, watchers: [recorder, ...watchers] })
  return { outcome, recording: recorder.finish(outcome) }
}

/**
 * Runs a recorded session again: the client asks as it did, the answers come from the recording, the watchers see all of it as
 * they would have then. If they answer the client themselves, it must be as when it was recorded.
 *
 * @throws `bad_snapshot` if the client asks anything else than it did, at the end if not before: what the watchers saw is then
 * worthless.
 */
export async function replaySession<K extends Kind, Config extends object>(
  options: Omit<SessionOptions<K, Config>, 'victim'> & { readonly victim: Omit<Victim<K>, 'answer'> },
  recording: Recording,
  sha256: Sha256,
): Promise<Outcome> {
  const { victim, watchers = [] } = options
  const end: Watcher<InputOf[K]> = {
    see({ number }) {
      if (number > recording.queries) throw changed(options.client.name, `more than ${recording.queries} queries`)
      return undefined
    },
  }
  const { outcome, recording: again } = await recordSession(
    { ...options, victim: fromRecording(victim, recording), watchers: [end, ...watchers] },
    sha256,
  )
  if (again.hash === recording.hash && outcome.success === recording.success) return outcome
  throw changed(options.client.name, `SHA-256 ${again.hash.slice(0, 16)}… in place of ${recording.hash.slice(0, 16)}…`)
}

function changed(client: string, what: string): MonitorError {
  const message = `'${client}' does not ask what was recorded (${what}): its code or settings have changed; record it anew`
  return new MonitorError('bad_snapshot', message)
}

/** The model as far as the recording knows it. */
function fromRecording<K extends Kind>(
  { name, hash, kind, classes }: Omit<Victim<K>, 'answer'>,
  recording: Recording,
): Victim<K> {
  let next = 0
  // What a batch asks behind the query that ended the session was never answered to anybody.
  const rest = new Float32Array(classes)
  return {
    name,
    hash,
    kind,
    classes,
    async answer(inputs) {
      return inputs.map(() => {
        const at = classes * next++
        return at < recording.logits.length ? recording.logits.slice(at, at + classes) : rest
      })
    },
  }
}
