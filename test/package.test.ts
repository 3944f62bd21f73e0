/** The built package, as its users import it. `npm run build:library` comes first. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ReportRow, writeReport } from './tools/report.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types?: string; readonly default: string }>>
  readonly bin: Readonly<Record<string, string>>
}
const doors = Object.entries(manifest.exports)
  .filter(([name]) => name !== './package.json')
  .map(([name, target]) => ({
    name: name.replace('.', 'monitaur'),
    target: target as { types?: string; default: string },
  }))

/** What a door leaves to the user. */
const OUTSIDE = [
  /^node:/,
  'sharp',
  /^onnxruntime-/,
  '@huggingface/transformers',
  /^hono/,
  /^@hono/,
  /^@opentelemetry/,
  'yaml',
  '@observablehq/plot',
  'linkedom',
]

beforeAll(() => {
  if (!existsSync(join(root, 'dist/core.js'))) throw new Error('dist/ is missing: run `npm run build:library` first')
})

/** Runs a module in a fresh process and gives what it prints. */
function run(code: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: root, encoding: 'utf8' })
}

/** The whole door as one minified module, without the packages it leaves to the user. */
async function bundle(code: string): Promise<string> {
  const file = join(root, 'dist', `.size-${code.length}.mjs`)
  writeFileSync(file, code)
  const build = await rolldown({
    input: file,
    external: OUTSIDE,
    platform: 'neutral',
    logLevel: 'silent',
  })
  const { output } = await build.generate({ minify: true, format: 'es', codeSplitting: false })
  return output[0].code
}

const sizeOf = (code: string) => gzipSync(code, { level: 9 }).length

