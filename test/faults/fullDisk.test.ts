/**
 * A disk that is really full: a file system of half a megabyte in memory. Servers keep their log there, or their Redis does.
 * Nothing that was acknowledged is lost, and all goes on by itself once there is room.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startRedis } from '../tools/redis.ts'
import { until } from '../tools/until.ts'
import { timeless } from './tools/drive.ts'
import { inOneProcess } from './tools/oneProcess.ts'
import { configOf, type Replica, startReplica } from './tools/replica.ts'
import { type Recorded, recordedStream } from './tools/stream.ts'

const SIZE = 512 * 1024
const WHY = canMount() ? '' : ' (not run: file systems cannot be mounted here, which takes the rights of root)'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Json = any

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-mount-'))
  try {
    mount(folder)
    unmount(folder)
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function mount(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'none', folder], { stdio: 'pipe' })
}

function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' })
}

describe.skipIf(WHY !== '')(`a disk that is full${WHY}`, () => {
  let root: string
  let disk: string
  let replica: Replica | undefined
  const stream = recordedStream(3000, 40, 5)

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'monitaur-disk-'))
    disk = join(root, 'disk')
    mkdirSync(disk)
    mount(disk)
  })
  afterEach(async () => {
    await replica?.kill()
    replica = undefined
    unmount(disk)
    rmSync(root, { recursive: true, force: true })
  })

  const filler = () => join(disk, 'somebody else')
  /** Somebody else takes what room there is. */
  function fill(): void {
    for (const size of [2 ** 16, 2 ** 12]) {
      try {
        for (;;) writeFileSync(filler(), Buffer.alloc(size), { flag: 'a' })
      } catch (thrown) {
        expect((thrown as NodeJS.ErrnoException).code).toBe('ENOSPC')
      }
    }
  }
  const makeRoom = () => rmSync(filler())

  async function start(state: object, policy: object = {}): Promise<void> {
    const config = configOf() as Json
    Object.assign(config.models[0].policy, policy)
    replica = await startReplica({ ...config, state }, join(root, 'config.json'), replica?.port ?? 0)
  }

  async function ask(query: Recorded): Promise<{ status: number; json: Json }> {
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(query) }
    const response = await fetch(`${replica!.address}v1/inspect`, init)
    return { status: response.status, json: await response.json() }
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${replica!.address}metrics`)).text()
    return Number(new RegExp(`^monitaur_log_${name}(?:\\{.*\\})? (\\S+)`, 'm').exec(text)?.[1])
  }

  const readiness = async () => (await fetch(`${replica!.address}ready`)).status

  /** Asks some, fills the disk, and asks until one is refused; gives the verdicts, and where that was. */
  async function askUntilFull(): Promise<{ verdicts: Map<string, Json>; refused: number }> {
    const verdicts = new Map<string, Json>()
    for (const [i, query] of stream.entries()) {
      if (i === 20) fill()
      const { status, json } = await ask(query)
      if (status !== 200) {
        expect(json.error.code).toBe('store_failed')
        return { verdicts, refused: i }
      }
      verdicts.set(query.id, json)
    }
    throw new Error('the disk never was full')
  }

  function askUntilAnswered(query: Recorded): Promise<Json> {
    return until(async () => {
      const { status, json } = await ask(query)
      return status === 200 && json
    })
  }

  async function expectUninterrupted(verdicts: ReadonlyMap<string, Json>): Promise<void> {
    const expected = await inOneProcess(stream.filter(({ id }) => verdicts.has(id)))
    for (const [id, verdict] of verdicts) expect(timeless(verdict), id).toEqual(expected.get(id))
    expect(verdicts.size).toBe(expected.size)
  }

  test('under a journal: refused, told, and on again without a restart; after kill -9 all is there', {
    timeout: 60_000,
  }, async () => {
    const state = { journal: join(disk, 'journal') }
    await start(state)
    const { verdicts, refused } = await askUntilFull()
    expect(await readiness()).toBe(503)
    expect(await metric('failures_total')).toBeGreaterThan(0)
    expect(await metric('failing')).toBe(1)

    makeRoom()
    verdicts.set(stream[refused]!.id, await askUntilAnswered(stream[refused]!))
    expect(await readiness()).toBe(200)
    for (const query of stream.slice(refused + 1, refused + 30)) verdicts.set(query.id, (await ask(query)).json)

    await replica!.kill()
    await start(state)
    for (const query of stream.slice(refused + 30, refused + 60)) verdicts.set(query.id, (await ask(query)).json)
    // Asked again, each gets the answer that it had: it is in the state, and not twice.
    for (const query of stream.slice(0, refused + 60)) {
      const { json } = await ask(query)
      expect(timeless(json), query.id).toEqual(timeless(verdicts.get(query.id)))
    }
    await expectUninterrupted(verdicts)
  })

  test('under a journal with onError open: judged all the same, and written once there is room', {
    timeout: 60_000,
  }, async () => {
    const state = { journal: join(disk, 'journal') }
    await start(state, { onError: 'open' })
    const verdicts = new Map<string, Json>()
    const askNext = async (query: Recorded) => {
      const { status, json } = await ask(query)
      expect(status).toBe(200)
      const { errors, ...rest } = json
      verdicts.set(query.id, { ...rest, errors: [] })
      return errors.length as number
    }
    for (const query of stream.slice(0, 20)) expect(await askNext(query)).toBe(0)
    fill()
    let unsaved = 0
    let i = 20
    for (; unsaved < 20; i++) unsaved += await askNext(stream[i]!)
    expect(await metric('unsaved_total')).toBeGreaterThanOrEqual(20)

    makeRoom()
    await until(async () => ((await metric('failing')) === 0 ? true : undefined))
    expect(await metric('lost_total')).toBe(0)
    await replica!.kill()
    await start(state, { onError: 'open' })
    for (const query of stream.slice(i, i + 30)) expect(await askNext(query)).toBe(0)
    await expectUninterrupted(verdicts)
  })

  test('under Redis: refused, told, and on again without a restart', { timeout: 60_000 }, async () => {
    const redis = await startRedis({ aof: 'everysec', folder: disk })
    try {
      const { state } = configOf(redis.url) as Json
      await start(state)
      const { verdicts, refused } = await askUntilFull()
      expect(await metric('failing')).toBe(1)
      makeRoom()
      verdicts.set(stream[refused]!.id, await askUntilAnswered(stream[refused]!))
      for (const query of stream.slice(refused + 1, refused + 30)) verdicts.set(query.id, (await ask(query)).json)
      await expectUninterrupted(verdicts)
    } finally {
      await redis.stop()
    }
  })
})
