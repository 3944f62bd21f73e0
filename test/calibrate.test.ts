/** Calibration of raw queries: in process, through a worker, from the command line, and in the server. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  type Backend,
  calibrate,
  calibrateMonitor,
  createMonitorCalibrator,
  type ModelEmbedder,
  type Query,
} from '../src/embed/index.ts'
import { createMonitor, getDetector, isMonitorError, loadDetector } from '../src/index.ts'
import { CALIBRATE_HELP, CALIBRATE_OPTIONS } from '../src/server/calibrateOptions.ts'
import { checkConfig } from '../src/server/config/config.ts'
import { printConfig } from '../src/server/config/print.ts'
import { loadConfig } from '../src/server/config/source.ts'
import { random } from './tools/random.ts'
import { testServer } from './tools/serverApp.ts'
import { runCli } from './tools/serverCli.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-calibrate-'))
afterAll(() => rmSync(folder, { recursive: true }))

const WORDS = [
  'card',
  'lost',
  'refund',
  'where',
  'order',
  'cancel',
  'account',
  'open',
  'rate',
  'today',
  'transfer',
  'fee',
]

/** Honest clients, who repeat themselves now and then, in the order of their times. */
function honest(clients: number, seed = 1): Query[] {
  const next = random(seed)
  const all = Array.from({ length: clients }, (_, client) => {
    let timeMs = 1_790_000_000_000 + Math.floor(3_600_000 * next())
    const texts: string[] = []
    return Array.from({ length: 1 + Math.floor(8 * next()) }, (): Query => {
      timeMs += Math.floor(30_000 * next())
      const isAgain = texts.length > 0 && next() < 0.1
      const text = Array.from({ length: 6 }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ')
      texts.push(isAgain ? texts.at(-1)! : text)
      return { input: texts.at(-1)!, client: `client ${client}`, timeMs }
    })
  })
  return all.flat().sort((a, b) => a.timeMs! - b.timeMs!)
}

const refusal = (path: string, message = '') =>
  expect.objectContaining({ code: 'bad_config', path, message: expect.stringContaining(message) })

describe('calibrate', () => {
  test('makes a record of raw queries that a detector takes', async () => {
    const told: number[] = []
    const record = await calibrate('text_repetition', honest(150), {
      alpha: 0.02,
      onQuery: (count) => told.push(count),
    })
    expect(record).toMatchObject({
      detector: 'text_repetition',
      unit: 'client',
      scores: { n: 150 },
      queries: told.length,
    })
    const detector = getDetector('text_repetition', { calibration: record })
    for (let i = 0; i < 10; i++) await detector.process({ input: 'again' })
    expect(await detector.process({ input: 'again' })).toMatchObject({ suspicious: true, pValue: 1 / 151 })
    loadDetector(JSON.parse(JSON.stringify({ name: 'text_repetition', calibration: record })))
  })

  test('takes an asynchronous stream, and stops at a signal', async () => {
    async function* stream() {
      yield* honest(60)
    }
    expect((await calibrate('text_repetition', stream(), { alpha: 0.05 })).scores.n).toBe(60)
    await expect(calibrate('text_repetition', stream(), { alpha: 0.05, signal: AbortSignal.abort() })).rejects.toThrow()
  })

  test('refuses a query that cannot be scored, with its place', async () => {
    const queries = [...honest(20), { input: '', client: 'a' }]
    const place = queries.length - 1
    await expect(calibrate('text_repetition', queries, { alpha: 0.1 })).rejects.toMatchObject({
      code: 'bad_query',
      path: `[${place}].input`,
    })
  })

  test('binds the record to the options of the features', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ input: { a: i, b: `${i}` } }))
    const schema = { a: { type: 'category' } } as const
    const calibration = await calibrate({ name: 'tabular_repetition', schema }, rows, { alpha: 0.05 })
    getDetector('tabular_repetition', { schema, calibration, limits: { maxColumns: 5 } })
    expect(() => getDetector('tabular_repetition', { calibration })).toThrow(
      refusal('tabular_repetition.calibration.featuresHash', 'other features'),
    )
  })
})

