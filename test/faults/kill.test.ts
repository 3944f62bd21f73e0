/**
 * Replicas and Redis are killed (SIGKILL) at random moments while clients ask, and ask again what got no answer. What was
 * acknowledged is in the state, nothing is in it twice, and the verdicts are those of a run that nothing happened to.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { random } from '../tools/random.ts'
import { startRedis, type TestRedis } from '../tools/redis.ts'
import { writePart } from '../tools/report.ts'
import { audit } from './tools/audit.ts'
import { type Driven, drive, timeless } from './tools/drive.ts'
import { inOneProcess } from './tools/oneProcess.ts'
import { configOf, type Replica, startReplica } from './tools/replica.ts'
import { type RoundRobin, roundRobin } from './tools/roundRobin.ts'
import { IS_FULL } from './tools/size.ts'
import { type Recorded, recordedStream } from './tools/stream.ts'

const SEEDS = IS_FULL ? Array.from({ length: 13 }, (_, i) => i + 1) : [3]
const KILLS = IS_FULL ? 40 : 8
const REPLICAS = 3
const CLIENTS = 40
/** More than are ever asked while so many are killed. */
const QUERIES = 200_000

interface Round {
  readonly seed: number
  readonly kills: { replica: number; redis: number }
  readonly asked: number
  readonly retries: number
  readonly lost: number
  readonly doubled: number
  readonly differing: number
}

const folder = mkdtempSync(join(tmpdir(), 'monitaur-kill-'))
const rounds: Round[] = []

describe(`${SEEDS.length * KILLS} kills in ${SEEDS.length} seeded rounds`, () => {
  test.each(SEEDS)(
    'seed %i: nothing acknowledged is lost, nothing counts twice',
    { timeout: 1_500_000 },
    async (seed) => {
      const round = await playRound(seed)
      rounds.push(round)
      console.log(JSON.stringify(round))
      expect(round).toMatchObject({ lost: 0, doubled: 0, differing: 0 })
      expect(round.kills.replica + round.kills.redis).toBe(KILLS)
      expect(round.retries).toBeGreaterThan(0)
    },
  )
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0)
  const kills = sum(({ kills: { replica, redis } }) => replica + redis)
  writePart('faults', 'kill -9', [
    { name: 'seeds', value: SEEDS.join(', '), unit: '', met: null },
    { name: 'kills', value: kills, unit: '', ...(IS_FULL ? { goal: 500, met: kills >= 500 } : { met: null }) },
    { name: 'of replicas', value: sum(({ kills: { replica } }) => replica), unit: '', met: null },
    { name: 'of Redis', value: sum(({ kills: { redis } }) => redis), unit: '', met: null },
    { name: 'acknowledged queries', value: sum(({ asked }) => asked), unit: '', met: null },
    { name: 'sent again', value: sum(({ retries }) => retries), unit: '', met: null },
    ...(['lost', 'doubled', 'differing'] as const).map((name) => {
      const value = sum((round) => round[name])
      return { name, value, unit: '', goal: 0, met: value === 0 }
    }),
  ])
})

async function playRound(seed: number): Promise<Round> {
  const redis = await startRedis({ aof: true })
  const config = configOf(redis.url, { snapshotEvery: 150, keepEntries: 1_000_000 })
  const files = Array.from({ length: REPLICAS }, (_, i) => join(folder, `seed-${seed}-${i}.json`))
  const replicas = await Promise.all(files.map((file) => startReplica(config, file)))
  const balancer = await roundRobin(replicas.map(({ port }) => port))
  try {
    const stream = recordedStream(QUERIES, CLIENTS, seed)
    const start = (i: number) => startReplica(config, files[i]!, replicas[i]!.port)
    const { driven, kills } = await driveAndKill({ seed, stream, redis, replicas, balancer, start })
    return { seed, kills, ...(await verify(driven, stream, redis)) }
  } finally {
    await balancer.close()
    await Promise.all(replicas.map((replica) => replica.kill()))
    await redis.stop()
  }
}

interface Scene {
  readonly seed: number
  readonly stream: readonly Recorded[]
  readonly redis: TestRedis
  readonly replicas: Replica[]
  readonly balancer: RoundRobin
  readonly start: (i: number) => Promise<Replica>
}

/** Clients ask while one thing after the other is killed; up to two servers are down at a time. */
async function driveAndKill({ seed, stream, redis, replicas, balancer, start }: Scene) {
  const next = random(seed * 7919)
  const kills = { replica: 0, redis: 0 }
  let isDone = false
  let answers = 0
  let awaited = 0

  const starting = new Map<number, Promise<void>>()

  /** It is started again beside what goes on, as a supervisor does, until it stays. */
  async function killReplica(): Promise<void> {
    const up = replicas.map((_, i) => i).filter((i) => !starting.has(i))
    const i = up[Math.floor(next() * up.length)]!
    await replicas[i]!.kill()
    kills.replica++
    starting.set(
      i,
      startAgain(i).finally(() => starting.delete(i)),
    )
  }

  async function startAgain(i: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        replicas[i] = await start(i)
        return
      } catch (thrown) {
        // Redis was away as it started.
        if (attempt === 20) throw thrown
      }
    }
  }

  async function killRedis(): Promise<void> {
    await redis.kill()
    kills.redis++
    await pause(next() * 60)
    await redis.start()
  }

  async function killAll(): Promise<void> {
    while (kills.replica + kills.redis < KILLS) {
      awaited = answers + 1 + Math.floor(next() * 40)
      while (answers < awaited) await pause(2)
      await pause(next() * 15)
      const isReplica = next() < 0.5
      if (isReplica && starting.size < REPLICAS - 1) await killReplica()
      else await killRedis()
    }
    await Promise.all(starting.values())
    awaited = answers + 50
    while (answers < awaited) await pause(2)
  }

  const killing = killAll().finally(() => {
    isDone = true
  })
  const driven = await drive(balancer.address, stream, {
    retries: true,
    lanes: 12,
    isDone: () => isDone,
    onAnswer: (count) => {
      answers = count
    },
  })
  await killing
  return { driven, kills }
}

/** Looks into the log as one more replica, and at a run of the same queries that nothing happened to. */
async function verify({ verdicts, retries }: Driven, stream: readonly Recorded[], redis: TestRedis) {
  const asked = stream.filter(({ id }) => verdicts.has(id))
  const kept = await audit(redis.url, { fromStart: true })
  const expected = await inOneProcess(asked)
  let lost = 0
  let differing = 0
  for (const { id } of asked) {
    const answered = JSON.stringify(verdicts.get(id))
    if (answered !== JSON.stringify(kept.verdicts.get(id))) lost++
    if (JSON.stringify(timeless(verdicts.get(id))) !== JSON.stringify(expected.get(id))) differing++
  }
  const afterSnapshot = await audit(redis.url)
  const doubled =
    kept.doubled.length + Math.abs(kept.total - asked.length) + Math.abs(afterSnapshot.total - asked.length)
  expect(asked.length).toBe(verdicts.size)
  expect(afterSnapshot.queries).toEqual(kept.queries)
  return { asked: asked.length, retries, lost, doubled, differing }
}
