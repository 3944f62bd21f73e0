/** What the page measures: the instruments of the server, in the text that the server tells. */
import { describe, expect, test } from 'vitest'
import { DEFAULTS, monitorConfig } from '../../demo/config.ts'
import { formatted } from '../../demo/operator/format.ts'
import { measure, type Operated } from '../../demo/operator/metrics.ts'
import { loadState, saveState } from '../../demo/operator/stateFile.ts'
import { watchConfig } from '../../demo/story/watchConfig.ts'
import { watchedHere } from '../../demo/watched.ts'
import { createMonitor, type Monitor, type MonitorConfig } from '../../src/embed/index.ts'
import {
  Instruments,
  type MeasuredModel,
  TextMeter,
  type WatchedDetector,
  watchedDetectors,
} from '../../src/server/metrics/index.ts'
import { createMetrics } from '../../src/server/metrics/provider.ts'
import { metric } from '../tools/serverApp.ts'

const CONFIG: MonitorConfig = {
  detectors: ['confidence', { name: 'text_repetition', threshold: 2, label: 'again' }, 'text_similarity'],
  policy: { mode: 'enforce', throttleAt: 2, suspendAt: 4 },
}
/** Asked by three clients in turn: the first one asks the same twice. */
const TEXTS = ['one question', 'another one', 'one question', 'one question', 'a third', 'something else']

async function operated(config = CONFIG): Promise<Monitor & Operated> {
  const monitor = createMonitor(config, { now: () => 1000 })
  return { ...monitor, model: 'page', config, watched: (running) => watchedDetectors(config, running) }
}

const ask = (monitor: Monitor, n: number) =>
  monitor.inspect({ input: TEXTS[n % TEXTS.length], modelOutput: [0.02, 0.98], client: `client ${n % 3}` })

describe('the text without an SDK', () => {
  test("is that of OpenTelemetry's serializer, byte for byte, for the same instruments", async () => {
    const monitor = await operated()
    const { detectors } = await monitor.describe()
    const model = async (): Promise<MeasuredModel> => ({
      name: 'page',
      detectors: watchedDetectors(CONFIG, detectors),
      description: await monitor.describe(),
      calibratedMs: 500,
      backends: { text_similarity: 'w"a\\s\nm' },
      log: undefined,
    })
    let models = [await model()]
    const surroundings = {
      models: () => models,
      now: () => 4000,
      inFlight: () => 2,
      cuts: () => 0,
      listeners: () => 0,
      build: { version: 'x', runtime: 'y' },
    }
    const sdk = await createMetrics()
    const viaSdk = new Instruments(sdk.meter, surroundings)
    sdk.add(viaSdk.histograms)
    const plain = new TextMeter()
    const viaText = new Instruments(plain, surroundings)
    for (const n of TEXTS.keys()) {
      const verdict = await ask(monitor, n)
      for (const instruments of [viaSdk, viaText]) {
        instruments.judged('page', verdict, 0.001 * n, 0.02 / (n + 1))
        instruments.feedback('page', 'confidence', 'false_positive')
        instruments.failed('page', [{ code: 'bad_query', path: 'confidence.probabilities' }])
        instruments.requested(instruments.requestAttributes('/detect', 'POST', '2xx'), 0.1)
      }
    }
    models = [await model()]
    const text = await plain.exposition(viaText.histograms)
    expect(text).toBe(await sdk.exposition())
    expect(metric(text, 'monitaur_decisions_total{model="page",action="allow"}')).toBeGreaterThan(0)
  })

  test('takes single callbacks, and infinities as Prometheus writes them', async () => {
    const meter = new TextMeter()
    const gauge = meter.createObservableGauge('g', { description: 'two\nlines' })
    const tell = (result: { observe(value: number): void }) => result.observe(-Infinity)
    gauge.addCallback(tell)
    expect(await meter.exposition([])).toBe('# HELP g two\\nlines\n# TYPE g gauge\ng -Inf\n')
    gauge.removeCallback(tell)
    expect(await meter.exposition([])).toBe('')
  })
})

