/**
 * Our own network in workerd, on a module of onnxruntime-web that was compiled beforehand: the vectors and verdicts of WASM
 * in Node, one start whatever comes at once, and failures that can be tried again. Writes `reports/workerd.json`.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Verdict } from 'monitaur'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf } from '../../tools/blocks.ts'
import { type ReportRow, writeReport } from '../../tools/report.ts'
import { tinyPictureModel } from '../../tools/tinyModel.ts'
import { type CompiledWasm, startWorkerd, workerOf } from '../../tools/workerd.ts'
import { inProcess } from './inProcess.ts'
import { type NetworkWorker, startNetworkWorker } from './inWorkerd.ts'
import { type BackendRun, largestDifference } from './run.ts'

const root = resolve(import.meta.dirname, '../../..')
const COUNT = 16
const TOLERANCE = 1e-6
const report: ReportRow[] = []
const running: NetworkWorker[] = []
let inNode: BackendRun

beforeAll(async () => {
  inNode = await inProcess([process.execPath], 'wasm', COUNT, [])
})
afterEach(async () => {
  for (const worker of running.splice(0)) await worker.close()
})
afterAll(() => {
  writeReport('workerd', report)
})

async function start(flags: readonly string[] = []): Promise<NetworkWorker> {
  const worker = await startNetworkWorker(flags)
  running.push(worker)
  return worker
}

/** The vector of a picture of the stream is what Node makes of it, and the runtime was started once. */
function expectVector(said: unknown, picture: number): void {
  expect(said).toEqual({ result: inNode.vectors[picture]!.map(near), starts: 1, isRestored: true })
}

const near = (value: number) => expect.closeTo(value, 6)

describe('our own network in workerd', () => {
  test.each([[[]], [['nodejs_compat']]])('(%j) has the vectors and verdicts of WASM in Node', async (flags) => {
    const run = await (await start(flags)).run(COUNT, [])
    expect(run.on).toBe('wasm')
    expect(run.vectors).toHaveLength(inNode.vectors.length)
    expect(largestDifference(run, inNode)).toBeLessThanOrEqual(TOLERANCE)
    expect(run.flagged).toEqual(inNode.flagged)
    expect(run.flagged.slice(COUNT)).toEqual(Array(COUNT / 2).fill(true)) // the copies
  })

  test('is started once by first requests that come at the same time', async () => {
    const { call } = await start()
    const said = await Promise.all([0, 1, 2, 3].map((picture) => call(`/vector?picture=${picture}`)))
    for (const [picture, one] of said.entries()) expectVector(one, picture)
  })

  test('is there for others when the first request is given up', async () => {
    const { call, url } = await start()
    const gone = fetch(new URL('/vector?picture=0', url), { signal: AbortSignal.timeout(20) })
    const [first, second] = await Promise.allSettled([gone, call('/vector?picture=1')])
    expect(first.status).toBe('rejected')
    expectVector(second.status === 'fulfilled' && second.value, 1)
  })

  test('can be had after a module that is another one was refused', async () => {
    const { call } = await start()
    expect(await call('/another-module')).toEqual({
      code: 'backend_unavailable',
      message: expect.stringMatching(/is not ort-wasm-simd-threaded\.wasm of onnxruntime-web 1\.30\.0/),
      starts: 0,
      isRestored: true,
    })
    expectVector(await call('/vector?picture=0'), 0)
  })

  test('can be had after the runtime started and found a model that it cannot run', async () => {
    const { call } = await start()
    const text = Buffer.from(tinyPictureModel()).toString('latin1').replace('MatMul', 'MatMux')
    expect(await call('/model', [...Buffer.from(text, 'latin1')])).toMatchObject({
      message: expect.stringContaining('MatMux'),
      isRestored: true,
    })
    expectVector(await call('/vector?picture=0'), 0)
  })

  test('needs the module, and says so', async () => {
    const { call } = await start()
    expect(await call('/without')).toMatchObject({
      code: 'backend_unavailable',
      message: expect.stringContaining('give wasmModule'),
    })
  })
})

describe('the Worker in docs/edge.md', () => {
  let folder: string
  let built: string

  beforeAll(async () => {
    await mkdir(join(root, '.cache'), { recursive: true })
    folder = await mkdtemp(join(root, '.cache/worker-')) // inside the package, which then finds itself by name
    const text = await readFile(join(root, 'docs/edge.md'), 'utf8')
    const block = (language: string) => {
      const found = blocksOf(text).filter((one) => one.language === language)
      return found.map(({ code }) => code).join('\n')
    }
    await writeFile(join(folder, 'worker.ts'), block('ts'))
    await writeFile(join(folder, 'wrangler.jsonc'), block('jsonc'))
    built = join(folder, 'built')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('is taken by wrangler, and is as large as the report says', { timeout: 120_000 }, async () => {
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', XDG_CONFIG_HOME: folder }
    const args = ['deploy', '--dry-run', '-c', join(folder, 'wrangler.jsonc'), '--outdir', built]
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/wrangler'), args, { env })
    const [, kib] = /gzip: ([\d.]+) KiB/.exec(stdout) ?? []
    const megabytes = Math.round((Number(kib) * 1024) / 1e5) / 10
    report.push({ name: 'Worker with our network, compressed', value: megabytes, unit: 'MB', met: null })
    expect(megabytes).toBeGreaterThan(3)
    expect(megabytes).toBeLessThan(10)
  })

  test('knows a picture that comes again', async () => {
    const compiled = (await readdir(built)).filter((file) => file.endsWith('.wasm'))
    expect(compiled).toHaveLength(2) // onnxruntime-web's, and the kernels
    const modules: CompiledWasm[] = []
    for (const path of compiled)
      modules.push({ type: 'CompiledWasm', path, contents: await readFile(join(built, path)) })
    const durableObjects = {
      MONITAUR_SHARD: { className: 'MonitorShard', useSQLite: true },
      MONITAUR_GLOBAL: { className: 'MonitorGlobal', useSQLite: true },
    }
    const { miniflare, url } = await startWorkerd([workerOf(join(built, 'worker.js'), { durableObjects }, modules)])
    try {
      const verdicts = []
      for (const fill of [0, 7, 0]) {
        const body = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (fill * i * i + i) % 256)
        const response = await fetch(url, { method: 'POST', body })
        verdicts.push((await response.json()) as Verdict)
      }
      expect(verdicts.map(({ errors, detections }) => [errors, detections[0]?.suspicious])).toEqual([
        [[], false],
        [[], false],
        [[], true],
      ])
    } finally {
      await miniflare.dispose()
    }
  })
})