describe('the doors', () => {
  for (const { name, target } of doors) {
    test(`${name} and its types exist`, () => {
      expect(existsSync(join(root, target.default)), target.default).toBe(true)
      if (target.types !== undefined) expect(existsSync(join(root, target.types)), target.types).toBe(true)
    })
  }

  for (const { name } of doors.filter(({ name }) => !/\/script$|\.wasm$/.test(name))) {
    test(`importing ${name} touches no global, prints nothing and leaves nothing running`, () => {
      const code = `
        const before = Object.getOwnPropertyNames(globalThis).join()
        await new Promise((resolve) => setTimeout(resolve, 20))
        const started = process.getActiveResourcesInfo().join()
        const door = await import('${name}')
        await new Promise((resolve) => setTimeout(resolve, 20)) // the loading of the file itself is over then
        if (Object.getOwnPropertyNames(globalThis).join() !== before) throw new Error('a global was added')
        if (process.getActiveResourcesInfo().join() !== started) throw new Error('something is running')
        if (Object.keys(door).length === 0) throw new Error('the door is empty')`
      expect(run(code)).toBe('')
    })
  }

  test('the core door imports nothing but its own files', async () => {
    expect(await bundle(`export * from './core.js'`)).not.toMatch(/\bimport\s*[({*'"]|\bfrom\s*['"]/)
  })

  test('the declarations of the core compile without the DOM and without Node', () => {
    const folder = join(root, 'reports/core-types')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'use.ts'),
      `import { createDetector } from 'monitaur/core'\nexport const d = createDetector('confidence').process({ probabilities: [1] }).metadata.averageScore\n`,
    )
    const options = {
      strict: true,
      noEmit: true,
      lib: ['ES2023'],
      types: [],
      module: 'ESNext',
      moduleResolution: 'bundler',
      allowImportingTsExtensions: true,
      skipLibCheck: false,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' })
  })

  test('the program says its version', () => {
    const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
    const out = execFileSync(process.execPath, [join(root, manifest.bin['monitaur']!), '--version'], {
      encoding: 'utf8',
    })
    expect(out).toContain(version)
  })
})

describe('the sizes', () => {
  const rows: ReportRow[] = []
  const note = (name: string, value: number, goal?: number) =>
    rows.push({
      name,
      value,
      unit: 'B min+gzip',
      ...(goal === undefined ? {} : { goal }),
      met: goal === undefined ? null : value <= goal,
    })

  afterAll(() => {
    writeReport('sizes', rows)
  })

  // The goal for the core door is 12 kB, set for the nine detectors of the reference, which met it. It is shown, and no
  // longer met: there are twice as many detectors, and the weights of the picture descriptor alone are ten times that.
  // They are a chunk of their own, which only pictures load. What is held to is today's size, against growth by accident; 2 kB of it
  // are what keeps the garbage of a query small: memory that is filled anew takes more words than a fresh object.
  test('all detectors take at most 62 kB, and the core door without pictures at most 80 kB', async () => {
    const names = Object.keys(await import(pathToFileURL(join(root, 'dist/core.js')).href))
    const others = names.filter((name) => name !== 'embedPixels')
    const detectors = sizeOf(await bundle(`export { createDetector, MonitorError } from './core.js'`))
    const rest = sizeOf(await bundle(`export { ${others.join(', ')} } from './core.js'`))
    note('monitaur/core, createDetector', detectors, 12_288)
    note('monitaur/core, everything but embedPixels', rest)
    note('monitaur/core, everything', sizeOf(await bundle(`export * from './core.js'`)), 12_288)
    expect(detectors).toBeLessThanOrEqual(63_488)
    expect(rest).toBeLessThanOrEqual(81_920)
  })

  test('the kernels, compiled and in plain JavaScript, take at most 12 kB of that', async () => {
    const build = await rolldown({ input: join(root, 'src/core/kernels/memory.ts'), logLevel: 'silent' })
    const { output } = await build.generate({ minify: true, format: 'es' })
    const kernels = sizeOf(output[0].code)
    note('the kernels', kernels, 12_288)
    expect(kernels).toBeLessThanOrEqual(12_288)
  })

  test('who looks at texts downloads neither the weights of pictures nor a runtime', async () => {
    const { eager, lazy } = await split(`export { getDetector } from './index.js'`)
    const pictures = lazy.find(({ name }) => name.startsWith('pictures'))!.size
    const network = lazy.find(({ name }) => name.startsWith('copy-net'))!.size
    const onnx = lazy.filter(({ name }) => /^(?:onnx|load)/.test(name)).reduce((sum, { size }) => sum + size, 0)
    const hub = lazy.filter(({ name }) => name.startsWith('transformers')).reduce((sum, { size }) => sum + size, 0)
    const ort = ortSize('ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm')
    note('a page with text detectors', eager)
    note('a page with picture detectors', eager + pictures)
    note('a page with our network on WASM, onnxruntime-web included', eager + onnx + network + ort)
    note('a page with everything of ours', eager + pictures + onnx + network + hub)
    for (const door of ['worker', 'embed'])
      note(`monitaur/${door}`, (await split(`export * from './${door}.js'`)).eager)
    note('monitaur/worker/script', gzipSync(readFileSync(join(root, 'dist/monitor.worker.js')), { level: 9 }).length)
    expect(eager).toBeLessThanOrEqual(92_160)
    expect(pictures).toBeLessThanOrEqual(140_000)
    expect(network).toBeLessThanOrEqual(1_500_000)
  })

  interface Chunk {
    readonly name: string
    readonly size: number
  }

  /** What is loaded at once, and the chunks that come when they are needed. */
  async function split(code: string): Promise<{ readonly eager: number; readonly lazy: readonly Chunk[] }> {
    const file = join(root, 'dist', `.split-${code.length}.mjs`)
    writeFileSync(file, code)
    const build = await rolldown({ input: file, external: OUTSIDE, platform: 'neutral', logLevel: 'silent' })
    const { output } = await build.generate({ minify: true, format: 'es' })
    const chunks = new Map(output.flatMap((one) => (one.type === 'chunk' ? [[one.fileName, one] as const] : [])))
    const atOnce = new Set([output[0].fileName])
    for (const name of atOnce)
      for (const next of chunks.get(name)?.imports ?? []) if (chunks.has(next)) atOnce.add(next)
    const sized = [...chunks.values()].map(({ fileName, name, code }) => ({ fileName, name, size: sizeOf(code) }))
    return {
      eager: sized.filter(({ fileName }) => atOnce.has(fileName)).reduce((sum, { size }) => sum + size, 0),
      lazy: sized.filter(({ fileName }) => !atOnce.has(fileName)),
    }
  }

  function ortSize(...files: string[]): number {
    return files.reduce(
      (sum, file) =>
        sum + gzipSync(readFileSync(join(root, 'node_modules/onnxruntime-web/dist', file)), { level: 9 }).length,
      0,
    )
  }
})
