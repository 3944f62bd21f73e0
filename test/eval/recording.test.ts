/** Sessions recorded and run again without the model. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Asked,
  type ClientSpec,
  defineAttack,
  type Picture,
  recordingFromBytes,
  recordingToBytes,
  recordSession,
  replaySession,
  TOY_SHAPE,
  toyPictures,
  toyVictim,
  type Victim,
  watchDetectors,
} from '../../src/eval/index.ts'
import { runCached } from '../../src/eval/node/recordings.ts'

const pictures = toyPictures(8)
const model = toyVictim()
const task = {
  source: pictures[0]!.input,
  label: 0,
  classes: 4,
  shape: TOY_SHAPE,
  budget: 100,
  pool: pictures.slice(1),
}
const sha256 = () => createHash('sha256')

/** A client that follows what it is told: it goes up where the first number rises. */
function walker(step = 0.01): ClientSpec<'image', object> {
  return defineAttack({
    name: 'walker',
    kind: 'image',
    sees: 'probabilities',
    summary: 'walks',
    defaults: {},
    succeeds: () => () => false,
    async run(oracle, { source }) {
      let [x, most] = [source, -Infinity]
      for (;;) {
        const tries = [0, 1, 2].map(() => x.map((v) => Math.min(Math.max(v + step * oracle.random.normal(), 0), 1)))
        for (const [i, { logits }] of (await oracle.askAll(tries)).entries()) {
          if (logits[0]! > most) [x, most] = [tries[i]!, logits[0]!]
        }
      }
    },
  })
}

const session = (client = walker(), victim: Victim<'image'> = model) => ({ client, victim, task, seed: 3 })
const dumb: Victim<'image'> = { ...model, answer: () => Promise.reject(new Error('the model was asked')) }

/** Keeps what it sees. */
function eye() {
  const seen: [number, number, number][] = []
  return {
    seen,
    see({ number, input, logits }: Asked<Picture>) {
      seen.push([number, input.reduce((sum, v) => sum + v, 0), logits[0]!])
      return undefined
    },
  }
}

describe('a replay', () => {
  test('shows every watcher the same queries and answers, and needs no model', async () => {
    const [then, now] = [eye(), eye()]
    const { outcome, recording } = await recordSession({ ...session(), watchers: [then] }, sha256())
    const again = await replaySession({ ...session(walker(), dumb), watchers: [now] }, recording, sha256())
    expect(again).toEqual(outcome)
    expect(now.seen).toEqual(then.seen)
    expect(now.seen).toHaveLength(100)
  })

  test('ends with the success, also in the middle of a batch', async () => {
    const succeeds = () => {
      let judged = 0
      return () => ++judged === 50 // the second of a batch of three
    }
    const client = { ...walker(), succeeds }
    const { outcome, recording } = await recordSession(session(client), sha256())
    expect(outcome).toMatchObject({ queries: 50, success: 50 })
    expect(recording.logits).toHaveLength(4 * 50)
    expect(await replaySession(session(client, dumb), recording, sha256())).toEqual(outcome)
  })

  test('finds out that the client has changed, be it in its last query', async () => {
    const { recording } = await recordSession(session(), sha256())
    const changed = /'walker' does not ask what was recorded .* record it anew/
    await expect(replaySession(session(walker(0.011), dumb), recording, sha256())).rejects.toThrow(changed)
    const short = { ...recording, queries: 60, logits: recording.logits.slice(0, 240) }
    await expect(replaySession(session(walker(), dumb), short, sha256())).rejects.toThrow(/more than 60 queries/)
    let asked = 0
    const late = {
      ...walker(),
      async run(oracle: Parameters<ClientSpec<'image'>['run']>[0], given: typeof task) {
        const ask = (inputs: readonly Picture[]) => {
          asked += inputs.length
          return oracle.askAll(asked >= 100 ? inputs.map((x) => x.with(0, 0.123)) : inputs)
        }
        await walker().run({ ...oracle, random: oracle.random, askAll: ask } as never, given as never, {})
      },
    }
    await expect(replaySession(session(late as never, dumb), recording, sha256())).rejects.toThrow(changed)
  })

  test('is bound to times and accounts as well', async () => {
    const { recording } = await recordSession(session(), sha256())
    const other = {
      ...walker(),
      run: (oracle: { askAll(inputs: readonly Picture[], how: object): Promise<unknown> }, given: object) =>
        walker().run(
          { ...oracle, askAll: (inputs: readonly Picture[]) => oracle.askAll(inputs, { account: 1 }) } as never,
          given as never,
          {},
        ),
    }
    const { recording: moved } = await recordSession(session(other as never), sha256())
    expect(moved.logits).toEqual(recording.logits)
    expect(moved.hash).not.toBe(recording.hash)
  })
})

describe('a recording as bytes', () => {
  test('comes back as it was', async () => {
    const { recording } = await recordSession(session(), sha256())
    expect(recordingFromBytes(recordingToBytes(recording))).toEqual(recording)
  })

  test('is refused cut short and damaged', async () => {
    const { recording } = await recordSession(session(), sha256())
    const bytes = recordingToBytes(recording)
    for (const cut of [0, 10, bytes.length - 1]) expect(() => recordingFromBytes(bytes.slice(0, cut))).toThrow()
    for (const at of [6, 40, bytes.length - 2]) {
      expect(() => recordingFromBytes(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)))).toThrow()
    }
  })
})

describe('the cache', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'monitaur-cache-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const watch = () => watchDetectors({ r: { name: 'image_repetition' } }, { kind: 'image', shape: TOY_SHAPE })
  const run = (victim: Victim<'image'>, about = 'a', client = walker()) =>
    runCached({ session: session(client, victim), watch }, { folder, about })

  test('keeps a session, so that the model is not asked again', async () => {
    const first = await run(model)
    const second = await run(dumb)
    expect(second.hash).toBe(first.hash)
    expect(second.outcome).toEqual(first.outcome)
    expect(second.watcher.results()['r']!.records).toEqual(first.watcher.results()['r']!.records)
    await expect(run(dumb, 'b')).rejects.toThrow('the model was asked')
    expect(await readdir(folder)).toHaveLength(1)
  })

  test('runs anew what is damaged, and what the client asks otherwise', async () => {
    const [name] = (await readdir(folder)) as [string]
    const whole = await readFile(join(folder, name))
    await writeFile(join(folder, name), whole.subarray(0, 500))
    await expect(run(dumb)).rejects.toThrow('the model was asked')
    await run(model)
    expect(await readFile(join(folder, name))).toEqual(whole)
    const before = await run(dumb)
    const after = await run(model, 'a', walker(0.02))
    expect(after.hash).not.toBe(before.hash)
    expect(after.watcher.results()['r']!.errors).toBe(0)
  })
})
