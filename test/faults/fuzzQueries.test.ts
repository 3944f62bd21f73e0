/** Queries and observations as hostile input, at every detector: a sound verdict, or a refusal that changes nothing. */
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { toBytes } from '../../src/core/index.ts'
import { createStreamMonitor, type Entry, type QueryEntry, type Verdict } from '../../src/core/monitor/index.ts'
import { createMonitor, type Query } from '../../src/embed/index.ts'
import { expectClean, expectRefusal, fuzz } from './tools/fuzz.ts'
import { spoilt } from './tools/odd.ts'
import { subjects } from './tools/subjects.ts'

const CODES = ['bad_query', 'missing_package', 'embedder_failed']

function expectSound({ detections, errors, client, timeMs }: Verdict): void {
  for (const { score, threshold, confidence, reason } of detections) {
    expect(Number.isFinite(score) && Number.isFinite(threshold)).toBe(true)
    expect(confidence >= 0 && confidence <= 1).toBe(true)
    expect(reason.length).toBeGreaterThan(5)
  }
  for (const { code, message } of errors) {
    expect(CODES, message).toContain(code)
    expect(message.length).toBeLessThan(2000)
  }
  expect(Number.isFinite(client.evidence) && Number.isFinite(timeMs)).toBe(true)
}

describe('observations', () => {
  const each = subjects.map((subject) => ({ subject, detector: subject.make(), queries: subject.queries(20) }))
  for (const { detector, queries } of each) for (const query of queries) detector.process(query)
  const cases = fc.constantFrom(...each).chain((one) => {
    return spoilt(fc.constantFrom(...one.queries)).map((observation) => ({ ...one, observation }))
  })

  fuzz(
    'an observation of any detector',
    { of: cases, short: 2500, full: 350_000 },
    ({ subject, detector, observation, queries }) => {
      const before = toBytes(detector.snapshot())
      try {
        const { score, confidence } = detector.process(observation)
        expect(Number.isFinite(score), subject.name).toBe(true)
        expect(confidence >= 0 && confidence <= 1, `${subject.name} ${confidence}`).toBe(true)
        toBytes(detector.snapshot())
        detector.reset() // what was let in may fill it up with one thing
        for (const query of queries.slice(0, 10)) detector.process(query)
      } catch (thrown) {
        expectRefusal(thrown, ['bad_query'])
        expect(toBytes(detector.snapshot())).toEqual(before)
      }
      expectClean()
    },
  )
})

describe('entries', () => {
  const config = {
    detectors: [
      'confidence',
      'text_repetition',
      { name: 'similarity', scope: 'global' },
      { name: 'query_rate', scope: 'group' },
    ],
    clients: { maxClients: 5 },
    policy: { mode: 'enforce', throttleAt: 2, suspendAt: 3 },
  } as const
  const observations = [{ probabilities: [0.5, 0.5] }, { fingerprint: 'x' }, { embedding: [1, 2] }, {}]
  const error = { name: 'MonitorError', code: 'bad_query', message: 'm', path: 'p' }
  const good = fc.constantFrom<Entry>(
    { kind: 'query', client: 'a', group: 'g', id: 'i', timeMs: 1e12, observations },
    { kind: 'query', client: 'b', timeMs: 1e12, observations: [error, null, error, null] } as unknown as QueryEntry,
    { kind: 'suspend', client: 'a', timeMs: 1e12, untilMs: 2e12 },
    { kind: 'release', client: 'a', timeMs: 1e12 },
    { kind: 'erase', client: 'a', timeMs: 1e12 },
    { kind: 'expire', timeMs: 1e12, unseenMs: 5 },
  )
  fuzz(
    'a list of entries',
    { of: fc.array(spoilt(good), { minLength: 1, maxLength: 6 }), short: 500, full: 80_000 },
    (list) => {
      const monitor = createStreamMonitor(config)
      for (const entry of list) {
        const before = toBytes(monitor.snapshot())
        try {
          const { verdict } = monitor.apply(entry)
          if (verdict !== undefined) expectSound(verdict)
        } catch (thrown) {
          expectRefusal(thrown, ['bad_query'])
          expect(toBytes(monitor.snapshot())).toEqual(before)
        }
      }
      for (const { evidence } of monitor.clients()) expect(Number.isFinite(evidence)).toBe(true)
      expectClean()
    },
  )
})

describe('raw queries', () => {
  const pixels = { data: new Uint8Array(48), width: 4, height: 4, channels: 3 }
  const inputs = fc.constantFrom<unknown>(
    'hello there',
    ['a', 'b'],
    { age: 5, job: 'clerk', ok: true, none: null },
    pixels,
  )
  const good = fc.record({
    input: inputs,
    modelOutput: fc.constantFrom<unknown>([0.5, 0.5], Float32Array.of(0.9, 0.1)),
    embedding: fc.constantFrom<unknown>(undefined, [1, 2, 3]),
    client: fc.constant('a'),
    group: fc.constant('g'),
    id: fc.constant('i'),
    timeMs: fc.constant(1e12),
    metadata: fc.constant({}),
  })
  const config = {
    detectors: [
      'confidence',
      'text_repetition',
      'tabular_repetition',
      'image_repetition',
      'text_similarity',
      'tabular_similarity',
      'image_similarity',
      'content_fingerprint',
      'neighbour_distance',
      'descent_lineage',
      'prada',
      'margin_trend',
      'provenance',
      'update_geometry',
    ],
    policy: { onError: 'open' },
  } as const

  fuzz(
    'a list of raw queries',
    { of: fc.array(spoilt(good), { minLength: 1, maxLength: 3 }), short: 500, full: 60_000 },
    async (list) => {
      const monitor = createMonitor(config, { now: () => 1e12 })
      for (const query of list) {
        try {
          expectSound(await monitor.inspect(query as Query))
        } catch (thrown) {
          expectRefusal(thrown, CODES)
        }
      }
      toBytes(await monitor.snapshot())
      expectClean()
    },
  )
})
