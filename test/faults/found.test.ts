/** What the fuzzers found, one test each, so that it stays mended. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDetector } from '../../src/core/index.ts'
import { createStreamMonitor, type QueryEntry } from '../../src/core/monitor/index.ts'
import { createMonitor } from '../../src/index.ts'
import { checkConfig } from '../../src/server/config/config.ts'
import { loadConfig } from '../../src/server/config/source.ts'
import { createHost, serveWorker } from '../../src/worker/serve.ts'
import { subjects } from './tools/subjects.ts'

const refused = (code: string, path?: string) => expect.objectContaining(path === undefined ? { code } : { code, path })

describe('snapshots', () => {
  test('a list with gaps in the place of suspensions is refused, and does not crash', () => {
    const monitor = createStreamMonitor({ detectors: ['text_repetition'] })
    const { state, ...rest } = monitor.snapshot()
    const odd = { ...rest, state: { ...(state as object), suspended: new Array(3) } }
    expect(() => monitor.restore(odd as never)).toThrow(refused('bad_snapshot'))
  })

  test('a moment that no query may name is refused', () => {
    const monitor = createStreamMonitor({ detectors: ['query_rate'] })
    monitor.apply({ kind: 'query', client: 'a', timeMs: 1000, observations: [{}] })
    const { state, ...rest } = monitor.snapshot()
    const odd = { ...rest, state: { ...(state as object), nowMs: 8.64e15 + 1 } }
    expect(() => monitor.restore(odd as never)).toThrow(refused('bad_snapshot', 'state.nowMs'))
  })

  test('a list with gaps in the place of fingerprints is refused too', () => {
    const detector = createDetector('text_repetition')
    const odd = { detector: 'text_repetition', version: 1, state: { fingerprints: new Array(3) } }
    expect(() => detector.restore(odd as never)).toThrow(refused('bad_snapshot'))
    expect(detector.size()).toBe(0)
  })

  test('a group of lineages without its inputs is refused as well', () => {
    const detector = createDetector('descent_lineage')
    for (const x of [0.1, 0.11]) detector.process({ vector: [x, 0.5], probabilities: [0.6, 0.4] })
    const saved = structuredClone(detector.snapshot()) as unknown as { state: { groups: Record<string, unknown>[] } }
    saved.state.groups[0]!['numbers'] = undefined
    expect(() => detector.restore(saved as never)).toThrow(refused('bad_snapshot'))
    expect(detector.size()).toBe(2)
  })
})

describe('entries', () => {
  const apply = (observation: unknown) => {
    const monitor = createStreamMonitor({ detectors: ['text_repetition'] })
    return monitor.apply({ kind: 'query', client: 'a', timeMs: 1, observations: [observation] } as QueryEntry)
  }

  test.each([
    { name: 'MonitorError', code: {}, message: 'm', path: 'p' },
    { name: 'MonitorError', code: 'no_such_code', message: 'm', path: 'p' },
    { name: 'MonitorError', code: 'bad_query', message: 5, path: 'p' },
    { name: 'MonitorError', code: 'bad_query', message: 'x'.repeat(20_000), path: 'p' },
    undefined,
    5,
    'text',
  ])('%j in the place of an observation is refused, and reaches no verdict', (odd) => {
    expect(() => apply(odd)).toThrow(refused('bad_query', 'observations[0]'))
  })
})

describe('queries', () => {
  test.each([Object.create(null), Symbol('now'), [], 10n, { valueOf: 5 }])(
    'a time that is no number is refused',
    async (timeMs) => {
      const monitor = createMonitor({ detectors: ['text_repetition'] })
      await expect(monitor.inspect({ input: 'x', timeMs })).rejects.toThrow(refused('bad_query', 'timeMs'))
    },
  )
})

describe('lengths', () => {
  const lengths = [Object.create(null), Symbol('many'), { valueOf: 0, toString: 0 }, 3n]
  const fields = ['probabilities', 'vector', 'embedding'] as const

  test.each(subjects)('$name refuses lists whose length is no number, or does without them', ({ make }) => {
    for (const length of lengths) {
      for (const field of fields) {
        const odd = {
          fingerprint: 'x',
          probabilities: [0.5, 0.5],
          vector: [1, 0.5],
          embedding: [1, 2],
          [field]: { length },
        }
        try {
          make().process(odd as never)
        } catch (thrown) {
          expect(thrown).toEqual(refused('bad_query'))
        }
      }
    }
  })
})

describe('configurations', () => {
  test('a date that is none is refused', () => {
    const models = [{ name: 'm', detectors: ['text_repetition'], calibratedAt: new Date(Number.NaN) }]
    expect(() => checkConfig({ models })).toThrow(refused('bad_config', 'models[0].calibratedAt'))
  })
})

describe('embeddings', () => {
  test('of any length that is claimed are refused before they are copied', async () => {
    const monitor = createMonitor({ detectors: ['similarity'] })
    const { errors } = await monitor.inspect({ embedding: { length: 2 ** 32 - 1 } })
    expect(errors).toEqual([expect.objectContaining({ code: 'bad_query', path: 'similarity.embedding' })])
  })
})

describe('the worker', () => {
  test('numbers in the place of a list of queries are refused, and nothing fails unheard', async () => {
    const host = createHost()
    await host.open('m', { kind: 'monitor', config: { detectors: ['text_repetition'] } }, () => {})
    const odd = new Uint8Array(3) as never
    expect(await host.process('m', 1, odd, true)).toMatchObject({ ok: false, error: { code: 'bad_query' } })
    await new Promise((resolve) => setTimeout(resolve, 5)) // an unhandled rejection would fail the run
  })

  test('a cancelling that names no call is ignored', async () => {
    const host = createHost()
    await expect(host.cancel({ toString: 0 } as never, 1)).resolves.toBeUndefined()
  })

  test('no message reaches the constructor of a verb, or a prototype', () => {
    const listeners: ((event: object) => void)[] = []
    const endpoint = {
      postMessage() {},
      addEventListener: (_: string, one: never) => listeners.push(one),
      removeEventListener() {},
    }
    serveWorker(endpoint as never)
    const value = 'globalThis.reached = 1'
    const objects = {
      kind: 'objects',
      count: 2,
      keys: ['__proto__'],
      columns: [{ kind: 'same', value: { reached: 1 } }],
    }
    const messages = [
      { id: 1, verb: 'constructor', given: [value] },
      { id: 2, verb: '__proto__', given: [{ reached: 1 }] },
      { id: 3, verb: ['hello', 'constructor'], given: [value] },
      { id: 4, verb: 'process', given: ['m', 0, { queries: objects, batch: true, isKept: true, buffers: [] }] },
      // as comlink would have it
      { id: '5', type: 'CONSTRUCT', path: ['hello', 'constructor'], argumentList: [{ type: 'RAW', value }] },
      { id: '6', type: 'SET', path: ['__proto__', 'reached'], value: { type: 'RAW', value } },
    ]
    for (const data of [...messages, { all: messages }]) {
      for (const listener of listeners) listener({ data, origin: '', ports: [] })
    }
    expect(({} as Record<string, unknown>)['reached']).toBeUndefined()
    expect((globalThis as Record<string, unknown>)['reached']).toBeUndefined()
  })
})

test('an object without a value in the place of a number is refused as that', () => {
  const kept = { toString: 0 } as never
  expect(() => createDetector('content_fingerprint', { kept })).toThrow(
    refused('bad_config', 'content_fingerprint.kept'),
  )
})

describe('the configuration file', () => {
  test.each([
    ['an alias without an anchor', 'detectors: [*nobody]'],
    ['aliases that stand for a billion', laughs()],
  ])('%s is refused with the file in the message', async (_, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'monitaur-found-'))
    const file = join(folder, 'config.yaml')
    writeFileSync(file, text)
    await expect(loadConfig({ file }, {})).rejects.toThrow(refused('bad_config'))
    rmSync(folder, { recursive: true })
  })
})

/** Nine lists, each of nine times the one before. */
function laughs(): string {
  const lines = ['a0: &a0 [lol]']
  for (let i = 1; i < 10; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  return lines.join('\n')
}
