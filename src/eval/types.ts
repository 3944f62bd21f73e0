/** What an evaluation is made of: models that answer, clients that ask, and what is written down of it. */
import type { Row } from '../core/index.ts'
import type { Random } from './random.ts'

/** A picture: row by row, channels interleaved, 0 … 1. */
export type Picture = Float64Array

/** What pictures of one model look like. */
export interface Shape {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
}

export interface InputOf {
  readonly image: Picture
  readonly text: string
  readonly tabular: Row
}

/** What the clients of a session ask about. */
export type Kind = keyof InputOf

/** What the model says of one input. */
export interface Answer {
  /** One number a class, in nats, up to a constant: logits, or logarithms of probabilities. Empty if refused. */
  readonly logits: Float32Array
  /** The class of the largest, the first of equals; −1 if refused. */
  readonly label: number
  /** True if whoever watches let no answer out. */
  readonly refused: boolean
}

/** A model under watch. */
export interface Victim<K extends Kind = Kind> {
  /** Such as `cifar10_resnet20`. */
  readonly name: string
  /** SHA-256 of its file, hex; or of whatever decides on its answers. */
  readonly hash: string
  readonly kind: K
  readonly classes: number
  /** The logits of each input, in their order. */
  answer(inputs: readonly InputOf[K][]): Promise<Float32Array[]>
}

/** How a query is asked. */
export interface AskOptions {
  /** Which of the attacker's accounts asks, from 0 on. Default 0. */
  readonly account?: number
  /** When, ms since the session's start. Default: one second after the query before. */
  readonly timeMs?: number
  /** True for queries whose answer nobody wants. Default false. */
  readonly isFiller?: boolean
}

/**
 * What a client sees of the model. When the queries are spent or the aim is reached, `ask` throws and the session is over:
 * clients need no ending of their own.
 */
export interface Oracle<Input> {
  readonly random: Random
  /** Queries that may still be asked. */
  readonly left: number
  ask(input: Input, options?: AskOptions): Promise<Answer>
  /** Asks one after the other; faster where no question depends on the answer before. */
  askAll(inputs: readonly Input[], options?: AskOptions): Promise<Answer[]>
  /** Writes down a figure of the client's own at the query asked last, such as `fidelity` of a surrogate; the last counts. */
  note(name: string, value: number): void
}

/** Figures of the client's own by the query at which they were taken, ascending. */
export type Figures = Readonly<Record<string, readonly (readonly [query: number, value: number])[]>>

/** What a client works on. */
export interface Task<Input> {
  readonly source: Input
  /** The true class of the source. */
  readonly label: number
  readonly classes: number
  /** The shape of pictures; 1 × 1 × 1 for everything else. */
  readonly shape: Shape
  /** Queries that may be asked in all, the first ones included. */
  readonly budget: number
  /** Other inputs that people send, never the source: fillers, starting points, unrelated data. */
  readonly pool: readonly Labelled<Input>[]
  /** Inputs that no client asks: what a stolen copy is judged on. Default: a part of the pool, which is then not asked. */
  readonly heldOut?: readonly Labelled<Input>[]
}

export interface Labelled<Input> {
  readonly input: Input
  readonly label: number
  /** The class that the model says, where somebody found out beforehand: for figures only, no client may look. */
  readonly said?: number
}

/**
 * What a client is:
 * - `evasion`: looks for a wrong answer near its source · `extraction`: for a copy of the model · `misuse`: for a way round
 *   what a text model refuses
 * - `benign`: an honest one · `equivalent`: does what an attack does, on purpose and with leave; never counted as either
 */
export type Role = 'evasion' | 'extraction' | 'misuse' | 'benign' | 'equivalent'

/** E: unrelated inputs and explainers · D: optimisers with honest aims · F: near-duplicates of all kinds. */
export type Profile = 'E' | 'D' | 'F'

/** One kind of client. */
export interface ClientSpec<K extends Kind = Kind, Config extends object = Readonly<Record<string, unknown>>> {
  /** Unique: `simba`, `square`, `lime`. */
  readonly name: string
  readonly kind: K
  readonly role: Role
  /** Of benign clients. */
  readonly profile?: Profile
  /** What of the answers it uses. */
  readonly sees: 'nothing' | 'label' | 'probabilities'
  readonly summary: string
  readonly paper?: string
  /** Every option with its default. */
  readonly defaults: Config
  /** True for the query that reaches the aim, and ends the session. Default for evasion: a label other than the source's. */
  readonly succeeds?: (config: Config, task: Task<InputOf[K]>) => (input: InputOf[K], answer: Answer) => boolean
  /** Asks until it is done; the oracle ends it otherwise. */
  run(oracle: Oracle<InputOf[K]>, task: Task<InputOf[K]>, config: Config): Promise<void>
}

/** One query of a session as it was asked and answered. */
export interface Asked<Input> {
  /** Counted from 1. */
  readonly number: number
  readonly input: Input
  /** What the model said, whether or not it was let out. */
  readonly logits: Float32Array
  readonly account: number
  readonly timeMs: number
  readonly isFiller: boolean
}

/** Whoever watches a session, query by query. What it returns goes to the client; nothing: the model's own answer. */
export interface Watcher<Input> {
  see(asked: Asked<Input>): Answer | undefined
}
