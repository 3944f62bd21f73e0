/** Whole runs, by the program itself: in threads, killed and gone on with, with parts of one's own, with what breaks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SessionResult } from '../../src/eval/index.ts'
import { readRun } from '../../src/eval/node/index.ts'
import { Ledger } from '../../src/eval/node/ledger.ts'
import { readEvalOptions } from '../../src/server/evalOptions.ts'
import { OPTIONAL } from '../tools/bundle.ts'
import { runCli } from '../tools/serverCli.ts'
import { until } from '../tools/until.ts'
import { RECORD } from './made.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-run-'))
/** Below the repository, so that packages are found. In pieces, as the package is built: the threads are a piece. */
const built = join(root, 'reports/eval')
const program = join(built, 'cli.js')

/** Clients that take their time, that break, and that end their thread; a detector that breaks at its 500th query. */
const PLUGIN = `
const base = { kind: 'image', sees: 'nothing', summary: '', defaults: {}, role: 'benign', profile: 'F' }
const asking = async (oracle, { source }) => {
  for (;;) await oracle.ask(source.map((v) => Math.min(Math.max(v + 0.05 * oracle.random.normal(), 0), 1)))
}
const slow = async (oracle, task) => {
  await new Promise((done) => setTimeout(done, 150))
  await asking(oracle, task)
}
export default {
  workloads: [
    { ...base, name: 'asking', run: asking },
    { ...base, name: 'slow', run: slow },
    { ...base, name: 'breaking', run: async (oracle, { source }) => { await oracle.ask(source); throw new TypeError('no such thing') } },
    { ...base, name: 'deadly', run: async () => process.exit(7) },
  ],
  detectors: {
    fragile: {
      family: 'own', modality: 'any', needs: 'vector', version: 1, summary: '', defaults: {},
      logic() {
        let seen = 0
        return {
          check: () => undefined,
          apply() {
            if (++seen === 500) throw new Error('broken')
            return { suspicious: false, score: seen, threshold: 1e9, confidence: 0, reason: '', metadata: {} }
          },
          save: () => null, load() {}, clear() {}, size: () => seen, bytes: () => 8,
          describe: () => ({ config: {}, details: {} }),
        }
      },
    },
  },
}
`
const plugin = join(folder, 'own.mjs')

beforeAll(async () => {
  writeFileSync(plugin, PLUGIN)
  const others = [/^node:/, /^@?hono/, /^@opentelemetry/, 'yaml', '@observablehq/plot', 'linkedom']
  const bundle = await rolldown({
    input: join(root, 'src/server/cli.ts'),
    platform: 'node',
    external: [...OPTIONAL, ...others],
    logLevel: 'silent',
  })
  await bundle.write({ dir: built, format: 'esm', entryFileNames: 'cli.js' })
  await bundle.close()
})
afterAll(() => {
  rmSync(folder, { recursive: true })
  rmSync(built, { recursive: true })
})

function start(argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, 'eval', '--plugin', plugin, ...argv], { cwd: folder })
}

/** Runs the program to its end. */
async function finish(argv: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(argv)
  let [out, err] = ['', '']
  child.stdout!.on('data', (text) => {
    out += text
  })
  child.stderr!.on('data', (text) => {
    err += text
  })
  const code = await new Promise<number | null>((done) => child.on('close', done))
  return { code, out, err }
}

/** All that a session's result says apart from times. */
function timeless(sessions: readonly SessionResult[]) {
  return sessions.map((session) => ({
    ...session,
    detectors: Object.entries(session.detectors).map(([label, { micros: _, ...rest }]) => [label, rest]),
  }))
}

const linesOf = (out: string) =>
  existsSync(join(out, 'results.ndjson')) ? readFileSync(join(out, 'results.ndjson'), 'utf8').split('\n').length - 1 : 0

const SLOW = [
  '--attacks',
  'simba',
  '--workloads',
  'slow,noise_copies',
  '--detectors',
  'descent_lineage,image_similarity',
]
const SMALL = [...SLOW, '--budget', '40', '--sources', '2', '--jobs', '2', '--quiet']

