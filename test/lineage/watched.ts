/** One client at the watched network: what it asks goes past detectors, and ends where the study ends it. */
import { createDetector, type DescentLineageConfig } from '../../src/core/index.ts'
import { normal, random } from '../tools/random.ts'
import { largest, SIZE, type Source, type Target } from './target.ts'

/** What became of a session. Queries are counted from 1; Infinity means never. */
export interface Outcome {
  readonly queries: number
  /** The first query that the network gets wrong, of sessions that end there. */
  readonly success: number
  /** The first alarm by rule M and by rule S, for each configuration. */
  readonly alarms: Readonly<Record<string, { readonly M: number; readonly S: number }>>
  /** The longest path of adoptions, under the first configuration. */
  readonly longest: number
}

export interface SessionOptions {
  readonly target: Target
  readonly source: Source
  readonly configs: Readonly<Record<string, Partial<DescentLineageConfig>>>
  readonly budget: number
  /** An attack ends at the first wrong answer no further than this from the source (L∞). Undefined: no attack. */
  readonly successWithin?: number
  readonly seed: number
}

/** What a client sees of the network. */
export interface Network {
  readonly source: Source
  /** Numbers in [0, 1). */
  readonly next: () => number
  whole(count: number): number
  noise(): Float64Array
  /** The logits of one picture. */
  ask(x: Float64Array): Promise<number[]>
  /** The logits of several pictures, asked one after the other. */
  askAll(pictures: readonly Float64Array[]): Promise<number[][]>
}

/** The budget is spent, or the attack has succeeded. */
class Ended extends Error {}

export class Session implements Network {
  readonly source: Source
  readonly next: () => number
  readonly #options: SessionOptions
  readonly #watched
  #queries = 0
  #success = Infinity
  #longest = 0

  constructor(options: SessionOptions) {
    this.source = options.source
    this.next = random(options.seed)
    this.#options = options
    this.#watched = Object.entries(options.configs).map(([name, config]) => ({
      name,
      detector: createDetector('descent_lineage', { outputs: 'logits', ...config }),
      M: Infinity,
      S: Infinity,
    }))
  }

  async ask(x: Float64Array): Promise<number[]> {
    return (await this.askAll([x]))[0]!
  }

  async askAll(pictures: readonly Float64Array[]): Promise<number[][]> {
    const answers = await this.#options.target(pictures)
    for (const [i, x] of pictures.entries()) this.#see(x, answers[i]!)
    return answers
  }

  #see(x: Float64Array, logits: number[]): void {
    const { budget, successWithin = -1, source } = this.#options
    if (this.#queries === budget) throw new Ended()
    this.#queries++
    for (const one of this.#watched) {
      const { metadata } = one.detector.process({ vector: x, probabilities: logits })
      if (metadata.rule !== null) one.M = Math.min(one.M, this.#queries)
      if (metadata.rule === 'S') one.S = Math.min(one.S, this.#queries)
      if (one === this.#watched[0]) this.#longest = Math.max(this.#longest, metadata.length)
    }
    if (largest(logits) === source.label) return
    if (x.some((v, i) => Math.abs(v - source.x[i]!) > successWithin)) return
    this.#success = this.#queries
    throw new Ended()
  }

  whole(count: number): number {
    return Math.floor(count * this.next())
  }

  noise(): Float64Array {
    return Float64Array.from({ length: SIZE }, () => normal(this.next))
  }

  async run(client: (network: Network) => Promise<void>): Promise<Outcome> {
    try {
      await client(this)
    } catch (thrown) {
      if (!(thrown instanceof Ended)) throw thrown
    }
    const alarms = Object.fromEntries(this.#watched.map(({ name, M, S }) => [name, { M, S }]))
    return { queries: this.#queries, success: this.#success, alarms, longest: this.#longest }
  }
}
