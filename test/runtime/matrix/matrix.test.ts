/**
 * The conformance matrix: the same streams in every runtime give the same detections, bit for bit, and our own network
 * the same verdicts. The built package, one file a runtime. Prints a table, and writes it to `reports/runtimes.txt` and
 * `reports/runtimes.json`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApp, type TestApp } from '../../tools/app.ts'
import { bundleFile } from '../../tools/bundle.ts'
import { writePart, writeTable } from '../../tools/report.ts'
import { type BackendRun, largestDifference } from '../backends/run.ts'
import { type Column, differences, reportRows, tableOf } from './compare.ts'
import { type Bundles, type Host, RUNTIMES, type Runtime } from './hosts.ts'
import { nameOf, type Row, STEP, type Wanted } from './record.ts'
import { type MatrixRun, withoutStream } from './run.ts'

/** Pictures that our network sees; half of them come again, changed a little. */
const PICTURES = 8
/** Of a number of a vector, against the native runtime. The largest seen is 2e-7. */
const TOLERANCE = 1e-6
/** A runtime may have to be installed first. */
const LIMIT = { timeout: 300_000 }

// The Node that runs this comes first: it is what the others are compared with.
const running = `Node ${process.versions.node.split('.')[0]}`
const runtimes = [...RUNTIMES].sort((a, b) => Number(b.name === running) - Number(a.name === running))
const [first] = runtimes as [Runtime, ...Runtime[]]
const columns = new Map(runtimes.map(({ name }) => [name, { runtime: name } as Column]))
const hosts = new Map<string, Promise<Host>>()
const runs = new Map<string, Promise<MatrixRun>>()
let folder: string
let bundles: Bundles
let app: Promise<TestApp> | undefined
let native: Promise<BackendRun> | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monitaur-matrix-'))
  bundles = {
    program: join(folder, 'program.mjs'),
    worker: join(folder, 'worker.mjs'),
    app: () => {
      app ??= openApp(join(import.meta.dirname, 'app'))
      return app
    },
  }
  const optional = [/^onnxruntime-/, '@huggingface/transformers', 'sharp', /copy-net/]
  for (const name of ['program', 'worker'] as const)
    await bundleFile(join(import.meta.dirname, `${name}.ts`), bundles[name], optional)
})

afterAll(async () => {
  // Those that did not start have failed their tests.
  await Promise.allSettled([...hosts.values()].map(async (host) => (await host).close()))
  await app?.then(({ close }) => close())
  await rm(folder, { recursive: true, force: true })
  const versions = [...columns.values()].map(({ runtime, version }) => `${runtime} ${version ?? 'missing'}`)
  writePart('runtimes', 'matrix', reportRows([...columns.values()]), versions.join(', '))
  writeTable('runtimes', tableOf([...columns.values()]))
})

/** Started once; a runtime that is missing fails each of its tests with the reason. */
function hostOf({ name, open }: Runtime): Promise<Host> {
  const host = hosts.get(name) ?? open(bundles)
  hosts.set(name, host)
  return host
}

/** What the runtime found in all streams. */
function runOf(runtime: Runtime): Promise<MatrixRun> {
  const run = runs.get(runtime.name) ?? startRun(runtime)
  runs.set(runtime.name, run)
  return run
}

async function startRun(runtime: Runtime): Promise<MatrixRun> {
  const { version, streams } = await hostOf(runtime)
  const run = await streams()
  Object.assign(columns.get(runtime.name)!, { version, run })
  return run
}

/** The first of the differences, as both sides tell them. */
async function explained(runtime: Runtime, found: readonly Wanted[]) {
  const [there, here] = [await hostOf(first), await hostOf(runtime)]
  const told = found.slice(0, 3).map(async (wanted) => {
    const [a = 'nothing', b = 'nothing'] = [(await there.streams(wanted)).told, (await here.streams(wanted)).told]
    const at = [...a].findIndex((letter, i) => letter !== b[i])
    const part = (text: string) => text.slice(Math.max(0, at - 60), at + 120)
    return { ...wanted, of: found.length, [first.name]: part(a), [runtime.name]: part(b) }
  })
  return Promise.all(told)
}

describe(`the streams in ${first.name}, which is the reference`, LIMIT, () => {
  test('are there for every detector, and throw no errors but our own', async () => {
    const { missing, rows } = await runOf(first)
    expect(missing).toEqual([])
    expect(rows.flatMap(({ foreign }) => foreign)).toEqual([])
    expect(withoutStream(['confidence', 'a_new_one'])).toEqual(['a_new_one'])
  })

  test('have 200 queries and more, and those of the core find, pass and refuse some', async () => {
    const { rows } = await runOf(first)
    for (const row of rows) expect(row.steps.length / STEP, nameOf(row)).toBeGreaterThanOrEqual(200)
    const poor = rows
      .filter(({ level }) => level === 'core')
      .map((row) => ({
        name: nameOf(row),
        found: row.suspicious,
        passed: row.answered - row.suspicious,
        refused: row.refused,
      }))
      .filter(({ name, found, passed, refused }) => Math.min(NEVER_FOUND.has(name) ? 5 : found, passed, refused) < 5)
    expect(poor).toEqual([])
  })

  test('tell a change of one step, and a stream that is missing', async () => {
    const reference = await runOf(first)
    const [one, ...others] = reference.rows as [Row, ...Row[]]
    const steps = `${one.steps.slice(0, 5 * STEP)}${'x'.repeat(STEP)}${one.steps.slice(6 * STEP)}`
    const changed = differences(reference, { ...reference, rows: [{ ...one, steps }, ...others] })
    expect(changed).toEqual([{ row: nameOf(one), step: 5 }])
    expect(differences(reference, { ...reference, rows: others })).toEqual([{ row: nameOf(one), step: 0 }])
  })
})

/** The labels of texts that are drawn at random fall in no order; the numbers are compared all the same. */
const NEVER_FOUND: ReadonlySet<string> = new Set(['core: margin_trend, labels of texts'])

describe('the detections of the reference', LIMIT, () => {
  test.each(runtimes.slice(1).map((one) => [one.name, one] as const))(
    'come from %s, bit for bit',
    async (_, runtime) => {
      const [reference, run] = [await runOf(first), await runOf(runtime)]
      expect(await explained(runtime, differences(reference, run))).toEqual([])
    },
  )
})

describe('our network', LIMIT, () => {
  for (const runtime of runtimes) {
    test(`in ${runtime.name} has the vectors and verdicts of the native runtime`, async () => {
      native ??= hostOf(first).then(({ network }) => network(PICTURES, 'native'))
      const [reference, { network }] = [await native, await hostOf(runtime)]
      const run = await network(PICTURES, 'wasm')
      columns.get(runtime.name)!.network = wordsOn(run, reference)
      expect(largestDifference(run, reference)).toBeLessThanOrEqual(TOLERANCE)
      expect(run.flagged).toEqual(reference.flagged)
      expect(run.flagged.slice(PICTURES)).toEqual(Array(PICTURES / 2).fill(true)) // the copies
    })
  }
})

function wordsOn(run: BackendRun, reference: BackendRun): NonNullable<Column['network']> {
  const difference = largestDifference(run, reference)
  if (run.flagged.join() !== reference.flagged.join()) return { words: 'other verdicts', met: false }
  return { words: `within ${difference.toExponential(0)}`, met: difference <= TOLERANCE }
}
