/** How attackers disguise what they ask: an attack goes on as it is, between it and the model stands one who asks otherwise. */
import { MonitorError } from '../../../core/index.ts'
import type { Answer, AskOptions, ClientSpec, InputOf, Kind, Oracle, Task } from '../../types.ts'

/** A disguised attack: its own options, and the disguise's under its name. */
export type Wrapped<K extends Kind, Config extends object, Name extends string, Settings> = ClientSpec<
  K,
  Config & Readonly<Record<Name, Settings>>
>

interface Disguise<K extends Kind, Name extends string, Settings> {
  readonly name: Name
  readonly settings: Settings
  /** What the attacker does, to follow the attack's summary. */
  readonly summary: string
  /** The oracle that the attack gets. */
  readonly oracle: (oracle: Oracle<InputOf[K]>, task: Task<InputOf[K]>, settings: Settings) => Oracle<InputOf[K]>
  /** The attack's budget, of the session's: less where the disguise costs queries. Default: all. */
  readonly budget?: (budget: number, settings: Settings) => number
}

export function wrap<K extends Kind, Config extends object, const Name extends string, Settings>(
  attack: ClientSpec<K, Config>,
  disguise: Disguise<K, Name, Settings>,
): Wrapped<K, Config, Name, Settings> {
  const { name, settings, summary, budget = (all) => all } = disguise
  const defaults = { ...attack.defaults, [name]: settings } as Config & Readonly<Record<Name, Settings>>
  return Object.freeze({
    ...attack,
    name: `${snakeCase(name)}_${attack.name}`,
    summary: `${attack.summary}; ${summary}`,
    defaults,
    async run(oracle: Oracle<InputOf[K]>, task: Task<InputOf[K]>, config: Config & Readonly<Record<Name, Settings>>) {
      const chosen = { ...settings, ...config[name] }
      const asked = disguise.oracle(oracle, task, chosen)
      await attack.run(asked, { ...task, budget: budget(task.budget, chosen) }, config)
    },
  })
}

/** An oracle that asks with `ask`, one after the other. */
export function askingBy<Input>(
  oracle: Oracle<Input>,
  ask: (input: Input, how: AskOptions | undefined) => Promise<Answer>,
): Oracle<Input> {
  return {
    ...oracle,
    get left() {
      return oracle.left
    },
    ask,
    async askAll(inputs, how) {
      const answers: Answer[] = []
      for (const input of inputs) answers.push(await ask(input, how))
      return answers
    },
  }
}

/** An oracle that is shown every input changed. */
export function askingFor<Input>(oracle: Oracle<Input>, change: (input: Input) => Input): Oracle<Input> {
  return {
    ...oracle,
    get left() {
      return oracle.left
    },
    ask: (input, how) => oracle.ask(change(input), how),
    askAll: (inputs, how) => oracle.askAll(inputs.map(change), how),
  }
}

/** Inputs of the pool, drawn at random, as fillers. */
export function poolOf<Input>({ random }: Oracle<Input>, { pool }: Task<Input>, name: string): () => Input {
  if (pool.length === 0) {
    throw new MonitorError('bad_config', 'needs inputs of other people to ask between; the pool is empty', name)
  }
  return () => random.pick(pool).input
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
