/** What is said of a host that is not as it should be, in Node; the browser's part is in test/runtime/onnx. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'
import { MonitorError } from '../src/core/index.ts'
import { doctor } from '../src/embed/doctor.ts'
import { copyNet, explain } from '../src/embed/onnx/index.ts'
import { importRuntime } from '../src/embed/onnx/packages.ts'

describe('explain', () => {
  // Messages of onnxruntime-web 1.30, as Chromium 156 gives them.
  test.each([
    ['expected magic word 00 61 73 6d, found 3c 21 44 4f @+0', 'backend_unavailable', /web page was served/],
    ['expected magic word 00 61 73 6d, found 7f 45 4c 46 @+0', 'backend_unavailable', /\.wasm file is none/],
    ['Aborted(both async and sync fetching of the wasm failed)', 'backend_unavailable', /cannot be fetched/],
    ['Aborted(CompileError: BufferSource argument is empty)', 'backend_unavailable', /cannot be fetched/],
    ['LinkError: Import #100 "a" "Va": function import requires a callable', 'backend_unavailable', /do not belong/],
    ["violates the following Content Security policy directive because 'unsafe-eval'", 'backend_unavailable', /'wasm-/],
    ['Program Transpose requires f16 but the device does not support it.', 'backend_unavailable', /float16 file/],
    ['[webgpu] Error: Failed to get GPU adapter. You may need', 'backend_unavailable', /gives no adapter/],
    ['[webgpu] backend not found.', 'backend_unavailable', /build without WebGPU/],
    ['cannot register backend "wasm" using priority 10', 'backend_unavailable', /two versions/],
    ['Failed to fetch dynamically imported module: http://a/b.mjs', 'backend_unavailable', /served as no JavaScript/],
    ["previous call to 'initializeWebAssembly()' failed.", 'backend_unavailable', /page or worker anew/],
    ['Failed to load model because protobuf parsing failed.', 'model_unavailable', /no ONNX model/],
    ['std::bad_alloc', 'embedder_failed', /out of memory/],
  ] as const)('%s', (message, code, words) => {
    const error = explain(new Error(message), 'embedder_failed')
    expect(error).toBeInstanceOf(MonitorError)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(words)
    expect(error.message).toContain(message)
  })

  test('leaves our own errors and unknown ones as they are', () => {
    const own = new MonitorError('aborted', 'stop')
    expect(explain(own)).toBe(own)
    expect(explain(new Error('strange'), 'embedder_failed')).toMatchObject({
      code: 'embedder_failed',
      message: 'strange',
    })
    expect(explain(17_294_824).message).toBe('the runtime threw 17294824')
  })
})

describe('the doctor in Node', () => {
  test('finds both runtimes', async () => {
    const checks = await doctor()
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(checks.find(({ name }) => name === 'runtime of native')?.found).toMatch(/^onnxruntime-node 1\./)
    expect(checks.find(({ name }) => name === 'runtime of wasm')?.found).toMatch(/^onnxruntime-web 1\./)
  })

  test('says that there is no WebGPU, and what to do', async () => {
    const checks = await doctor({ backend: 'webgpu' })
    const found = checks.find(({ name }) => name === 'WebGPU adapter')
    expect(found).toMatchObject({ ok: false, found: expect.stringMatching(/navigator\.gpu is missing/) })
    await expect(copyNet({ backend: 'webgpu' }).warmup()).rejects.toMatchObject({ code: 'backend_unavailable' })
  })

  test('sees two versions', async () => {
    const checks = await doctor({ others: [{ versions: { web: '1.0.0' } }] })
    expect(checks.at(-1)).toMatchObject({ ok: false, found: expect.stringMatching(/^1\.0\.0 and 1\./) })
  })

  test('refuses an unknown option', async () => {
    await expect(doctor({ artefacts: {} } as never)).rejects.toMatchObject({ code: 'bad_config', path: 'artefacts' })
  })
})

test('where no package is installed the error names it and the command, also for closed networks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'monitaur-lonely-'))
  try {
    const entry = fileURLToPath(new URL('../src/embed/onnx/index.ts', import.meta.url))
    const bundle = await rolldown({ input: entry, external: [/^onnxruntime/] })
    await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' })
    await writeFile(join(folder, 'run.mjs'), LONELY)
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'run.mjs')])
    const { code, message } = JSON.parse(stdout)
    expect(code).toBe('missing_package')
    expect(message).toMatch(/native: needs the package 'onnxruntime-node': .*ONNXRUNTIME_NODE_INSTALL=skip npm i/)
    expect(message).toMatch(/wasm: needs the package 'onnxruntime-web': npm i onnxruntime-web/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

const LONELY = `import { copyNet } from './index.mjs'
copyNet().warmup().catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`

describe('a module by its address', () => {
  test('is imported anew for the second life of a runtime, and only then', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'monitaur-module-'))
    try {
      const module = pathToFileURL(join(folder, 'ort.mjs'))
      await writeFile(module, 'export const InferenceSession = { create() {} }, Tensor = class {}, env = { wasm: {} }')
      const [first, again] = [await importRuntime('wasm', { module }), await importRuntime('wasm', { module }, 1)]
      expect(again.env).toBe(first.env)
      expect((await importRuntime('wasm', { module: module.href }, 2)).env).not.toBe(first.env)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('that is not there, or is no onnxruntime, is told with its address', async () => {
    const nothing = 'data:text/javascript,export default 1'
    for (const module of ['file:///no/such/ort.mjs', nothing]) {
      const refusal = { code: 'backend_unavailable', message: expect.stringContaining(module) }
      await expect(copyNet({ backend: 'wasm', artifacts: { module } }).warmup()).rejects.toMatchObject(refusal)
    }
  })
})