describe('a run', () => {
  test('that is killed goes on where it was, and ends like one that was not', async () => {
    const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')]
    expect((await finish([...SMALL, '--out', whole])).code).toBe(0)
    const child = start([...SMALL, '--out', killed])
    await until(() => linesOf(killed) >= 3, 60_000)
    child.kill('SIGKILL')
    await new Promise((done) => child.on('close', done))
    const before = linesOf(killed)
    expect(before).toBeLessThan(12)
    appendFileSync(join(killed, 'results.ndjson'), '{"client":"simba","victim":"to') // as a kill may leave it
    const { code, out } = await finish([...SMALL, '--out', killed])
    expect([code, out.match(/(\d+) sessions run, (\d+) were there before/)?.slice(1)]).toEqual([
      0,
      [String(12 - before), String(before)],
    ])
    expect(timeless(readRun(killed).sessions)).toEqual(timeless(readRun(whole).sessions))
    expect(readRun(whole).sessions).toHaveLength(12)
    expect(linesOf(killed)).toBe(12)
    for (const name of ['report.md', 'report.html', 'report.json']) expect(existsSync(join(whole, name))).toBe(true)
  })

  test('is stopped by an interrupt, and keeps what is done', async () => {
    const out = join(folder, 'stopped')
    const child = start([...SMALL, '--out', out])
    await until(() => linesOf(out) >= 1, 60_000)
    child.kill('SIGINT')
    expect(await new Promise((done) => child.on('close', done))).toBe(130)
    expect(readRun(out).sessions.length).toBeGreaterThan(0)
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('## Cost')
  })

  test('writes down what fails, a thread that dies included, and runs the rest', async () => {
    const out = join(folder, 'failing')
    const argv = ['--attacks', 'none', '--workloads', 'breaking,deadly,asking', '--detectors', 'fragile']
    const { code, err } = await finish([...argv, '--budget', '600', '--sources', '1', '--out', out, '--quiet'])
    expect(code).toBe(2)
    const { sessions, failures } = readRun(out)
    expect(failures.map(({ client, message }) => [client, message])).toEqual([
      ['breaking', 'TypeError: no such thing'],
      ['breaking', 'TypeError: no such thing'],
      ['deadly', 'its thread ended with code 7'],
      ['deadly', 'its thread ended with code 7'],
    ])
    expect(err).toMatch(/failed: breaking on input \d+ of toy: TypeError: no such thing/)
    expect(sessions.map(({ client, queries }) => [client, queries])).toEqual([
      ['asking', 600],
      ['asking', 600],
    ])
    for (const { detectors } of sessions) {
      expect(detectors['fragile']).toMatchObject({ errors: 1, error: 'query 500: broken' })
      expect(detectors['fragile']!.records.at(-1)).toEqual([600, 600])
    }
  })

  test('of another plan is not mixed with it', async () => {
    const out = join(folder, 'mixed')
    const argv = [
      '--attacks',
      'none',
      '--workloads',
      'asking',
      '--detectors',
      'confidence',
      '--sources',
      '1',
      '--out',
      out,
    ]
    expect((await finish([...argv, '--budget', '5'])).code).toBe(0)
    const { code, err } = await finish([...argv, '--budget', '6'])
    expect(code).toBe(1)
    expect(err).toContain('mixed: holds another run: its plan, data or plug-ins differ; choose another folder')
  })

  test('is compared with another one, from the same recordings', async () => {
    const [a, b] = ['a', 'b'].map((name) => join(folder, name)) as [string, string]
    const cache = join(folder, 'recordings')
    const argv = ['--attacks', 'simba', '--workloads', 'none', '--budget', '30', '--sources', '2', '--quiet']
    const watching = ['--detectors', 'confidence', '--cache', cache]
    const go = async (out: string, set: string) =>
      (await finish([...argv, ...watching, '--out', out, '--set', set])).code
    expect([await go(a, 'confidence.threshold=0.1'), await go(b, 'confidence.threshold=5')]).toEqual([0, 0])
    expect(readdirSync(cache)).toHaveLength(4)
    const { code, out } = await runCli(['eval', 'compare', a, b])
    expect(code).toBe(0)
    expect(out).toMatch(/^4 sessions are in both runs \(4 and 4 in all\); 0 of them asked other queries/)
    const json = await runCli(['eval', 'compare', a, b, '--json'])
    const { title, rows } = JSON.parse(json.out)
    expect([title, rows.length, rows[0].slice(0, 2)]).toEqual(['Compared', 1, ['simba', 'confidence']])
  })
})

