/** The story of the demo page in Node: real attacks, real detectors and the model that is shipped. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readAddress, writeAddress } from '../demo/story/address.ts'
import { createDigitNet } from '../demo/story/digitNet.ts'
import { drawnDigits } from '../demo/story/drawnDigits.ts'
import type { CaughtEvent, StoryConfig, StoryEvent } from '../demo/story/events.ts'
import { followingWords } from '../demo/story/followingWords.ts'
import type { AttackName } from '../demo/story/names.ts'
import { isNear } from '../demo/story/near.ts'
import { Player } from '../demo/story/player.ts'
import type { AskState, FromWorker, Play } from '../demo/story/protocol.ts'
import { runStory, type Stage } from '../demo/story/run.ts'
import { Runner, type WorkerLike } from '../demo/story/runner.ts'
import { takeTurns } from '../demo/story/turns.ts'
import { createWatch, type Watch } from '../demo/story/watch.ts'
import type { WatchScope } from '../demo/story/watchConfig.ts'
import { createDetector } from '../src/core/index.ts'
import { createRandom, largest } from '../src/eval/index.ts'

const MODEL = readFileSync(fileURLToPath(new URL('../models/digits.onnx', import.meta.url)))
const net = createDigitNet(MODEL)
const STORY: StoryConfig = { cast: 'story', attack: 'nes_b', protection: true, seed: 3 }

async function play(
  config: Partial<StoryConfig> = {},
  scope: WatchScope = 'client',
  more: Partial<Stage> = {},
): Promise<StoryEvent[]> {
  const events: StoryEvent[] = []
  await runStory(
    { ...STORY, ...config },
    {
      answer: async (picture) => net(picture),
      now: () => 0,
      pause: async () => {},
      onEvent: (event) => events.push(event),
      scope,
      ...more,
    },
  )
  return events
}

function of<K extends StoryEvent['kind']>(events: readonly StoryEvent[], kind: K) {
  return events.filter((event): event is Extract<StoryEvent, { kind: K }> => event.kind === kind)
}

test('the network tells drawn digits apart', () => {
  const digits = drawnDigits(200, createRandom(99))
  const right = digits.filter(({ input, label }) => largest(net(input)) === label)
  expect(right.length).toBeGreaterThanOrEqual(196)
})

test('a model file that is cut short, or is another one, is refused in words', () => {
  expect(() => createDigitNet(MODEL.subarray(0, 5000))).toThrow(/cut short/)
  expect(() => createDigitNet(new Uint8Array())).toThrow('conv1.weight must have 200 numbers, came undefined')
})

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  'seed %i: the attacker is caught before it succeeds, and nobody else is',
  async (seed) => {
    const events = await play({ seed })
    const lanes = of(events, 'cast')[0]!.lanes
    const hostile = lanes.findIndex(({ isAttacker }) => isAttacker)
    const caught = of(events, 'caught')
    expect(caught.map(({ lane }) => lane)).toEqual([hostile])
    const [success] = of(events, 'success')
    expect(success?.isElsewhere ?? true).toBe(true)
    expect(caught[0]!.number).toBeLessThan(success?.number ?? Infinity)
    expect(of(events, 'refused').every(({ lane }) => lane === hostile)).toBe(true)
    const done = of(events, 'done')[0]!
    expect(done.queries[hostile]).toBe(caught[0]!.number)
    const explainer = lanes.findIndex(({ role }) => role === 'explainer')
    expect(done.queries[explainer]).toBe(170)
    expect(done.alike[explainer]).toBeGreaterThan(100) // what likeness alone would have made of an honest user
  },
)

test('with protection off the same attack succeeds where the protected run foretold it, with two labels', async () => {
  const [guarded, open] = [await play(), await play({ protection: false })]
  const [foretold] = of(guarded, 'success')
  const [success] = of(open, 'success')
  expect(success).toEqual({ ...foretold!, isElsewhere: false })
  expect(success!.original.label).not.toBe(success!.adversarial.label)
  expect(of(open, 'refused')).toEqual([])
  expect(of(open, 'caught')[0]).toEqual(of(guarded, 'caught')[0])
})

test('the same seed gives the same events, another seed others', async () => {
  const first = await play({ cast: 'explainer' })
  expect(await play({ cast: 'explainer' })).toEqual(first)
  expect(await play({ cast: 'explainer', seed: 4 })).not.toEqual(first)
})

test('who explains an answer with LIME is not flagged', async () => {
  const events = await play({ cast: 'explainer' })
  expect(of(events, 'caught')).toEqual([])
  expect(of(events, 'done')[0]!.queries).toEqual([400])
})

test.each([
  ['simba_dct', 3],
  ['simba', 3],
  ['rays', 3],
  ['rays', 6],
  ['rays', 10],
  ['rays', 16],
] as const)('%s, seed %i: caught before it succeeds, and nobody else is', async (attack, seed) => {
  const events = await play({ attack, seed })
  const hostile = of(events, 'cast')[0]!.lanes.findIndex(({ isAttacker }) => isAttacker)
  expect(of(events, 'caught').map(({ lane }) => lane)).toEqual([hostile])
  expect(of(events, 'success')).toMatchObject([{ isElsewhere: true }])
  expect(of(events, 'caught')[0]!.number).toBeLessThan(of(events, 'success')[0]!.number)
})

test.each([16, 18, 30])('seed %i: who cleans a digit is not flagged', async (seed) => {
  const events = await play({ seed })
  const { lanes } = of(events, 'cast')[0]!
  expect(of(events, 'caught').map(({ lane }) => lanes[lane]!.role)).toEqual(['nes_b'])
})

test('the verdict tells what gave the attacker away, with the numbers of the alarm', async () => {
  const words = async (attack: AttackName) => followingWords(of(await play({ attack }), 'caught')[0]!.following)
  expect(await words('nes_b')).toBe(
    'It tried small changes around a picture, then took a step, 4 times. The last step leads to where the model was less sure of “4”: it fits the answers with a correlation of −0.79 (0 is chance, −1 straight downhill).',
  )
  expect(await words('simba_dct')).toBe(
    'It tried small changes and chose by the answers: of 13 steps it took, 11 made the model less sure of “4”; of 9 it left, 0 did.',
  )
  expect(await words('rays')).toBe(
    'It halved the way to the boundary 9 times, each time to the side where the label changes.',
  )
  const [{ following }] = of(await play({ attack: 'rays' }), 'caught') as [CaughtEvent]
  expect(followingWords({ ...following, halvings: 12, towards: 11 })).toContain('12 times, 11 times to the side')
})

test.each([1, 2, 3, 4, 5])(
  'the honest miss, seed %i: RayS from four accounts succeeds, and is caught if they are watched together',
  async (seed) => {
    const events = await play({ cast: 'miss', seed })
    expect(of(events, 'caught')).toEqual([])
    expect(of(events, 'refused')).toEqual([])
    expect(of(events, 'success')).toMatchObject([{ isElsewhere: false }])
    const together = await play({ cast: 'miss', seed }, 'group')
    const [{ lane, number }] = of(together, 'caught') as [CaughtEvent]
    expect(of(together, 'cast')[0]!.lanes[lane]!.role).toBe('split')
    expect(number).toBeLessThanOrEqual(23)
    expect(of(together, 'success')).toEqual([{ ...of(events, 'success')[0]!, isElsewhere: true }])
  },
)

test('the attacker of the miss asks from four accounts in turn', async () => {
  const events = await play({ cast: 'miss' })
  const hostile = of(events, 'cast')[0]!.lanes.findIndex(({ isAttacker }) => isAttacker)
  const clients = of(events, 'query')
    .filter(({ lane }) => lane === hostile)
    .map(({ watched }) => watched.verdict.client.id)
  expect(new Set(clients).size).toBe(4)
  expect(clients.slice(4)).toEqual(clients.slice(0, -4))
})

/** A run and the watch over it. */
async function watched(): Promise<{ events: StoryEvent[]; watch: Watch }> {
  let watch: Watch | undefined
  const events = await play({}, 'client', {
    onWatch: (made) => {
      watch = made
    },
  })
  return { events, watch: watch! }
}