describe('a record of another model', () => {
  const model = (description: Record<string, unknown>, backend: Backend): ModelEmbedder<string> =>
    Object.assign(async (text: string) => Float32Array.of(text.length, 1), {
      description,
      warmup: async () => capabilities(backend),
      capabilities: async () => capabilities(backend),
      listen: () => () => {},
      dispose: async () => {},
    })
  const capabilities = (backend: Backend) => ({
    backend,
    threads: 1,
    simd: true,
    isolated: false,
    refused: [],
    recoveries: 0,
  })
  const q8 = { from: 'transformers', model: 'tiny', dtype: 'q8' }
  const make = () => calibrate({ name: 'text_similarity', embedder: model(q8, 'wasm') }, honest(60), { alpha: 0.05 })

  test('tells the model, its type of numbers and its backend, and is taken by the same', async () => {
    const calibration = await make()
    expect(calibration.holdsFor).toEqual({ model: 'tiny', dtype: 'q8', backend: 'wasm' })
    const detector = getDetector('text_similarity', { embedder: model(q8, 'wasm'), calibration })
    expect((await detector.process({ input: 'a' })).pValue).toBe(1)
  })

  test.each([
    ['another model', { ...q8, model: 'large' }, 'text_similarity.calibration.holdsFor.model', "the model 'tiny'"],
    [
      'another type of numbers',
      { ...q8, dtype: 'fp32' },
      'text_similarity.calibration.holdsFor.dtype',
      "the dtype 'q8'",
    ],
    ['another pooling', { ...q8, pooling: 'cls' }, 'text_similarity.calibration.featuresHash', 'other features'],
  ])('with %s is refused when the detector is made', async (_, description, path, message) => {
    const calibration = await make()
    const config = { embedder: model(description, 'wasm'), calibration }
    expect(() => getDetector('text_similarity', config)).toThrow(refusal(path, message))
  })

  test('on another backend is refused with the query, and the state is as before', async () => {
    const calibration = await make()
    const detector = getDetector('text_similarity', { embedder: model(q8, 'webgpu'), calibration })
    await expect(detector.process({ input: 'a' })).rejects.toThrow(
      refusal(
        'calibration.holdsFor.backend',
        "holds for the backend 'wasm', here is 'webgpu'; calibrate with this one",
      ),
    )
    expect(await detector.snapshot()).toEqual(await getDetector('text_similarity').snapshot())
  })

  test('without any model is refused', async () => {
    const calibration = await make()
    expect(() => getDetector('text_similarity', { calibration })).toThrow(
      refusal('text_similarity.calibration.holdsFor.model'),
    )
  })
})