describe('the folder of a run', () => {
  const run = { record: RECORD, plan: {} as never, planHash: 'h' }
  const name = { client: 'a', victim: 'v', source: 1, seed: 1 }

  test('drops a torn line and all that follow, and tries again what failed', async () => {
    const out = join(folder, 'ledger')
    const first = await Ledger.open(out, run)
    first.write({ ...name, message: 'broken', failed: true })
    first.write({ ...name, source: 2, queries: 3 } as never)
    first.close()
    const path = join(out, 'results.ndjson')
    const whole = readFileSync(path, 'utf8')
    for (const torn of ['{"client":', '{"client":\n{"client":"a"}\n', '\0\0\0\0\n']) {
      writeFileSync(path, whole + torn)
      const again = await Ledger.open(out, run)
      expect([again.has(name), again.has({ ...name, source: 2 })]).toEqual([false, true])
      again.close()
      expect(readFileSync(path, 'utf8')).toBe(whole)
    }
    const last = await Ledger.open(out, run)
    last.write({ ...name, queries: 9 } as never)
    last.close()
    expect(readRun(out)).toMatchObject({ failures: [], sessions: [{ queries: 9 }, { queries: 3 }] })
  })

  test('says that it is none', () => {
    expect(() => readRun(join(folder, 'nothing'))).toThrow('must be the folder of a run, with its run.json')
  })
})

describe('the options', () => {
  const read = async (...argv: string[]) => {
    const command = await readEvalOptions(argv)
    if (command === 'help' || command.kind !== 'run') throw new Error('no run')
    return command
  }

  test('make a plan', async () => {
    const model = ['--model', 'm.onnx', '--data', 'd.bin', '--normalize', '0.1,0.2,0.3/1,2,3', '--scale', '255']
    const { plan, threads, cache } = await read(
      ...[...model, '--attacks', 'simba,square', '--workloads', 'E', '--detectors', 'confidence', '--seed', '1,7'],
      ...['--set', 'simba.step=0.5', '--set', 'confidence.mode=margin', '--jobs', '3', '--no-cache', '--budget', '9'],
    )
    expect(plan).toMatchObject({
      victims: [{ file: resolve('m.onnx'), mean: [0.1, 0.2, 0.3], std: [1, 2, 3], scale: 255 }],
      data: { path: resolve('d.bin') },
      detectors: { confidence: { name: 'confidence', mode: 'margin' } },
      seeds: [1, 7],
      budget: 9,
      sources: 10,
    })
    expect(plan.clients).toMatchObject({ simba: { name: 'simba', config: { step: 0.5 } }, square: { name: 'square' } })
    expect(plan.clients).toHaveProperty('lime')
    expect(plan.clients).not.toHaveProperty('noise_copies')
    expect([threads, cache]).toEqual([3, undefined])
  })

  test('without a model are those of a toy, with all that works on pictures', async () => {
    const { plan } = await read('--quick')
    expect(plan).toMatchObject({ victims: ['toy'], data: 'toy', budget: 256, sources: 1 })
    expect(Object.keys(plan.detectors)).toEqual(expect.arrayContaining(['descent_lineage', 'image_similarity']))
    expect(Object.keys(plan.detectors)).not.toContain('text_similarity')
    expect(Object.keys(plan.detectors)).not.toContain('hardness_histogram')
  })

  test.each([
    [['--model', 'm.onnx'], /--data: is missing/],
    [['--data', 'd.bin'], /--model: is missing/],
    [['--scale', '2'], /--scale: goes with --model/],
    [['--column', 'x'], /--column: goes with --data/],
    [['--attacks', 'simbo'], /--attacks: there is no 'simbo' .*simba/],
    [['--workloads', 'G'], /--workloads: there is no 'G'/],
    [['--detectors', 'confidense'], /--detectors: .*confidence/],
    [['--set', 'simba=3'], /--set: 'simba=3' is of no client.*NAME\.KEY=VALUE/],
    [['--set', 'lime2.x=3'], /--set: .*lime/],
    [['--budget', '1.5'], /--budget: must be a whole number/],
    [['--seed', '1,x'], /--seed: must be whole numbers/],
    [['--model', 'm.onnx', '--data', 'd', '--normalize', '1'], /--normalize: must be none, imagenet/],
    [['--plugin', '/nowhere.mjs'], /nowhere\.mjs: cannot be imported/],
    [['folder'], /takes options only/],
    [['compare', 'a'], /compares two folders/],
  ])('%j are refused', async (argv, message) => {
    await expect(readEvalOptions(argv)).rejects.toThrow(message)
  })
})

test('the help tells everything', async () => {
  const { code, out } = await runCli(['eval', '--help'])
  expect([code, out.startsWith('usage: monitaur eval')]).toEqual([0, true])
})
