/** Every way in which a model of a hub cannot be had, in words. */
import { isMonitorError, MonitorError } from '../../core/index.ts'
import type { Backend } from '../embedder.ts'
import { explain as explainRuntime } from '../onnx/explain.ts'
import { BackendLost } from '../onnx/loss.ts'
import type { HubFiles } from './files.ts'
import type { TransformersEnv } from './module.ts'
import type { Settings } from './options.ts'

/** Where a load failed. */
export interface Failed {
  readonly backend: Backend
  readonly env: TransformersEnv
  readonly files: HubFiles
}

/** What a load of transformers.js has thrown, as one of ours; `BackendLost` stays what it is. */
export function explain(thrown: unknown, settings: Settings, failed: Failed): Error {
  if (isMonitorError(thrown) || thrown instanceof BackendLost) return thrown
  const [failure] = failed.files.failures()
  const { name, message, status } = thrown as Error & { readonly status?: number }
  const isMissing = name === 'ModelFileNotFoundError' && (status !== 403 || failure === undefined)
  if (isMissing) return notFound(/"([^"]+)"\.?$/.exec(message)?.[1] ?? message, settings, failed.files, thrown)
  return failure?.[1] ?? doesNotLoad(thrown, settings, failed)
}

function notFound(place: string, settings: Settings, { folder }: HubFiles, cause: unknown): MonitorError {
  const { model, dtype, localPath, revision } = settings
  const file = place.startsWith(folder) ? place.slice(folder.length) : place
  const where = localPath === undefined ? `revision ${revision} at ${folder}` : `in the folder ${localPath}`
  const [what, remedy] = file.endsWith('.onnx')
    ? [`'${model}' has no weights of dtype '${dtype}'`, 'choose another dtype, or a model that has it']
    : [`there is no model '${model}' that can be read`, 'check its name, revision and host']
  return new MonitorError('model_unavailable', `${what}: ${file} is not there (${where}); ${remedy}`, '', { cause })
}

/** What the last load that failed has thrown, by the settings of its module. */
const failures = /* @__PURE__ */ new WeakMap<object, unknown>()

function doesNotLoad(thrown: unknown, { model, dtype }: Settings, { backend, env }: Failed): MonitorError {
  const { code, message } = explainRuntime(thrown)
  const words = `'${model}' (${dtype}) does not load on ${backend}: ${message}`
  const isRepeated = failures.get(env) === thrown
  failures.set(env, thrown)
  if (!isRepeated) return new MonitorError(code, words, '', { cause: thrown })
  const remedy = 'behind which transformers.js hangs all others; load the page or worker anew'
  const repeated = `${words}; this is the failure of an earlier load, ${remedy}`
  return new MonitorError('backend_unavailable', repeated, '', { cause: thrown })
}
