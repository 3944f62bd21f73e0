/** Several replicas judge as one process does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../tools/redis.ts'
import { writePart } from '../tools/report.ts'
import { until } from '../tools/until.ts'
import { audit } from './tools/audit.ts'
import { type Driven, drive, timeless } from './tools/drive.ts'
import { inOneProcess } from './tools/oneProcess.ts'
import { configOf, type Replica, startReplica } from './tools/replica.ts'
import { type RoundRobin, roundRobin } from './tools/roundRobin.ts'
import { IS_FULL } from './tools/size.ts'
import { recordedStream } from './tools/stream.ts'

const QUERIES = IS_FULL ? 50_000 : 2000
const CLIENTS = IS_FULL ? 500 : 50
const REPLICAS = 3
const LONG_MS = 1_500_000

const folder = mkdtempSync(join(tmpdir(), 'monitaur-replicas-'))
let redis: TestRedis
let replicas: Replica[] = []
let balancer: RoundRobin
beforeAll(async () => {
  redis = await startRedis()
  const config = configOf(redis.url, { keepEntries: 1_000_000, timeoutMs: 10_000 }) // the whole log, for the audit
  replicas = await Promise.all(
    Array.from({ length: REPLICAS }, (_, i) => startReplica(config, join(folder, `replica-${i}.json`))),
  )
  balancer = await roundRobin(replicas.map(({ port }) => port))
})
afterAll(async () => {
  await balancer?.close()
  await Promise.all(replicas.map((replica) => replica.kill()))
  await redis?.stop()
  rmSync(folder, { recursive: true, force: true })
})

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
const get = async (replica: Replica, path: string): Promise<any> => (await fetch(replica.address + path)).json()

describe(`${REPLICAS} replicas behind a round-robin, ${QUERIES} queries of ${CLIENTS} clients`, () => {
  const stream = recordedStream(QUERIES, CLIENTS, 7)
  let driven: Driven

  test('give the verdicts of one process', { timeout: LONG_MS }, async () => {
    driven = await drive(balancer.address, stream)
    const expected = await inOneProcess(stream)
    expect(driven.verdicts.size).toBe(QUERIES)
    let differing = 0
    for (const [id, verdict] of driven.verdicts) {
      const [mine, theirs] = [JSON.stringify(timeless(verdict)), JSON.stringify(expected.get(id))]
      if (mine !== theirs && differing++ === 0) expect(timeless(verdict)).toEqual(expected.get(id))
    }
    expect(differing).toBe(0)
    const kinds = new Set([...driven.verdicts.values()].map(({ proposed }) => proposed))
    expect([...kinds].sort()).toEqual(['allow', 'flag', 'suspend', 'throttle'])
    expect(Math.min(...balancer.counts)).toBeGreaterThan(0)
    writePart('faults', 'replicas', [
      { name: 'queries', value: QUERIES, unit: '', met: null },
      { name: 'verdicts that differ from one process', value: differing, unit: '', goal: 0, met: differing === 0 },
    ])
  })

  test('give, times included, what the log gives to whoever replays it', { timeout: LONG_MS }, async () => {
    const { verdicts, doubled, total } = await audit(redis.url, { fromStart: true })
    expect(doubled).toEqual([])
    expect(total).toBe(QUERIES)
    for (const [id, verdict] of driven.verdicts) {
      if (JSON.stringify(verdict) !== JSON.stringify(verdicts.get(id))) expect(verdict).toEqual(verdicts.get(id))
    }
  })

  test('have the same state, and say that they are not behind', { timeout: LONG_MS }, async () => {
    const states = await Promise.all(
      replicas.map(async (replica) => {
        const log = await until(async () => {
          const { models } = await get(replica, 'v1/status')
          const end = Number(models[0].log.position)
          return end === QUERIES && models[0].log.lag.entries === 0 ? models[0].log : undefined
        }, 60_000)
        expect(log).toMatchObject({ state: 'open', failures: 0, refused: 0, unsaved: 0, lost: 0 })
        const { clients } = await get(replica, 'v1/clients?limit=1000')
        for (const client of clients) delete client.reason // of the verdicts that this one has given
        return clients
      }),
    )
    expect(states[0]).toHaveLength(CLIENTS)
    for (const state of states) expect(state).toEqual(states[0])
    const metrics = await (await fetch(`${replicas[0]!.address}metrics`)).text()
    expect(metrics).toMatch(/^monitaur_log_lag_entries\{model="watched"\} 0$/m)
    expect(metrics).toMatch(/^monitaur_log_lag_seconds\{model="watched"\} 0$/m)
  })

  test('a new replica starts from the snapshot and the rest of the log', { timeout: LONG_MS }, async () => {
    const [first] = replicas
    expect(await first!.stop()).toBe(0) // and writes a snapshot
    const config = configOf(redis.url, { keepEntries: 0 })
    const late = await startReplica(config, join(folder, 'late.json'))
    replicas[0] = late
    const expected = await get(replicas[1]!, 'v1/clients?limit=1000')
    const found = await get(late, 'v1/clients?limit=1000')
    const bare = (list: { reason?: string }[]) => list.map(({ reason: _, ...client }) => client)
    expect(bare(found.clients)).toEqual(bare(expected.clients))
    const { position, entries } = (await get(late, 'v1/status')).models[0].log
    expect(Number(position)).toBe(QUERIES)
    expect(entries).toBeLessThan(QUERIES) // the snapshot had the others
  })
})