describe('calibrateMonitor', () => {
  const config = { detectors: ['text_similarity', 'text_repetition'] } as const

  test('makes a record that a monitor takes: honest clients are left alone, and who repeats is suspended', async () => {
    const calibration = await calibrateMonitor(config, honest(200), { alpha: 0.02, assurance: 0 })
    const monitor = createMonitor({ ...config, calibration, policy: { mode: 'enforce' } })
    const honestVerdicts = await monitor.inspectBatch(honest(50, 2))
    const suspended = new Set(
      honestVerdicts.filter(({ action }) => action === 'suspend').map(({ client }) => client.id),
    )
    expect(suspended.size).toBeLessThanOrEqual(4)
    let last = 'allow'
    for (let i = 0; last !== 'suspend' && i < 50; i++) {
      last = (await monitor.inspect({ input: 'the same', client: 'attacker', timeMs: 1_700_000_000_000 + i })).action
    }
    expect(last).toBe('suspend')
  })

  test('a query refused for its time does not take the next one with it', async () => {
    const calibrator = createMonitorCalibrator({ detectors: ['text_repetition'] }, { alpha: 0.02 })
    await calibrator.add({ input: 'x', client: 'a', timeMs: 1000 })
    for (const timeMs of [Number.NaN, -1, 'now' as never]) {
      await expect(calibrator.add({ input: 'x', client: 'a', timeMs })).rejects.toMatchObject({ path: 'timeMs' })
      expect((await calibrator.add({ input: 'x', client: 'a' })).timeMs).toBe(1000)
    }
  })

  test('passes groups on to the monitor', async () => {
    const monitor = createMonitor({ detectors: [{ name: 'text_repetition', scope: 'group' }] })
    await monitor.inspect({ input: 'x', client: 'a', group: 'g' })
    const { detections } = await monitor.inspect({ input: 'x', client: 'b', group: 'g' })
    expect(detections[0]!.score).toBe(2)
    await expect(monitor.inspect({ input: 'x', group: 5 as never })).rejects.toMatchObject({ path: 'group' })
  })

  test('a record of other features is refused with its place', async () => {
    const calibration = await calibrateMonitor({ detectors: ['text_repetition'] }, honest(200), {
      alpha: 0.02,
      assurance: 0,
    })
    const hashed = { detectors: [{ name: 'text_repetition', hash: (text: string) => text }], calibration }
    expect(() => createMonitor(hashed)).toThrow(refusal('monitor.calibration.detectors[0].record.featuresHash'))
  })
})

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const lines = (queries: readonly Query[]) => `${queries.map((query) => JSON.stringify(query)).join('\n')}\n`
const TRAFFIC = file('traffic.ndjson', lines(honest(240)))
const CONFIG = file(
  'monitaur.yaml',
  'detectors: [text_similarity, text_repetition]\npolicy: { mode: enforce }\ncalibration: calibration.json\n',
)

