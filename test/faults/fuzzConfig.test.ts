/** Configurations as hostile input: an object that works, or `bad_config` with its place; never a crash, and nothing is changed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect } from 'vitest'
import { createStreamMonitor } from '../../src/core/monitor/index.ts'
import { createMonitor, loadDetector } from '../../src/index.ts'
import { checkConfig } from '../../src/server/config/config.ts'
import { loadConfig, VARIABLES } from '../../src/server/config/source.ts'
import { expectClean, expectRefusal, fuzz } from './tools/fuzz.ts'
import { oddJson, oddValue, spoilt, spoiltBytes } from './tools/odd.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const detectors = fc.constantFrom<object>(
  { name: 'confidence', mode: 'margin', threshold: 0.3, normalize: true, outputs: 'logits', maxHistorySize: 5 },
  { name: 'text_repetition', threshold: 3, maxHistorySize: 20, normalize: true },
  { name: 'image_repetition', threshold: 3, radius: 4 },
  {
    name: 'tabular_similarity',
    threshold: 0.9,
    schema: { age: { type: 'number', scale: 10 }, job: { type: 'category' } },
  },
  { name: 'text_similarity', threshold: 0.9, maxHistorySize: 10 },
  { name: 'descent_lineage' },
  { name: 'content_fingerprint', kept: 10, key: 5, digest: 'sha256' },
  { name: 'neighbour_distance' },
  { name: 'coverage' },
  { name: 'query_rate' },
  { name: 'prada' },
  { name: 'provenance' },
  { name: 'extraction_status' },
  { name: 'update_geometry' },
  { name: 'margin_trend' },
  { name: 'distribution_shift' },
  { name: 'hardness_histogram' },
)

const monitors = fc.record({
  detectors: fc.array(
    detectors.map((one) => ({ label: 'l', scope: 'client', ...one })),
    { minLength: 1, maxLength: 2 },
  ),
  clients: fc.constant({ maxClients: 10, maxBytes: 100_000, stormWindowMs: 1000 }),
  policy: fc.constant({
    mode: 'enforce',
    onError: 'open',
    reply: 'silent',
    throttleAt: 2,
    suspendAt: 3,
    fadePerMinute: 1,
    suspendForMs: 1000,
    suspendGrowth: 2,
    longestSuspensionMs: 10_000,
    allow: ['a', `sha256:${'0'.repeat(64)}`],
    onDrift: 'tell',
  }),
})

/** Everything in it, functions as they are. */
const printed = (value: unknown) => {
  return (
    JSON.stringify(value, (_, one) => (typeof one === 'bigint' || typeof one === 'symbol' ? String(one) : one)) ?? ''
  )
}

function tries(make: () => unknown, given: unknown): void {
  const before = tryPrint(given)
  try {
    make()
  } catch (thrown) {
    expectRefusal(thrown, ['bad_config', 'bad_snapshot', 'model_mismatch'])
  }
  expect(tryPrint(given)).toBe(before)
  expectClean()
}

function tryPrint(value: unknown): string {
  try {
    return printed(value)
  } catch {
    return 'cannot be printed'
  }
}

describe('configurations', () => {
  fuzz('the JSON of a detector', { of: spoilt(detectors, oddJson), short: 1500, full: 80_000 }, (json) => {
    tries(() => loadDetector(json), json)
  })

  fuzz('anything for a detector', { of: oddValue, short: 500, full: 20_000 }, (json) => {
    tries(() => loadDetector(json), json)
  })

  fuzz('a monitor', { of: spoilt(monitors), short: 1500, full: 80_000 }, (config) => {
    tries(() => createMonitor(config as never), config)
  })

  fuzz('a monitor over observations', { of: spoilt(monitors), short: 1500, full: 60_000 }, (config) => {
    tries(() => createStreamMonitor(config as never).describe(), config)
  })

  const server = fc.record(
    {
      host: fc.constant('127.0.0.1'),
      port: fc.constant(0),
      token: fc.constant('a-token-of-some-length'),
      cors: fc.constant(['https://example.org']),
      models: fc.array(
        monitors.map((one) => ({ name: 'm', calibratedAt: '2026-01-01', ...one })),
        { minLength: 1, maxLength: 2 },
      ),
      limits: fc.constant({ maxBodyBytes: 2000, maxDepth: 5, maxConcurrent: 3, maxConnections: 10 }),
      state: fc.constant({ journal: '/tmp/j', sync: 'always' }),
      log: fc.constant({ maxPerSecond: 5, key: 'k' }),
      metrics: fc.constant({ otlp: { url: 'http://127.0.0.1:4318' } }),
    },
    { requiredKeys: ['models'] },
  )
  fuzz('a server', { of: spoilt(server), short: 1500, full: 60_000 }, (config) => {
    tries(() => checkConfig(config), config)
  })

  const names = fc.constantFrom(
    ...Object.keys(VARIABLES).filter((name) => !name.endsWith('_FILE') && name !== 'MONITAUR_CONFIG'),
  )
  const variables = fc.dictionary(
    names,
    fc.oneof(
      fc.string(),
      oddJson.map((one) => JSON.stringify(one) ?? ''),
    ),
  )
  fuzz('the environment of a server', { of: variables, short: 500, full: 20_000 }, async (env) => {
    await loadConfig({}, env).catch((thrown) => expectRefusal(thrown, ['bad_config']))
    expectClean()
  })

  const yaml = [
    'detectors:\n  - name: confidence\n    threshold: 0.4\npolicy: { mode: enforce }\nlimits:\n  maxDepth: 5\n',
    'a: &a [x, x]\nb: &b [*a, *a]\nmodels:\n  - { name: m, detectors: [confidence] }\n',
    '{"detectors": ["text_repetition"], "state": {"sync": "always"}}',
  ].map((text) => new TextEncoder().encode(text))
  const file = join(folder, 'config.yaml')
  fuzz('the file of a server', { of: spoiltBytes(yaml), short: 500, full: 20_000 }, async (bytes) => {
    writeFileSync(file, bytes)
    await loadConfig({ file }, {}).catch((thrown) => expectRefusal(thrown, ['bad_config']))
    expectClean()
  })
})
