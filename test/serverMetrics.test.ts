/** The metrics: the reference's four names, buckets that fit, and labels that stay few whoever asks. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createMonitor } from '../src/embed/index.ts'
import { checkConfig } from '../src/server/config/config.ts'
import { createServerApp } from '../src/server/http/app.ts'
import type { WatchedDetector } from '../src/server/http/watched.ts'
import { CONFIDENCE_BUCKETS, scoreBuckets } from '../src/server/metrics/buckets.ts'
import { Histogram } from '../src/server/metrics/histogram.ts'
import { Instruments } from '../src/server/metrics/instruments.ts'
import { createMetrics } from '../src/server/metrics/provider.ts'
import { metric, testServer } from './tools/serverApp.ts'

const GOOD = { input_data: 'x', model_output: [0.9, 0.05, 0.05] }
const seriesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/ \S+$/, ''))

describe('the reference', () => {
  test('its four names have its one label, and errors stand beside, never inside, what was judged', async () => {
    const { ask, exposition } = await testServer()
    await ask('/detect', GOOD)
    await ask('/detect', { ...GOOD, model_output: [0.25, 0.25, 0.25, 0.25] })
    await ask('/detect', { ...GOOD, model_output: [0, 0] })
    await ask('/detect', 'no json')
    const text = await exposition()
    expect(metric(text, 'detector_requests_total{detector="confidence"}')).toBe(2)
    expect(metric(text, 'suspicious_queries_total{detector="confidence"}')).toBe(1)
    expect(metric(text, 'detector_errors_total{detector="confidence"}')).toBe(2)
    expect(metric(text, 'detection_confidence_score_count{detector="confidence"}')).toBe(2)
    expect(metric(text, 'detection_confidence_score_sum{detector="confidence"}')).toBeCloseTo(
      0.3943976912 + 1.3862943607,
      8,
    )
  })

  test('with several models they say which', async () => {
    const { exposition } = await testServer({
      models: [
        { name: 'a', detectors: ['confidence'] },
        { name: 'b', detectors: ['confidence'] },
      ],
    })
    expect(metric(await exposition(), 'detector_requests_total{detector="confidence",model="b"}')).toBe(0)
  })
})

describe('models of embedders', () => {
  test('a backend that was lost is counted, with what took its place', async () => {
    const { meter, exposition } = await createMetrics()
    const description = createMonitor({ detectors: ['text_similarity'] }).describe()
    const watched = {
      label: 'text_similarity',
      name: 'text_similarity',
      family: 'similarity',
      unit: 'cosine',
      threshold: 0.9,
    }
    const model = {
      name: 'default',
      detectors: [watched as WatchedDetector],
      description: await description,
      log: undefined,
      calibratedMs: undefined,
      backends: { text_similarity: 'wasm' },
    }
    const instruments = new Instruments(meter, {
      models: () => [model],
      now: () => 0,
      cuts: () => 0,
      inFlight: () => 0,
      listeners: () => 0,
      build: {},
    })
    const change = { kind: 'backendchange', detector: 'text_similarity', reason: 'the device was lost' } as const
    instruments.backendChanged('default', { ...change, from: 'webgpu', to: 'webgpu' })
    instruments.backendChanged('default', { ...change, from: 'webgpu', to: 'wasm' })
    const text = await exposition()
    const series = 'monitaur_backend_changes_total{model="default",detector="text_similarity",from="webgpu"'
    expect(metric(text, `${series},to="webgpu"}`)).toBe(1)
    expect(metric(text, `${series},to="wasm"}`)).toBe(1)
    expect(metric(text, 'monitaur_backend_info{detector="text_similarity",model="default",backend="wasm"}')).toBe(1)
  })
})

describe('scores', () => {
  test.each([
    ['nats', [{ name: 'confidence', threshold: 0.85 }], '0.85'],
    ['probability', [{ name: 'confidence', mode: 'margin', threshold: 0.33 }], '0.33'],
    ['count', [{ name: 'text_repetition', threshold: 7 }], '7'],
    ['cosine', [{ name: 'text_similarity', threshold: 0.87 }], '0.87'],
    ['nearness', [{ name: 'neighbour_distance', threshold: 0.6 }], '0.625'],
    ['matches', [{ name: 'content_fingerprint', threshold: 22 }], '22'],
    ['share', [{ name: 'coverage', threshold: 0.77 }], '0.77'],
    ['share', [{ name: 'query_rate' }], '1'],
  ])('those in %s have buckets of their own, with the threshold among them', async (unit, detectors, bound) => {
    const { exposition, ask } = await testServer({ detectors })
    await ask('/detect', GOOD)
    const text = await exposition()
    const label = (detectors[0] as { name: string }).name
    expect(metric(text, `monitaur_score_${unit}_bucket{detector="${label}",model="default",le="${bound}"}`)).toBe(1)
    expect(metric(text, `monitaur_score_${unit}_bucket{detector="${label}",model="default",le="+Inf"}`)).toBe(1)
  })

  test('no bucket is one of the latency buckets that the reference uses, and each list rises', () => {
    const latency = [0.005, 0.025, 0.075, 0.25, 0.75, 2.5, 7.5]
    expect(CONFIDENCE_BUCKETS.filter((bound) => latency.includes(bound))).toEqual([])
    for (const unit of ['nats', 'probability', 'count', 'cosine', 'nearness', 'matches', 'share', 'score'] as const) {
      const bounds = scoreBuckets(unit, [0.85, 0.85, -1, Number.NaN])
      expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b))
      expect(bounds).toContain(0.85)
    }
  })

  test('a histogram counts a bound in its own bucket, and negative values as 0', () => {
    const series = new Histogram('h', '', [0, 1, 2]).with({})
    for (const value of [-1, 0, 0.5, 1, 1.5, 2, 3]) series.record(value)
    expect(series.counts).toEqual([2, 2, 2, 1])
    expect([series.count, series.sum]).toEqual([7, 8])
  })
})

describe('labels', () => {
  test('a thousand clients, models, paths and mistakes add no series', async () => {
    const { ask, get, app, exposition } = await testServer({ detectors: ['confidence', 'text_repetition'] })
    const provoke = async (i: number) => {
      await ask('/detect', { ...GOOD, client_id: `client-${i}` })
      await ask('/v1/inspect', { input: `x${i}`, client: `client-${i}`, id: `id-${i}` })
      await ask('/v1/inspect', { input: `x${i}`, model: `model-${i}` })
      await ask('/detect', `broken ${i}`)
      await ask(`/v1/clients/client-${i}/suspend`, {})
      await ask(`/v1/clients/client-${i}/release`, {})
      await ask('/v1/feedback', { kind: `kind-${i}`, detector: `detector-${i}` })
      await ask('/v1/feedback', { kind: 'false_positive', detector: 'confidence' })
      await get(`/path-${i}`)
      await get(`/v1/clients/client-${i}`)
      await app.fetch(new Request('http://127.0.0.1/detect', { method: `M${i}` }))
    }
    for (let i = 0; i < 3; i++) await provoke(i)
    const before = seriesOf(await exposition()).sort()
    for (let i = 3; i < 1000; i++) await provoke(i)
    const text = await exposition()
    expect(seriesOf(text).sort()).toEqual(before)
    expect(text).not.toMatch(/client-\d|model-\d|path-\d|id-\d|kind-\d|detector-\d/)
    expect(before.length).toBeLessThan(400)
  })
})

describe('pushing', () => {
  test('everything that is served is pushed to a collector too, at the end at the latest', async () => {
    const pushed: string[] = []
    const collector = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        pushed.push(body)
        response.end('{}')
      })
    })
    await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done))
    const { port } = collector.address() as AddressInfo
    const { meter, add, shutdown } = await createMetrics({
      otlp: { url: `http://127.0.0.1:${port}/v1/metrics`, everySeconds: 3600 },
    })
    const app = createServerApp({ config: checkConfig({}), meter })
    add(app.histograms)
    const body = JSON.stringify(GOOD)
    const headers = { 'content-type': 'application/json' }
    await app.fetch(new Request('http://127.0.0.1/detect', { method: 'POST', headers, body }))
    await shutdown()
    collector.close()
    const names = JSON.parse(pushed[0]!).resourceMetrics[0].scopeMetrics.flatMap(
      ({ metrics }: { metrics: { name: string }[] }) => metrics.map(({ name }) => name),
    )
    for (const name of ['detector_requests_total', 'monitaur_score_nats', 'http_request_duration_seconds']) {
      expect(names).toContain(name)
    }
  })
})

describe('the text', () => {
  const promtool = spawnSync('promtool', ['--version']).status === 0

  test('is served with the content type that Prometheus knows', async () => {
    const { get } = await testServer()
    const response = await get('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await response.text()).toMatch(/^# HELP [\s\S]*\n$/)
  })

  test.skipIf(!promtool)(
    `passes promtool${promtool ? '' : ' (SKIPPED: no promtool; apt-get install prometheus)'}`,
    async () => {
      const { ask, exposition } = await testServer({
        models: [
          { name: 'a', detectors: ['confidence', 'text_repetition', 'text_similarity'], calibratedAt: '2026-01-01' },
          { name: 'b', detectors: [{ name: 'confidence', mode: 'margin' }] },
        ],
      })
      await ask('/detect', GOOD)
      await ask('/detect', { ...GOOD, model: 'b' })
      await ask('/detect', { ...GOOD, model_output: [] })
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: await exposition(),
        encoding: 'utf8',
      })
      expect(`${stdout}${stderr}`).toBe('')
      expect(status).toBe(0)
    },
  )

  test('tells thresholds, policies, the age of the calibration, and what runs', async () => {
    const { exposition } = await testServer(
      {
        detectors: [{ name: 'text_repetition', threshold: 3 }],
        policy: { mode: 'enforce' },
        calibratedAt: '2026-01-01T00:00:00Z',
      },
      { now: () => Date.parse('2026-01-02T00:00:00Z'), build: { version: '1.2.3', runtime: 'node 20' } },
    )
    const text = await exposition()
    expect(metric(text, 'monitaur_threshold{detector="text_repetition",model="default",unit="count"}')).toBe(3)
    expect(metric(text, 'monitaur_enforcing{model="default"}')).toBe(1)
    expect(metric(text, 'monitaur_calibration_age_seconds{model="default"}')).toBe(86_400)
    expect(metric(text, 'monitaur_build_info{version="1.2.3",runtime="node 20"}')).toBe(1)
  })

  test('says what enforcement would have done while the policy only tells', async () => {
    const { ask, exposition } = await testServer(
      { detectors: [{ name: 'text_repetition', threshold: 1 }], policy: { throttleAt: 1, suspendAt: 2 } },
      { now: () => 1e12 },
    )
    for (let i = 0; i < 4; i++) await ask('/v1/inspect', { input: 'a', client: 'eve' })
    const text = await exposition()
    expect(metric(text, 'monitaur_decisions_total{model="default",action="flag"}')).toBe(4)
    expect(metric(text, 'monitaur_proposed_decisions_total{model="default",action="throttle"}')).toBe(1)
    expect(metric(text, 'monitaur_proposed_decisions_total{model="default",action="suspend"}')).toBe(3)
    expect(metric(text, 'monitaur_clients_suspended{model="default"}')).toBe(1)
  })

  test('counts what is remembered and forgotten', async () => {
    const { ask, exposition } = await testServer({
      detectors: ['text_repetition', { name: 'text_similarity', label: 'shared', scope: 'global' }],
      clients: { maxClients: 2 },
    })
    for (const client of ['a', 'b', 'c', 'd', 'd']) await ask('/v1/inspect', { input: 'x', client })
    const text = await exposition()
    expect(metric(text, 'monitaur_clients_active{model="default"}')).toBe(2)
    expect(metric(text, 'monitaur_evictions_total{model="default"}')).toBe(2)
    expect(metric(text, 'monitaur_eviction_storms_total{model="default"}')).toBe(1)
    expect(metric(text, 'monitaur_clients_bytes{model="default"}')).toBeGreaterThan(1000)
    expect(metric(text, 'monitaur_history_entries{detector="text_repetition",model="default"}')).toBe(3)
    expect(metric(text, 'monitaur_history_entries{detector="shared",model="default"}')).toBe(5)
    expect(metric(text, 'monitaur_history_bytes{detector="text_repetition",model="default"}')).toBeGreaterThan(3 * 32)
    expect(metric(text, 'monitaur_history_bytes{detector="shared",model="default"}')).toBeGreaterThan(5 * 512)
  })
})
