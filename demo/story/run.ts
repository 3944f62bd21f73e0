/** The story itself: four clients at one model under one watch, from a seed. Knows neither clock nor document. */
import { type AnswerFollowingMetadata, type Snapshot, softmax } from '../../src/core/index.ts'
import {
  type AnyClient,
  answerOf,
  createRandom,
  type Labelled,
  type Oracle,
  type Picture,
  type Random,
  REFUSED,
  runSession,
  seedOf,
  type Task,
} from '../../src/eval/index.ts'
import { ROLES } from './cast.ts'
import { DIGIT_SHAPE, drawnDigits } from './drawnDigits.ts'
import type { LaneInfo, Shown, StoryConfig, StoryEvent, SuccessEvent } from './events.ts'
import { placeOf } from './place.ts'
import { seatsOf } from './seats.ts'
import { takeTurns } from './turns.ts'
import { createWatch, eightBits, type Watch } from './watch.ts'
import type { WatchScope } from './watchConfig.ts'

/** Digits that the clients know. */
const POOL = 60
/** Refused queries after which a suspended client gives up. */
const PATIENCE = 12

export interface Stage {
  /** What answers: the network in TypeScript, or a runtime. */
  readonly answer: (picture: Picture) => Promise<Float32Array>
  /** A clock in ms, for what the page says of the cost. */
  readonly now: () => number
  /** Called between two queries; may throw to end the run. */
  readonly pause: () => Promise<void>
  readonly onEvent: (event: StoryEvent) => void
  /** Whether accounts of one user are watched together. Default `client`: each by itself. */
  readonly scope?: WatchScope
  /** A state that the monitor goes on from. Default: none. */
  readonly base?: Snapshot | undefined
  /** Told the watch before the first query. */
  readonly onWatch?: (watch: Watch) => void
}

interface Lane extends LaneInfo {
  readonly index: number
  readonly task: Task<Picture>
  readonly seed: number
}

/** Thrown to a client that has been refused often enough. */
class GivenUp extends Error {}

/** Runs it to its end. */
export async function runStory(config: StoryConfig, stage: Stage): Promise<void> {
  const lanes = await lanesOf(config, stage)
  const watch = createWatch(lanes.length, { protection: config.protection, scope: stage.scope, base: stage.base })
  stage.onWatch?.(watch)
  stage.onEvent({
    kind: 'cast',
    lanes: lanes.map(({ role, isAttacker }) => ({ role, isAttacker })),
    description: watch.describe(),
    remembered: lanes.map(({ index }) => index).filter((lane) => !watch.admits({ lane }, 0)),
  })
  const runs = lanes.map((lane) => new LaneRun(lane, watch, stage))
  await takeTurns(
    runs.map((run) => ({ rate: ROLES[run.lane.role].rate, run: (turn) => run.play(turn) })),
    stage.pause,
  )
  const [queries, alike] = [runs.map((run) => run.asked), runs.map((run) => run.alike)]
  stage.onEvent({ kind: 'done', queries, alike })
}

/** Sources that the model gets right, the attacker's own among them. */
async function lanesOf(config: StoryConfig, { answer }: Stage): Promise<Lane[]> {
  const digits: Labelled<Picture>[] = []
  for (const digit of drawnDigits(2 * POOL, createRandom(seedOf(config.seed, 'digits')))) {
    if (answerOf(await answer(digit.input)).label === digit.label) digits.push(digit)
  }
  const random = createRandom(seedOf(config.seed, 'sources'))
  const order = random.shuffled(digits)
  return seatsOf(config).map((seat, index) => {
    const { input: source, label } = order[index]!
    const pool = order.slice(4, 4 + POOL)
    const { budget } = ROLES[seat.role]
    const task = { source, label, classes: 10, shape: DIGIT_SHAPE, budget, pool }
    return { ...seat, index, task, seed: seedOf(config.seed, seat.role) }
  })
}

/** One client's session. */
class LaneRun {
  readonly lane: Lane
  readonly #watch: Watch
  readonly #stage: Stage
  asked = 0
  alike = 0
  #refused = 0
  #isCaught = false
  /** The query on its way: when it is due, and from which of the client's accounts. */
  #timeMs = 0
  #account = 0

  constructor(lane: Lane, watch: Watch, stage: Stage) {
    this.lane = lane
    this.#watch = watch
    this.#stage = stage
  }

