/** With kernels and without: the same verdicts, to the bit, and the laws for windows large enough for a memory of their own. */
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { moduleOf } from '../scripts/kernels.mjs'
import type * as Core from '../src/core/index.ts'
import { random } from './tools/random.ts'

const SEED = 20261130
/** So long that 65 536 numbers, from which on a window has a memory of its own, are nine vectors. */
const WIDTH = 8000

/** The core as another process would have it, with this in place of `WebAssembly`. */
async function coreWith(wasm: unknown): Promise<typeof Core> {
  vi.resetModules()
  vi.stubGlobal('WebAssembly', wasm)
  const core = await import('../src/core/index.ts')
  core.createDetector('similarity').process({ embedding: [1] })
  return core
}

const here = WebAssembly
function refusing(error: Error) {
  return {
    ...members(here),
    Module: class {
      constructor() {
        throw error
      }
    },
  }
}
function members(wasm: typeof WebAssembly) {
  const { Instance, Memory, Module } = wasm
  return { Instance, Memory, Module }
}

const HOSTS: Readonly<Record<string, unknown>> = {
  'no WebAssembly': undefined,
  'a policy without wasm-unsafe-eval': refusing(new EvalError('violates the Content Security Policy')),
  'a browser that compiles no more than 4 kB at once': refusing(new RangeError('buffer size exceeds 4 kB')),
  'no room for a memory': {
    ...members(here),
    Memory: class {
      constructor() {
        throw new RangeError('no memory')
      }
    },
  },
}

type Stream = (core: typeof Core) => unknown[]

const STREAMS: Readonly<Record<string, Stream>> = {
  'similarity, small windows': (core) => similarity(core, 24, 100),
  'similarity, large windows': (core) => similarity(core, 1000, 90),
  'similarity, large windows, then doubles': (core) => similarity(core, 1000, 80, 110),
  neighbour_distance: (core) => {
    const detector = core.createDetector('neighbour_distance', {
      storage: 'exact',
      k: 5,
      maxHistorySize: 120,
      resetOnAlarm: false,
    })
    return vectors(1000, 200).map((embedding) => detector.process({ embedding }))
  },
  'image_repetition within a radius': (core) => {
    const detector = core.createDetector('image_repetition', { radius: 20, maxHistorySize: 200 })
    const next = random(SEED)
    const hash = () => Array.from({ length: 16 }, () => Math.floor(16 * next() ** 3).toString(16)).join('')
    return Array.from({ length: 600 }, () => detector.process({ fingerprint: hash() }))
  },
}

function similarity(core: typeof Core, width: number, window: number, doublesFrom = Infinity): unknown[] {
  const detector = core.createDetector('similarity', { maxHistorySize: window })
  const found: unknown[] = vectors(width, 200).map((vector, i) => {
    const embedding = i < doublesFrom ? vector : Float64Array.from(vector, (v) => v / 3)
    return detector.process({ embedding })
  })
  return [...found, detector.snapshot()]
}

/** Novel ones, near-duplicates, duplicates, zeros. */
function vectors(width: number, count: number): Float32Array[] {
  const next = random(SEED)
  const made: Float32Array[] = []
  for (let i = 0; i < count; i++) {
    const past = made[Math.floor(made.length * next())]
    if (past === undefined || i % 4 === 0) made.push(Float32Array.from({ length: width }, () => next() - 0.5))
    else if (i % 4 === 1) made.push(past.slice())
    else if (i % 4 === 2) made.push(past.map((v) => v + 0.05 * (next() - 0.5)))
    else made.push(new Float32Array(width).fill(i % 8 === 3 ? 0 : 1e-30))
  }
  return made
}

describe('the verdicts are the same to the bit', () => {
  for (const [name, stream] of Object.entries(STREAMS)) {
    test(name, async () => {
      const expected = stream(await coreWith(here))
      for (const [host, wasm] of Object.entries(HOSTS)) {
        expect(stream(await coreWith(wasm)), host).toEqual(expected)
      }
      vi.unstubAllGlobals()
    })
  }
})

describe('the laws hold for a window in a memory of the kernels', () => {
  for (const [host, wasm] of [
    ['with kernels', here],
    ['without', undefined],
  ] as const) {
    test(host, async () => {
      const core = await coreWith(wasm)
      const { lawsOf } = await import('../src/laws/index.ts')
      const queries = (count: number) => vectors(WIDTH, count).map((embedding) => ({ embedding }))
      const laws = lawsOf({
        name: '',
        window: 12,
        make: () => core.createDetector('similarity', { maxHistorySize: 12 }),
        queries,
        isSuspicious: (d, index) => index > 0 && d.score >= d.threshold,
        bad: { nothing: {}, 'another length': { embedding: [1, 2] } },
        foreign: { detector: 'other', version: 1, state: {} },
      })
      expect(laws.length).toBeGreaterThan(8)
      for (const { check } of laws) await check()
      vi.unstubAllGlobals()
    })
  }
})

describe('compiled kernels that are handed over', () => {
  test('are used where bytes may not be compiled', async () => {
    const text = readFileSync(new URL('../src/core/kernels/vectorsWasm.ts', import.meta.url), 'utf8')
    const bytes = Buffer.from(text.match(/'(.+)'/)![1]!, 'base64')
    expect(moduleOf(bytes)).toBe(text)
    const core = await coreWith(refusing(new EvalError('code generation disallowed')))
    const { kernelModule } = await import('../src/core/kernels/wasm.ts')
    expect(kernelModule()).toBeNull()
    const module = new here.Module(bytes)
    core.installKernels(module)
    expect(kernelModule()).toBe(module)
    const stream = STREAMS['similarity, large windows']!
    const found = stream(core)
    expect(found).toEqual(stream(await coreWith(here)))
    vi.unstubAllGlobals()
  })

  test('anything else is refused, with the remedy', async () => {
    const core = await coreWith(here)
    const other = new here.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
    for (const wrong of [undefined, {}, 'kernels.wasm', other]) {
      expect(() => core.installKernels(wrong as never)).toThrow(/must be the compiled kernels; pass the default import/)
    }
    vi.unstubAllGlobals()
  })
})

test('more large windows than there are memories for answer alike', async () => {
  const core = await coreWith(here)
  const rows = Float32Array.from({ length: 70_000 }, (_, i) => (i % 7) - 3)
  const made = Array.from({ length: 520 }, () => {
    const detector = core.createDetector('similarity', { maxHistorySize: 2 })
    for (let at = 0; at < 2; at++) detector.process({ embedding: rows.subarray(at, at + 35_000) })
    return detector
  })
  const embedding = rows.subarray(5, 35_005)
  const [first, ...others] = made.map((detector) => detector.process({ embedding }))
  for (const other of others) expect(other).toEqual(first)
  const { openCompiled } = await import('../src/core/kernels/memory.ts')
  expect(openCompiled(1)).toBeUndefined()
  vi.unstubAllGlobals()
})
