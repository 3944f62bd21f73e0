/** What the user says, checked, with the defaults in place. */
import { checkNumber, checkObject, hint, MonitorError, refuse } from '../../core/index.ts'
import type { Backend } from '../embedder.ts'
import { checkRuntimeOptions } from '../onnx/runtime.ts'
import type { ArtifactOptions, RuntimeOptions } from '../onnx/types.ts'
import type { CacheChoice } from '../store/index.ts'
import { checkCacheChoice, checkDigest } from '../store/index.ts'

const TASKS = ['feature-extraction', 'image-feature-extraction'] as const
const DTYPES = ['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'] as const
const POOLINGS = ['mean', 'cls', 'last_token'] as const

/** Texts or pictures. */
export type TransformersTask = (typeof TASKS)[number]

/** How the weights are stored, and so which file is loaded: `q8` is `model_quantized.onnx`, `fp16` `model_fp16.onnx` … */
export type Dtype = (typeof DTYPES)[number]

/** Options of {@link fromTransformers}. */
export interface TransformersOptions<Task extends TransformersTask = TransformersTask> {
  /** Default `feature-extraction`: texts. `image-feature-extraction` takes pictures. */
  readonly task?: Task | undefined
  /**
   * Default `q8`, on every backend: vectors of another dtype are not comparable. The scales of most models with integer
   * weights depend on everything in a batch, so that with them `maxBatch` is 1 unless you say otherwise.
   */
  readonly dtype?: Dtype | undefined
  /**
   * Default `auto`. In Node, Deno and Bun: native. In browsers: WebGPU, else WASM; with integer weights (`q8`, `int8`,
   * `uint8`) WASM, which they are made for. A backend by name is used or refused; once it is lost the next may follow.
   */
  readonly backend?: 'auto' | Backend | undefined
  /** From the vectors of the tokens, or of the patches of a picture, to one. Default `mean` for texts, `cls` for pictures. */
  readonly pooling?: (typeof POOLINGS)[number] | undefined
  /** Whether vectors are brought to length 1. Default true. */
  readonly normalize?: boolean | undefined
  /** Most inputs that are run at once, 1 … 1024. Default 16, and 1 with integer weights. */
  readonly maxBatch?: number | undefined
  /** Most inputs that wait; one more is refused as `overloaded`. Default 1024. */
  readonly maxQueue?: number | undefined
  /** Branch, tag or commit. Default `main`. */
  readonly revision?: string | undefined
  /** The hub, as a URL. Default: what `env.remoteHost` of transformers.js says, `https://huggingface.co/`. */
  readonly host?: string | undefined
  /** A folder, in browsers its URL, with models, in place of a hub: `models/` for `models/<model>/config.json` … */
  readonly localPath?: string | undefined
  /**
   * Where the files of a hub are kept, as for `loadModel`. A kept file is used without asking whether it has changed,
   * except with `localPath`. What only the user's login can get, transformers.js fetches itself, and it is not kept.
   */
  readonly cache?: CacheChoice | undefined
  /** Most bytes of a file, inclusive. Default 512 MiB. */
  readonly maxBytes?: number | undefined
  /** SHA-256 of files by their path in the model, such as `onnx/model_quantized.onnx`; checked before use. */
  readonly sha256?: Readonly<Record<string, string>> | undefined
  /** Where the files of onnxruntime-web are; it is the WebGPU build that transformers.js runs, also for WASM. */
  readonly artifacts?: ArtifactOptions | undefined
  /** Threads of WASM, where the page is cross-origin isolated. Default 1, unless `artifacts` has the `.mjs` file. */
  readonly threads?: number | undefined
  /** A run, or a start of the runtime, that takes longer, in ms, counts as a crash of the backend. Default 120 000. */
  readonly timeoutMs?: number | undefined
  /**
   * The module `@huggingface/transformers`, already imported, or the address of its file, for hosts without a bundler.
   * Default: the package is imported on first use.
   */
  readonly module?: unknown
}

