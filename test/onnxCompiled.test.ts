/** onnxruntime-web over a module that was compiled beforehand, with runtimes that start as they are told to. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { copyNet } from '../src/embed/index.ts'
import { onCompiled } from '../src/embed/onnx/compiled.ts'
import type { OrtModule } from '../src/embed/onnx/types.ts'

const path = fileURLToPath(import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'))
const wasmModule = new WebAssembly.Module(readFileSync(path))
const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
const { instantiate } = WebAssembly

afterEach(() => {
  expect(WebAssembly.instantiate).toBe(instantiate)
})

/** A runtime that makes no sessions; `start` gets what stands for the bytes, and is asked each time. */
function fakeRuntime(start: (bytes: unknown) => Promise<void>, web = '1.30.0'): OrtModule {
  const env: OrtModule['env'] = { wasm: {}, versions: { web } }
  const create = async () => {
    await start(env.wasm.wasmBinary)
    return { inputNames: [], outputNames: [], run: async () => ({}) }
  }
  return { env, Tensor: class {} as never, InferenceSession: { create } }
}

const make = (ort: OrtModule) => ort.InferenceSession.create(new Uint8Array(), {})
/** Some of what the module imports is missing, so that no instance comes of it: the call has reached the module. */
const instantiateIt = (bytes: unknown) => WebAssembly.instantiate(new Uint8Array(bytes as ArrayBuffer), { a: {} })

describe('a runtime on a compiled module', () => {
  test('gets the module in place of bytes, and the global back at once', async () => {
    let duringStart: unknown
    const ort = fakeRuntime(async (bytes) => {
      expect(WebAssembly.instantiate).not.toBe(instantiate)
      const made = instantiateIt(bytes)
      duringStart = WebAssembly.instantiate
      await expect(made).rejects.toThrow(WebAssembly.LinkError)
    })
    await make(onCompiled(ort, wasmModule))
    expect(duringStart).toBe(instantiate)
  })

  test('leaves every other module to the host', async () => {
    const ort = fakeRuntime(async () => {
      expect(await WebAssembly.instantiate(empty, {})).toBeInstanceOf(WebAssembly.Instance)
      expect(Object.keys(await WebAssembly.instantiate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)))).toContain('module')
    })
    await make(onCompiled(ort, wasmModule))
  })

  test('is not started again for a second session, nor is the global touched', async () => {
    const seen: unknown[] = []
    const ort = fakeRuntime(async (bytes) => {
      seen.push(WebAssembly.instantiate)
      if (seen.length === 1) await instantiateIt(bytes).catch(() => {})
    })
    await make(onCompiled(ort, wasmModule))
    await make(onCompiled(ort, wasmModule))
    expect(seen[0]).not.toBe(instantiate)
    expect(seen[1]).toBe(instantiate)
  })

  test('can be tried again if it failed before it asked for the module', async () => {
    let attempts = 0
    const ort = fakeRuntime(async (bytes) => {
      if (++attempts === 1) throw new Error('not yet')
      await instantiateIt(bytes).catch(() => {})
    })
    const compiled = onCompiled(ort, wasmModule)
    await expect(make(compiled)).rejects.toThrow('not yet')
    expect(WebAssembly.instantiate).toBe(instantiate)
    expect(ort.env.wasm.wasmBinary).toBeUndefined()
    await make(compiled)
    expect(attempts).toBe(2)
  })

  test('of another version is refused, and so is another module', () => {
    const start = async () => {}
    for (const [ort, module, words] of [
      [fakeRuntime(start, '1.31.0'), wasmModule, /needs onnxruntime-web 1\.30\.0.*got 1\.31\.0: npm i -E/],
      [fakeRuntime(start), empty, /is not ort-wasm-simd-threaded\.wasm of onnxruntime-web 1\.30\.0/],
    ] as const) {
      const refusal = { code: 'backend_unavailable', message: expect.stringMatching(words) }
      expect(() => onCompiled(ort, module)).toThrow(expect.objectContaining(refusal))
    }
  })
})

describe('the option wasmModule', () => {
  test.each([
    ['wasmModule', { wasmModule: new Uint8Array(8) }],
    ['backend', { wasmModule, backend: 'webgpu' }],
    ['threads', { wasmModule, threads: 2 }],
    ['artifacts', { wasmModule, artifacts: {} }],
  ])('is refused with a wrong %s', (path, options) => {
    expect(() => copyNet(options as never)).toThrow(expect.objectContaining({ code: 'bad_config', path }))
  })

  test('is no JSON, so that the embedder has no description', () => {
    expect(copyNet({ wasmModule }).description).toBeUndefined()
  })

  test('is WASM with one thread, also in Node', async () => {
    const embedder = copyNet({ wasmModule })
    expect(await embedder.warmup()).toMatchObject({ backend: 'wasm', threads: 1 })
    await embedder.dispose()
  })
})
