/** One client at one model: it asks until it is done, its budget is spent or its aim is reached. */
import { answerOf } from './answers.ts'
import { createRandom } from './random.ts'
import type {
  Answer,
  Asked,
  AskOptions,
  ClientSpec,
  Figures,
  InputOf,
  Kind,
  Oracle,
  Task,
  Victim,
  Watcher,
} from './types.ts'

/** What became of a session. Queries are counted from 1. */
export interface Outcome {
  readonly queries: number
  /** The query that reached the aim; undefined if none did, or if the client has none. */
  readonly success: number | undefined
  /** What the client noted; undefined if nothing. */
  readonly figures?: Figures
}

export interface SessionOptions<K extends Kind, Config extends object> {
  readonly client: ClientSpec<K, Config>
  readonly config?: Partial<Config>
  readonly victim: Victim<K>
  readonly task: Task<InputOf[K]>
  readonly seed: number
  /** They see every query in order; the first answer that one of them gives goes to the client. */
  readonly watchers?: readonly Watcher<InputOf[K]>[]
}

const SECOND_MS = 1000

/** Thrown to the client when its session is over. */
class Ended extends Error {}

export async function runSession<K extends Kind, Config extends object>(
  options: SessionOptions<K, Config>,
): Promise<Outcome> {
  const { client, victim, task, watchers = [] } = options
  const config = { ...client.defaults, ...options.config }
  const succeeds = (client.succeeds ?? (client.role === 'evasion' ? misclassified : undefined))?.(config, task)
  let queries = 0
  let success: number | undefined
  let isOver = false
  let timeMs = 0
  const figures: Record<string, [query: number, value: number][]> = {}
  const oracle: Oracle<InputOf[K]> = {
    random: createRandom(options.seed),
    get left() {
      return task.budget - queries
    },
    ask: async (input, how) => (await askAll([input], how))[0]!,
    askAll,
    note,
  }
  try {
    await client.run(oracle, task, config)
  } catch (thrown) {
    if (!(thrown instanceof Ended)) throw thrown
  }
  return { queries, success, ...(Object.keys(figures).length > 0 && { figures }) }

  function note(name: string, value: number): void {
    figures[name] ??= []
    const noted = figures[name]
    if (noted.at(-1)?.[0] === queries) noted.pop()
    noted.push([queries, value])
  }

  async function askAll(inputs: readonly InputOf[K][], how: AskOptions = {}): Promise<Answer[]> {
    if (isOver) throw new Ended()
    const asked = inputs.slice(0, task.budget - queries)
    const answers: Answer[] = []
    if (asked.length > 0) {
      for (const [i, logits] of (await victim.answer(asked)).entries()) answers.push(take(asked[i]!, logits, how))
    }
    if (asked.length < inputs.length) end()
    return answers
  }

  function take(
    input: InputOf[K],
    logits: Float32Array,
    { account = 0, isFiller = false, ...how }: AskOptions,
  ): Answer {
    queries++
    timeMs = how.timeMs ?? timeMs + SECOND_MS
    const seen: Asked<InputOf[K]> = { number: queries, input, logits, account, timeMs, isFiller }
    const said = watchers.map((watcher) => watcher.see(seen)).find((answer) => answer !== undefined)
    const own = answerOf(logits)
    const answer = said ?? own
    // Judged on what the model says, even where the client is told something else: it may find out elsewhere.
    if (!isFiller && !answer.refused && succeeds?.(input, own)) {
      success = queries
      end()
    }
    return answer
  }

  function end(): never {
    isOver = true
    throw new Ended()
  }
}

/** The aim of evasion where nothing else is said. */
export function misclassified<Input>(_: object, task: Task<Input>): (input: Input, answer: Answer) => boolean {
  return (_input, { label }) => label !== task.label
}