/** Options with their defaults. */
export type Settings = TransformersOptions & {
  readonly model: string
  readonly task: TransformersTask
  readonly dtype: Dtype
  readonly backend: 'auto' | Backend
  readonly pooling: (typeof POOLINGS)[number]
  readonly normalize: boolean
  readonly maxBatch: number
  readonly maxQueue: number
  readonly revision: string
  readonly timeoutMs: number
}

const KEYS = [
  ...['task', 'dtype', 'backend', 'pooling', 'normalize', 'maxBatch', 'maxQueue', 'revision', 'host', 'localPath'],
  ...['cache', 'maxBytes', 'sha256', 'artifacts', 'threads', 'timeoutMs', 'module'],
]

/** Weights of integers, whose activations are scaled at run time. */
export function isInteger(dtype: Dtype): boolean {
  return dtype === 'q8' || dtype === 'int8' || dtype === 'uint8'
}

/** Throws `bad_config`. */
export function checkOptions(model: unknown, options: TransformersOptions): Settings {
  if (typeof model !== 'string' || model === '') {
    refuse('bad_config', "must be the name of a model, such as 'Xenova/all-MiniLM-L6-v2'", model, 'model')
  }
  checkObject(options, KEYS, '')
  const task = oneOf(options.task ?? 'feature-extraction', TASKS, 'task')
  const dtype = oneOf(options.dtype ?? 'q8', DTYPES, 'dtype')
  const {
    normalize = true,
    revision = 'main',
    maxBatch = isInteger(dtype) ? 1 : 16,
    maxQueue = 1024,
    timeoutMs = 120_000,
  } = options
  if (typeof normalize !== 'boolean') refuse('bad_config', 'must be true or false', normalize, 'normalize')
  checkNumber(maxBatch, { min: 1, max: 1024, integer: true }, 'maxBatch')
  checkNumber(maxQueue, { min: 1, integer: true }, 'maxQueue')
  checkRuntimeOptions(options as RuntimeOptions)
  if (options.maxBytes !== undefined) checkNumber(options.maxBytes, { min: 1, integer: true }, 'maxBytes')
  if (options.cache !== undefined) checkCacheChoice(options.cache, 'cache')
  checkPlaces({ ...options, revision })
  for (const [file, digest] of Object.entries(options.sha256 ?? {})) checkDigest(digest, `sha256['${file}']`)
  return {
    ...options,
    ...{ model, task, dtype, normalize, revision, maxBatch, maxQueue, timeoutMs },
    backend: options.backend ?? 'auto',
    pooling: oneOf(options.pooling ?? (task === 'feature-extraction' ? 'mean' : 'cls'), POOLINGS, 'pooling'),
  }
}

function checkPlaces({ host, localPath, revision }: TransformersOptions): void {
  for (const [name, value] of Object.entries({ host, localPath, revision })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      refuse('bad_config', 'must be a string that is not empty', value, name)
    }
  }
  if (host !== undefined && !URL.canParse(host)) throw new MonitorError('bad_config', 'must be a URL', 'host')
  if (host === undefined || localPath === undefined) return
  throw new MonitorError('bad_config', 'cannot go with localPath: files come from a hub or from a folder', 'host')
}

function oneOf<T extends string>(value: unknown, choices: readonly T[], path: string): T {
  if (choices.includes(value as T)) return value as T
  return refuse('bad_config', `must be one of ${choices.join(', ')} (${hint(value, choices)})`, value, path)
}

/** The options as JSON, from which the same embedder can be made elsewhere; undefined if they hold a module itself. */
export function describe(model: string, options: TransformersOptions): Readonly<Record<string, unknown>> | undefined {
  if (typeof options.module === 'object') return undefined
  return JSON.parse(JSON.stringify({ from: 'transformers', model, ...options })) // a URL becomes its text
}