  async play(turn: () => Promise<number>): Promise<void> {
    const { task, role, seed, isAttacker } = this.lane
    const { client, config } = ROLES[role]
    let last: Picture = task.source
    const victim = {
      name: 'digits',
      hash: '',
      kind: 'image' as const,
      classes: 10,
      answer: async ([input]: readonly Picture[]) => {
        this.#timeMs = await turn()
        last = input!
        if (!this.#isAdmitted()) return [this.#refuse()]
        return [await this.#ask(input!)]
      },
    }
    const watchers = [{ see: ({ logits }: { logits: Float32Array }) => (logits.length === 0 ? REFUSED : undefined) }]
    try {
      const asked = oneByOne(client, (account) => {
        this.#account = account
      })
      const outcome = await runSession({ client: asked, config, victim, task, seed, watchers })
      if (isAttacker && outcome.success !== undefined) await this.#succeed(last, this.asked, false)
    } catch (thrown) {
      if (!(thrown instanceof GivenUp)) throw thrown
    }
  }

  #refuse(): Float32Array {
    this.#stage.onEvent({ kind: 'refused', lane: this.lane.index, timeMs: this.#timeMs })
    if (++this.#refused >= PATIENCE) throw new GivenUp()
    return new Float32Array()
  }

  async #ask(input: Picture): Promise<Float32Array> {
    const { index: lane } = this.lane
    const { now, answer, onEvent } = this.#stage
    const from = now()
    const logits = await answer(input)
    const answered = now()
    const seen = this.#watch.see({ lane, account: this.#account, timeMs: this.#timeMs, input, logits })
    const seenMs = now()
    const ms = seenMs - from
    const number = ++this.asked
    if (seen.isAlike) this.alike++
    const { score, nearest, isAlike, following } = seen
    onEvent({
      kind: 'query',
      lane,
      number,
      timeMs: this.#timeMs,
      ...shownOf(input, logits),
      place: placeOf(logits),
      nearest,
      score,
      margin: following.margin,
      isAlike,
      ms,
      watched: { ...seen.watched, detectMs: seenMs - answered },
    })
    if (seen.isSuspicious && !this.#isCaught) await this.#catch(number, seen.reason, following)
    return seen.isSuspended ? new Float32Array() : logits
  }

  async #catch(number: number, reason: string, following: AnswerFollowingMetadata): Promise<void> {
    this.#isCaught = true
    const { index: lane, isAttacker } = this.lane
    this.#stage.onEvent({ kind: 'caught', lane, number, reason, following })
    if (!isAttacker) return
    const found = await unwatched(this.lane, this.#stage)
    if (found !== undefined) await this.#succeed(found.input, found.number, true)
  }

  async #succeed(input: Picture, number: number, isElsewhere: boolean): Promise<void> {
    if (isElsewhere && this.#isAdmitted()) return // without protection the run itself goes on to its success
    this.#stage.onEvent(await successOf(this.lane, { input, number, isElsewhere }, this.#stage))
  }

  #isAdmitted(): boolean {
    return this.#watch.admits({ lane: this.lane.index, account: this.#account }, this.#timeMs)
  }
}

async function successOf(
  { index: lane, task }: Lane,
  { input, number, isElsewhere }: { readonly input: Picture; readonly number: number; readonly isElsewhere: boolean },
  { answer }: Stage,
): Promise<SuccessEvent> {
  const original = shownOf(task.source, await answer(task.source))
  const adversarial = shownOf(input, await answer(input))
  let change = 0
  for (let i = 0; i < input.length; i++) change = Math.max(change, 255 * Math.abs(input[i]! - task.source[i]!))
  return { kind: 'success', lane, number, isElsewhere, original, adversarial, change }
}

/** Where the same attack, with the same random numbers, would have succeeded if nobody had watched. */
async function unwatched(
  { role, task, seed }: Lane,
  { answer, pause }: Stage,
): Promise<{ readonly input: Picture; readonly number: number } | undefined> {
  const { client, config } = ROLES[role]
  let last: Picture = task.source
  const victim = {
    name: 'digits',
    hash: '',
    kind: 'image' as const,
    classes: 10,
    answer: async ([input]: readonly Picture[]) => {
      last = input!
      await pause()
      return [await answer(last)]
    },
  }
  const { success } = await runSession({ client: oneByOne(client), config, victim, task, seed })
  return success === undefined ? undefined : { input: last, number: success }
}

/** The client with its questions asked one after the other, so that others get their turn between any two. */
function oneByOne(client: AnyClient, onAsk: (account: number) => void = () => {}): AnyClient {
  return {
    ...client,
    run: (oracle: Oracle<Picture>, task: Task<Picture>, config: object) =>
      client.run(slowed(oracle, onAsk), task, config),
  }
}

function slowed(oracle: Oracle<Picture>, onAsk: (account: number) => void): Oracle<Picture> {
  const ask: Oracle<Picture>['ask'] = (input, how) => {
    onAsk(how?.account ?? 0)
    return oracle.ask(input, how)
  }
  return {
    random: oracle.random as Random,
    get left() {
      return oracle.left
    },
    ask,
    askAll: async (inputs, how) => {
      const answers = []
      for (const input of inputs) answers.push(await ask(input, how)) // in order: that is the point
      return answers
    },
    note: (name, value) => oracle.note(name, value),
  }
}

/** A picture with what the model says of it. */
export function shownOf(input: Picture, logits: Float32Array): Shown {
  const { label } = answerOf(logits)
  return { picture: eightBits(input), label, sure: softmax(logits)[label]! }
}