describe('monitaur calibrate', () => {
  const output = join(folder, 'calibration.json')

  test('writes the record of a configuration, and a picture of it', async () => {
    const { code, out, err } = await runCli([
      'calibrate',
      TRAFFIC,
      '--alpha',
      '0.02',
      '--config',
      CONFIG,
      '--output',
      output,
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(
      /promise +of benign clients at most 1 in 50 is ever suspended\nassurance +95 %: in so many of 100/,
    )
    expect(out).toMatch(/clients +240, of which 80 fitted the bets/)
    expect(JSON.parse(readFileSync(output, 'utf8'))).toMatchObject({
      kind: 'monitor',
      alpha: 0.02,
      halfLifeMs: 21_600_000,
    })
    const picture = readFileSync(join(folder, 'calibration.svg'), 'utf8')
    expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const text of ['text_similarity', 'text_repetition', 'suspended above', 'throttled above', 'suspicious above'])
      expect(picture).toContain(text)
  })

  test('the server takes the record by the name of its file, beside the configuration', async () => {
    await runCli(['calibrate', TRAFFIC, '--alpha', '0.02', '--config', CONFIG, '--output', output])
    const config = await loadConfig({ file: CONFIG }, {})
    const [model] = config.models
    expect(model!.calibratedAt).toBe(model!.calibration!.date)
    const printed = printConfig(config, { json: false })
    expect(printed).toContain('calibration: calibration.json')
    expect(await loadConfig({ file: file('printed.yaml', printed) }, {})).toEqual(config)
    const { ask, get } = await testServer(config as never)
    let status = 200
    for (let i = 0; i < 50 && status === 200; i++) {
      status = (await ask('/v1/inspect', { input: 'the same', client: 'attacker' })).status
    }
    expect(status).toBe(403)
    const { models } = await (await get('/v1/status')).json()
    expect(models[0]).toMatchObject({
      evidence: 'calibrated',
      calibration: { alpha: 0.02, assurance: 0.95, clients: 240, isHeld: false },
    })
    const { clients } = await (await get('/v1/clients')).json()
    expect(clients[0].reason).toMatch(/^Suspended for 1 h: evidence/)
  })

  test('one detector gives its own record, as JSON if wanted', async () => {
    const path = join(folder, 'one.json')
    const argv = [
      'calibrate',
      TRAFFIC,
      '--alpha',
      '0.02',
      '--detector',
      'text_repetition',
      '--set',
      'maxHistorySize=50',
    ]
    const { code, out } = await runCli([...argv, '--output', path, '--plot', join(folder, 'p.svg'), '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      calibration: { kind: 'detector', detector: 'text_repetition', unit: 'client', n: 240, bad: 0, output: path },
    })
    const calibration = JSON.parse(readFileSync(path, 'utf8'))
    getDetector('text_repetition', { maxHistorySize: 50, calibration })
    const byQuery = await runCli([...argv, '--unit', 'query', '--output', path, '--json'])
    expect(JSON.parse(byQuery.out).calibration).toMatchObject({
      unit: 'query',
      n: honest(240).length,
      assurance: 0,
    })
  })

  test('too few clients: exit code 1, how many are needed, and nothing written', async () => {
    const path = join(folder, 'none.json')
    const { code, out, err } = await runCli([
      'calibrate',
      TRAFFIC,
      '--alpha',
      '0.001',
      '--config',
      CONFIG,
      '--output',
      path,
    ])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain('alpha 0.001 with an assurance of 0.95 needs 4493 benign clients, got 240: ')
    expect(err).toContain('a lower assurance: 0 takes 1499')
    expect(existsSync(path)).toBe(false)
  })

  test('without an assurance fewer clients will do, and the summary says what that means', async () => {
    const path = file('few.ndjson', lines(honest(80)))
    const argv = ['calibrate', path, '--alpha', '0.02', '--config', CONFIG, '--output', join(folder, 'few.json')]
    expect((await runCli(argv)).code).toBe(1)
    const { code, out } = await runCli([...argv, '--assurance', '0'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /assurance +none: the promise holds on average over calibrations; for this one the share may be/,
    )
    expect(JSON.parse(readFileSync(join(folder, 'few.json'), 'utf8')).assurance).toBe(0)
  })

  test('bad lines: told on stderr, left out, exit code 2', async () => {
    const path = file('flawed.ndjson', `${lines(honest(100))}nonsense\n{"input": 5}\n`)
    const argv = [
      'calibrate',
      path,
      '--alpha',
      '0.05',
      '--detector',
      'text_repetition',
      '--detector',
      'text_similarity',
    ]
    const { code, out, err } = await runCli([...argv, '--output', join(folder, 'flawed.json')])
    expect(code).toBe(2)
    expect(err).toMatch(/^line \d+: is not JSON/)
    expect(out).toMatch(/^queries +\d+, 1 that no detector could judge, 1 bad lines\n/)
  })

  test('interrupted: exit code 130, and nothing written', async () => {
    const { main } = await import('../src/server/main.ts')
    const { Capture } = await import('./tools/serverCli.ts')
    const { Readable } = await import('node:stream')
    const path = join(folder, 'interrupted.json')
    const [stdout, stderr] = [new Capture(), new Capture()]
    const io = { stdin: Readable.from([]), stdout, stderr, env: {}, now: () => 0, interrupted: AbortSignal.abort() }
    const code = await main(
      ['calibrate', TRAFFIC, '--alpha', '0.05', '--detector', 'text_repetition', '--output', path],
      io,
    )
    expect({ code, written: existsSync(path) }).toEqual({ code: 130, written: false })
  })

  test('--help names every option and the exit codes', async () => {
    const { code, out } = await runCli(['calibrate', '--help'])
    expect({ code, out }).toEqual({ code: 0, out: CALIBRATE_HELP })
    for (const option of Object.keys(CALIBRATE_OPTIONS)) expect(out).toContain(`--${option}`)
    expect(out).toContain('exit codes:')
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  const good = [
    'calibrate',
    TRAFFIC,
    '--alpha',
    '0.05',
    '--detector',
    'text_repetition',
    '--output',
    join(folder, 'x.json'),
  ]
  test.each([
    [['calibrate'], 'name a file'],
    [good.filter((_, i) => i !== 2 && i !== 3), '--alpha: is missing'],
    [good.slice(0, -2), '--output: is missing'],
    [good.filter((_, i) => i !== 4 && i !== 5), '--detector: is missing'],
    [[...good.slice(0, 3), '2', ...good.slice(4)], 'alpha: must be a number above 0'],
    [[...good, '--config', CONFIG], '--detector: stands in the way of --config'],
    [[...good, '--model', 'a'], '--model: goes with --config'],
    [[...good, '--half-life', '3'], '--half-life: means nothing for one detector'],
    [[...good, '--detector', 'text_similarity', '--unit', 'query'], '--unit: goes with exactly one --detector'],
    [[...good, '--assurance', '0.4'], 'assurance: must be a number above 0.5'],
    [[...good, '--detecter', 'x'], "did you mean '--detector'?"],
    [[...good.slice(0, -1), join(folder, 'no', 'x.json')], 'cannot be written: no such file'],
    [['calibrate', join(folder, 'none.ndjson'), ...good.slice(2)], 'cannot be read: no such file'],
  ])('%j is refused with exit code 1 and a remedy', async (argv, message) => {
    const { code, out, err } = await runCli(argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
  })

  test('which of several models must be said', async () => {
    const models = file(
      'models.yaml',
      'models:\n  - { name: a, detectors: [text_repetition] }\n  - { name: b, detectors: [text_similarity] }\n',
    )
    const argv = ['calibrate', TRAFFIC, '--alpha', '0.05', '--config', models, '--output', join(folder, 'b.json')]
    expect((await runCli(argv)).err).toContain('--model: is missing: which of a, b')
    expect((await runCli([...argv, '--model', 'c'])).err).toContain("no model is called 'c'")
    const { code } = await runCli([...argv, '--model', 'b'])
    expect(code).toBe(0)
    expect(JSON.parse(readFileSync(join(folder, 'b.json'), 'utf8')).detectors[0].label).toBe('text_similarity')
  })
})

describe('a configuration with a calibration', () => {
  test.each([
    ['that is not there', 'calibration: nowhere.json', 'cannot be read'],
    ['that is no JSON', 'calibration: monitaur.yaml', 'is no JSON'],
    ['of other detectors', 'calibration: calibration.json\ndetectors: [confidence]', 'must be of these detectors'],
    ['and limits of its own', 'calibration: calibration.json\npolicy: { suspendAt: 5 }', 'policy.suspendAt'],
  ])('%s is refused', async (_, text, message) => {
    await runCli([
      'calibrate',
      TRAFFIC,
      '--alpha',
      '0.02',
      '--config',
      CONFIG,
      '--output',
      join(folder, 'calibration.json'),
    ])
    const rest = text.includes('detectors') ? '' : 'detectors: [text_similarity, text_repetition]\n'
    const path = file('bad.yaml', `${rest}${text}\n`)
    const thrown: unknown = await loadConfig({ file: path }, {}).catch((error: unknown) => error)
    expect(isMonitorError(thrown)).toBe(true)
    expect((thrown as Error).message).toContain(message)
  })

  test('takes a new record while the server runs', async () => {
    const detectors = ['text_repetition']
    const [a, b] = await Promise.all(
      [1, 2].map((seed) => calibrateMonitor({ detectors }, honest(200, seed), { alpha: 0.02, assurance: 0 })),
    )
    const { app, get } = await testServer({ detectors, calibration: a! })
    await app.reload(checkConfig({ detectors, calibration: b! }))
    const { models } = await (await get('/v1/status')).json()
    expect(models[0].calibration.checksum).toBe(b!.checksum)
  })
})
