/** What the policy of a monitor says to the middleware and the journal. */
import { describe, expect, test } from 'vitest'
import type { QueryEntry } from '../src/core/monitor/index.ts'
import { decodeEntry, encodeEntry, fromJson, monitorFetch } from '../src/edge/index.ts'
import { createMonitor } from '../src/embed/index.ts'
import { fakeWatcher, postJson } from './tools/edge.ts'

const HOUR = 3_600_000
const query = fromJson({ input: '$.prompt' })
const ask = () => postJson({ prompt: 'hello' })

describe('the middleware', () => {
  test('refuses in the way that the policy wants, unless it is told another', async () => {
    const nowMs = 0
    const statusWith = async (reply: 'enforce' | 'delayed', more = {}) => {
      const policy = { mode: 'enforce', reply } as const
      const monitor = createMonitor({ detectors: ['text_repetition'], policy }, { now: () => nowMs })
      await monitor.suspend('mallory', HOUR)
      const options = { monitor, query, client: () => 'mallory', now: () => nowMs, ...more }
      return (await monitorFetch(async () => new Response(), options)(ask())).status
    }
    expect(await statusWith('enforce')).toBe(403)
    expect(await statusWith('delayed')).toBe(200)
    expect(await statusWith('delayed', { reply: 'enforce' })).toBe(403)
  })

  test('a suspension that the policy made longer is felt a while after its begin, like a first one', async () => {
    let nowMs = 0
    const suspension = { allowed: false, suspendedUntilMs: 4 * HOUR, suspendedSinceMs: 0 } as const
    const watched = monitorFetch(async () => new Response(), {
      monitor: fakeWatcher({ admit: () => suspension }),
      query,
      reply: 'delayed',
      delay: { minMs: 60_000, maxMs: 600_000 },
      key: 'a secret of 16 bytes and more',
      client: () => 'mallory',
      now: () => nowMs,
    })
    expect((await watched(ask())).status).toBe(200)
    for (; nowMs < HOUR; nowMs += 1000) if ((await watched(ask())).status === 403) break
    expect(nowMs).toBeGreaterThanOrEqual(60_000)
    expect(nowMs).toBeLessThanOrEqual(601_000)
  })
})

describe('a log', () => {
  const entry: QueryEntry = { kind: 'query', client: 'a', timeMs: 5, observations: [{ fingerprint: 'x' }] }

  test.each([
    ['without a group', entry],
    ['with a group', { ...entry, group: 'g' }],
    ['with a group and an id', { ...entry, group: '', id: '7' }],
  ])('keeps an entry %s', (_, one) => {
    const logged = { writer: 'w', number: 1, entry: one }
    expect(decodeEntry(encodeEntry(logged), '1')).toEqual(logged)
  })
})
