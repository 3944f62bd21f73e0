/** What a client asks of a model that makes something up. */
import {
  type Answer,
  type ClientSpec,
  type InputOf,
  type Kind,
  type Outcome,
  type Picture,
  runSession,
  type Task,
} from '../../src/eval/index.ts'

export interface Heard<Input> extends Outcome {
  readonly inputs: readonly Input[]
  readonly times: readonly number[]
}

export interface Listening<K extends Kind, Config extends object> {
  readonly config?: Partial<Config>
  readonly seed?: number
  /** The logits of an input. Default: two zeros. */
  readonly logits?: (input: InputOf[K]) => readonly number[]
  /** What the client is told instead, from the query's number. */
  readonly says?: (number: number) => Answer | undefined
}

export async function listenTo<K extends Kind, Config extends object>(
  client: ClientSpec<K, Config>,
  task: Task<InputOf[K]>,
  { config, seed = 1, logits = () => [0, 0], says }: Listening<K, Config> = {},
): Promise<Heard<InputOf[K]>> {
  const inputs: InputOf[K][] = []
  const times: number[] = []
  const outcome = await runSession({
    client,
    ...(config !== undefined && { config }),
    victim: {
      name: 'made up',
      hash: '',
      kind: client.kind,
      classes: 2,
      answer: async (asked) => asked.map((input) => Float32Array.from(logits(input))),
    },
    task,
    seed,
    watchers: [
      {
        see({ input, number, timeMs }) {
          inputs.push(input)
          times.push(timeMs)
          return says?.(number)
        },
      },
    ],
  })
  return { ...outcome, inputs, times }
}

/** A task of colour pictures: waves of another phase each, so that all differ and none is flat. */
export function imageTask(side: number, budget: number, rest: Partial<Task<Picture>> = {}): Task<Picture> {
  return {
    source: waves(side, 0),
    label: 0,
    classes: 2,
    shape: { width: side, height: side, channels: 3 },
    budget,
    pool: Array.from({ length: 5 }, (_, n) => ({ input: waves(side, n + 1), label: 0 })),
    ...rest,
  }
}

/** Smooth colours over a picture, 0.1 … 0.9. */
export function waves(side: number, phase: number): Picture {
  return Float64Array.from({ length: side * side * 3 }, (_, i) => {
    const [row, column, c] = [Math.floor(i / (3 * side)), Math.floor(i / 3) % side, i % 3]
    return 0.5 + 0.2 * (Math.sin(row / 5 + phase + c) + Math.cos((column * (c + 1)) / 9 - phase))
  })
}