describe("the page's metrics", () => {
  test('count verdicts, failures, refusals and events under the names of the server', async () => {
    const monitor = await operated()
    const all = await measure([monitor], { now: () => 1000 })
    const metrics = all.of('page')
    for (const n of TEXTS.keys()) metrics.judged(await ask(monitor, n), { detectSeconds: 0.004 })
    metrics.failed({ name: 'MonitorError', code: 'overloaded', path: '', message: 'too many' })
    metrics.refused()
    metrics.happened({ kind: 'suspended', client: 'client 0', untilMs: 5000, timeMs: 1000 })
    metrics.happened({ kind: 'verdict', verdict: await ask(monitor, 0) })
    const text = await all.exposition()
    expect(metric(text, 'detector_requests_total{detector="text_similarity"}')).toBe(TEXTS.length)
    expect(metric(text, 'suspicious_queries_total{detector="again"}')).toBe(1)
    expect(metric(text, 'detector_errors_total{detector="confidence"}')).toBe(1)
    expect(metric(text, 'monitaur_errors_total{model="page",code="overloaded"}')).toBe(1)
    expect(metric(text, 'monitaur_refused_total{model="page"}')).toBe(1)
    expect(metric(text, 'monitaur_suspensions_total{model="page"}')).toBe(1)
    expect(metric(text, 'monitaur_clients_active{model="page"}')).toBe(3)
    expect(metric(text, 'monitaur_phase_duration_seconds_count{model="page",phase="detect"}')).toBe(TEXTS.length)
    expect(metric(text, 'monitaur_phase_duration_seconds_count{model="page",phase="embed"}')).toBe(0)
    expect(text).not.toMatch(/client \d/)
  })

  test("on the demo page carry the families, units and thresholds of the library's own detectors", () => {
    for (const config of [watchConfig(true), monitorConfig({ ...DEFAULTS, text: 0.7, repeats: 3 })]) {
      const running = config.detectors.map((one) => {
        const { name } = one as { readonly name: string }
        return { label: name, name, scope: 'client' as const }
      })
      const facts = (all: readonly WatchedDetector[]) => all.map(({ options, ...rest }) => rest)
      expect(facts(watchedHere(config))).toEqual(facts(watchedDetectors(config, running)))
    }
  })

  test('of two monitors say which, and an unknown one is refused', async () => {
    const [first, second] = [await operated(), await operated()]
    const metrics = await measure([first, { ...second, model: 'other' }])
    metrics.of('other').judged(await ask(second, 0))
    const text = await metrics.exposition()
    expect(metric(text, 'detector_requests_total{detector="confidence",model="page"}')).toBe(0)
    expect(metric(text, 'detector_requests_total{detector="confidence",model="other"}')).toBe(1)
    expect(() => metrics.of('third')).toThrow("no monitor is called 'third', only page, other")
  })
})

describe('the state as a file', () => {
  test('goes on where it was', async () => {
    const first = await operated()
    for (const n of TEXTS.keys()) await ask(first, n)
    const bytes = await saveState(first)
    const second = await operated()
    expect(await loadState(second, bytes)).toEqual({ ok: true })
    expect((await second.describe()).counts.queries).toBe(6)
    expect(await ask(second, 2)).toEqual(await ask(first, 2))
  })

  test.each([
    ['cut short', (bytes: Uint8Array) => bytes.slice(0, -9)],
    ['with one bit changed', (bytes: Uint8Array) => bytes.with(40, bytes[40]! ^ 1)],
    ['that is no state at all', () => new TextEncoder().encode('hello')],
  ])('a file %s is told, and changes nothing', async (_, damage) => {
    const monitor = await operated()
    for (const n of TEXTS.keys()) await ask(monitor, n)
    const before = await saveState(monitor)
    const loaded = await loadState(monitor, damage(before))
    expect(loaded).toEqual({ ok: false, message: expect.stringMatching(/nothing has changed: .{10}/) })
    expect(await saveState(monitor)).toEqual(before)
  })

  test('a file of other detectors is told, and changes nothing', async () => {
    const monitor = await operated()
    const other = await saveState(await operated({ detectors: ['text_repetition'] }))
    const before = await saveState(monitor)
    expect(await loadState(monitor, other)).toMatchObject({ ok: false })
    expect(await saveState(monitor)).toEqual(before)
  })
})

test('values are written in their units', () => {
  expect(formatted(0.1234, 'percentunit')).toBe('12.3%')
  expect(formatted(0.00042, 's')).toBe('420 µs')
  expect(formatted(7200, 's')).toBe('2 h')
  expect(formatted(3 * 1024 * 1024, 'bytes')).toBe('3 MiB')
  expect(formatted(2.5, 'reqps')).toBe('2.5/s')
  expect(formatted(1234567)).toBe('1,234,567')
  expect(formatted(null, 's')).toBe('–')
  expect(formatted(0, 's')).toBe('0 s')
})
