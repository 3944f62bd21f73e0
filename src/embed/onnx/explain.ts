/** The well-known failures of onnxruntime, in words. The patterns are messages of onnxruntime-web 1.30 in Chromium and Node. */
import { type ErrorCode, isMonitorError, MonitorError } from '../../core/index.ts'

/** One known failure: how its message looks, and what to say of it. */
interface Trouble {
  readonly looks: RegExp
  readonly code: ErrorCode
  readonly words: string
}

const FILES = 'set artifacts.wasm and artifacts.mjs to where the files of onnxruntime-web are served'

const TROUBLES: readonly Trouble[] = [
  {
    looks: /expected magic word 00 61 73 6d, found (3c|0a|20|09|ef bb bf)/i, // `<`, white space, a byte order mark
    code: 'backend_unavailable',
    words: `a web page was served in place of the .wasm file, as servers do for addresses they do not know; ${FILES}`,
  },
  {
    looks: /expected magic word 00 61 73 6d/i,
    code: 'backend_unavailable',
    words: `what was served as the .wasm file is none; ${FILES}`,
  },
  {
    looks: /Content Security Policy|wasm-unsafe-eval|Wasm code generation disallowed by embedder/i,
    code: 'backend_unavailable',
    words:
      "the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to script-src, also in the answer that a worker's script comes with",
  },
  {
    looks: /both async and sync fetching of the wasm failed|failed to load wasm binary|BufferSource argument is empty/i,
    code: 'backend_unavailable',
    words: `the .wasm file cannot be fetched: not found, refused or unreachable; ${FILES}`,
  },
  {
    looks: /LinkError|function import requires a callable|memory import .* is (smaller|larger)/i,
    code: 'backend_unavailable',
    words:
      'the .wasm and .mjs files do not belong together: another build (plain, asyncify) or another version of onnxruntime-web; take both from the package in use',
  },
  {
    looks: /cannot register backend/i,
    code: 'backend_unavailable',
    words: 'two versions of onnxruntime-web are loaded; see that only one is installed (npm ls onnxruntime-web)',
  },
  {
    looks: /requires f16 but the device|shader-f16|enable f16/i,
    code: 'backend_unavailable',
    words: 'the model is a float16 file and this GPU has no shader-f16; take the float32 or an 8-bit file',
  },
  {
    looks: /Failed to get GPU adapter/i,
    code: 'backend_unavailable',
    words: 'the browser has WebGPU but gives no adapter: no usable GPU, or blocked by its settings',
  },
  {
    looks: /WebGPU is not supported in current environment/i,
    code: 'backend_unavailable',
    words: 'this browser or worker has no WebGPU (navigator.gpu is missing)',
  },
  {
    looks: /\[webgpu\] backend not found/i,
    code: 'backend_unavailable',
    words: 'artifacts.module is a build without WebGPU; take ort.webgpu.bundle.min.mjs',
  },
  {
    looks: /cannot determine the script source URL/i,
    code: 'backend_unavailable',
    words: 'this host has no files beside its script, as on Cloudflare; give wasmModule, see docs/edge.md',
  },
  {
    looks: /previous call to 'initializeWebAssembly\(\)' failed/i,
    code: 'backend_unavailable',
    words: 'onnxruntime-web failed to start before and does not try again; load the page or worker anew',
  },
  {
    looks:
      /protobuf parsing failed|Load model from .* failed|ModelProto does not have a graph|No graph was found|ERROR_CODE: 7/i,
    code: 'model_unavailable',
    words: 'the file is no ONNX model, or a damaged one',
  },
  {
    looks: /external data|\.onnx_data|Failed to load external|model_path must not be empty/i,
    code: 'model_unavailable',
    words: 'the model keeps its weights in a second file; save it as one file',
  },
  {
    looks: /dynamically imported module/i,
    code: 'backend_unavailable',
    words: `a module of onnxruntime-web cannot be loaded: not found, refused, or served as no JavaScript; ${FILES}`,
  },
  {
    looks: /out of memory|bad_alloc|failed to allocate|Cannot enlarge memory/i,
    code: 'embedder_failed',
    words: 'the runtime ran out of memory; take a smaller model or set maxBatch to 1',
  },
]

/**
 * A thrown error of onnxruntime as one of ours: a known failure gets its code and the remedy in words, with the original
 * message behind; any other becomes `code` with its own message; a `MonitorError` comes back as it is.
 */
export function explain(thrown: unknown, code: ErrorCode = 'backend_unavailable'): MonitorError {
  if (isMonitorError(thrown)) return thrown
  const message = messageOf(thrown)
  const trouble = TROUBLES.find(({ looks }) => looks.test(message))
  if (trouble === undefined) return new MonitorError(code, message, '', { cause: thrown })
  return new MonitorError(trouble.code, `${trouble.words} (${message})`, '', { cause: thrown })
}

const MAX_MESSAGE = 300

/** What was thrown, short. A C++ exception that came through is a number. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : `the runtime threw ${String(thrown)}`
  return message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message
}
