/** The state of a server in a file, over a restart. */
import { existsSync } from 'node:fs'
import { isMonitorError, MonitorError } from '../core/index.ts'
import type { StateConfig } from './config/state.ts'
import type { ServerApp } from './http/app.ts'
import { createSeal, type Seal } from './seal.ts'
import { loadSnapshot, saveSnapshot } from './snapshotFile.ts'

export interface StateKeeper {
  /** Writes the state now, after a write under way. Rejects if it cannot. */
  save(): Promise<void>
  /** Ends the writing at intervals. */
  stop(): void
}

/** Reads the state if there is one, and writes it at intervals. Throws `bad_config` for one that does not fit. */
export async function keepState(
  app: Pick<ServerApp, 'snapshot' | 'restore'>,
  { file, everySeconds, secret }: StateConfig,
  onFailure: (thrown: unknown) => void,
): Promise<StateKeeper> {
  if (file === undefined) return { save: async () => {}, stop: () => {} }
  const seal = secret === undefined ? undefined : createSeal(secret, 'state')
  if (existsSync(file)) await restore(app, file, seal)
  let writing = Promise.resolve()
  const save = () => {
    writing = writing.catch(() => {}).then(async () => saveSnapshot(file, await app.snapshot(), seal))
    return writing
  }
  const timer = everySeconds === 0 ? undefined : setInterval(() => save().catch(onFailure), everySeconds * 1000)
  timer?.unref()
  return { save, stop: () => clearInterval(timer) }
}

async function restore(app: Pick<ServerApp, 'restore'>, file: string, seal: Seal | undefined): Promise<void> {
  try {
    await app.restore(await loadSnapshot(file, seal))
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    const remedy = 'move the file away to start with an empty memory, or put the old configuration back'
    throw new MonitorError('bad_config', `the state in ${file} cannot be used: ${thrown.message}; ${remedy}`, '', {
      cause: thrown,
    })
  }
}