test('the state after any query is that which the operator saw then, and a run from it knows who is suspended', async () => {
  const { events, watch } = await watched()
  const queries = of(events, 'query')
  for (const count of [0, 1, 40, queries.length]) {
    const again = createWatch(4, { protection: true, base: watch.stateAt(count) })
    expect(again.describe()).toEqual(
      count === 0 ? of(events, 'cast')[0]!.description : queries[count - 1]!.watched.description,
    )
  }
  expect(() => watch.stateAt(queries.length + 1)).toThrow(/not yet to \d+; try again/)
  const hostile = of(events, 'caught')[0]!.lane
  const next = await play({}, 'client', { base: watch.stateAt(queries.length) })
  expect(of(events, 'cast')[0]!.remembered).toEqual([])
  expect(of(next, 'cast')[0]!.remembered).toEqual([hostile])
  expect(of(next, 'caught')).toEqual([])
  expect(of(next, 'query').some(({ lane }) => lane === hostile)).toBe(false)
  expect(of(next, 'refused')).toHaveLength(12)
  expect(of(next, 'done')[0]!.queries.filter((count) => count > 0)).toHaveLength(3)
})

test('a state of other detectors is refused, with its reason', () => {
  const base = createDetector('similarity').snapshot()
  expect(() => createWatch(4, { protection: true, base })).toThrow(/similarity/)
})

test('turns come by rate, and a taker that fails ends it all', async () => {
  const order: string[] = []
  const taker = (name: string, rate: number, count: number) => ({
    rate,
    run: async (turn: () => Promise<number>) => {
      for (let n = 0; n < count; n++) order.push(`${name}${await turn()}`)
    },
  })
  await takeTurns([taker('a', 1, 2), taker('b', 2, 4)], async () => {})
  expect(order).toEqual(['b500', 'a1000', 'b1000', 'b1500', 'a2000', 'b2000'])
  const broken = { rate: 1, run: async () => Promise.reject(new Error('broken')) }
  await expect(takeTurns([broken, taker('a', 1, 9)], async () => {})).rejects.toThrow('broken')
})

test('the climax comes after 14 seconds, whenever the stream has it, and the storyboard stops there', async () => {
  const events = await play()
  const climax = events.findIndex(({ kind }) => kind === 'caught')
  const player = new Player(({ kind }) => kind === 'caught')
  player.feed(events)
  let [seen, wall] = [0, 0]
  while (!player.isOver) {
    wall += 50
    seen += player.advance(50).length
    if (seen > climax) break
  }
  expect(wall).toBeGreaterThan(13_000)
  expect(wall).toBeLessThan(15_000)
  while (!player.isOver) wall += player.advance(50).length === -1 ? 0 : 50
  expect(wall).toBeLessThan(21_000)

  const stills = new Player(({ kind }) => kind === 'caught')
  stills.feed(events)
  const frames = [stills.step(), stills.step(), stills.step(), stills.step(), stills.step()]
  expect(frames.map((frame) => frame.some(({ kind }) => kind === 'caught'))).toEqual([false, false, false, true, false])
  expect(frames.flat()).toEqual(events)
  expect(
    frames
      .slice(0, 4)
      .flat()
      .filter((event) => event.kind === 'query' && isNear(event)).length,
  ).toBeGreaterThan(50)
})

test('a worker that dies in the middle is replaced, and the run goes on where it was', () => {
  const made: (WorkerLike & { sent: (Play | AskState)[]; dead: boolean })[] = []
  const told: StoryEvent[] = []
  let restarts = 0
  const runner = new Runner({
    make: () => {
      const worker = {
        sent: [] as (Play | AskState)[],
        dead: false,
        onmessage: null,
        onerror: null,
        postMessage: (message: Play | AskState) => worker.sent.push(message),
        terminate: () => {
          worker.dead = true
        },
      }
      made.push(worker)
      return worker
    },
    onEvents: (events) => told.push(...events),
    onReport: () => {},
    onProgress: () => {},
    onFailed: () => {},
    onRestart: () => restarts++,
  })
  const events = [1, 2, 3, 4].map((n): StoryEvent => ({ kind: 'refused', lane: 0, timeMs: n }))
  const say = (worker: number, from: number, to: number) => {
    const { sent, onmessage } = made[worker]!
    const data: FromWorker = { kind: 'events', id: sent.at(-1)!.id, events: events.slice(from, to) }
    onmessage?.({ data } as MessageEvent<FromWorker>)
  }
  runner.play(STORY, 'plain')
  say(0, 0, 3)
  runner.crash()
  expect(made[0]!.dead).toBe(true)
  say(1, 0, 2)
  say(1, 2, 4)
  expect(told).toEqual(events)
  expect(restarts).toBe(1)
})

test('the address carries the settings there and back, and nonsense in it means the defaults', () => {
  const settings = { ...STORY, attack: 'simba' as const, protection: false, seed: 77, speed: 2 }
  expect(readAddress(writeAddress(settings))).toEqual(settings)
  expect(readAddress('?seed=-3&attack=%3Cb%3E&speed=99&story=x')).toEqual(readAddress(''))
  expect(writeAddress(readAddress(''))).toBe('')
})
