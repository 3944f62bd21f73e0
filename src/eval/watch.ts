/** Detectors over a session: what each said, and, if wanted, what the client is told in place of the model's answer. */
import {
  createRegistry,
  type Detector,
  isPlainObject,
  type PreparedDetector,
  type Registry,
  refuse,
} from '../core/index.ts'
import { answerOf, REFUSED } from './answers.ts'
import { quantile } from './metrics.ts'
import { type Observe, observerOf, QueryFeatures, type Scene, splitOptions } from './observe.ts'
import type { Watched } from './results.ts'
import type { Answer, Asked, InputOf, Kind, Shape, Watcher } from './types.ts'

/** A detector with its options, and how it is set up in a session. */
export interface DetectorChoice {
  /** In the registry. */
  readonly name: string
  /** `client`: one state an account, and the first alarm of any of them counts. `global`: one over all. Default `client`. */
  readonly scope?: 'client' | 'global'
  /**
   * What a client is told of a suspicious query: `none`: the model's answer; `reject`: that it is refused; `silent`: the last
   * answer that its account got before its first suspicious query, so that it sees no refusal (the model's own, if the first
   * query is suspicious already). Default `none`.
   */
  readonly enforce?: 'none' | 'reject' | 'silent'
  readonly [option: string]: unknown
}

/** By label: one detector may be there several times. */
export type DetectorChoices = Readonly<Record<string, DetectorChoice>>

export interface WatchOptions<K extends Kind> {
  readonly kind: K
  readonly shape: Shape
  /** Where the names are looked up. Default: the built-in detectors. */
  // biome-ignore lint/suspicious/noExplicitAny: any registry will do
  readonly registry?: Registry<any>
  /** A clock in ms, for the cost. Default `performance.now`. */
  readonly now?: () => number
}

/** A watcher that tells at the end what it saw. */
export interface SessionWatcher<Input> extends Watcher<Input> {
  /** By the detector's label. */
  results(): Record<string, Watched>
}

/** Makes the detectors anew: one watcher for one session. Throws `bad_config`, with the label in its path. */
export function watchDetectors<K extends Kind>(
  detectors: DetectorChoices,
  { kind, shape, registry = createRegistry(), now = () => performance.now() }: WatchOptions<K>,
): SessionWatcher<InputOf[K]> {
  const scene: Scene = { kind, shape, now }
  const all = Object.entries(detectors).map(([label, choice]) => new Watch(label, choice, kind, registry))
  const guard = new Guard()
  return {
    see(asked) {
      const features = new QueryFeatures(asked, scene)
      const verdicts = all.filter((watch) => watch.see(features)).map(({ enforce }) => enforce)
      return guard.answer(asked, verdicts)
    },
    results: () => Object.fromEntries(all.map((watch) => [watch.label, watch.result()])),
  }
}

/** Shares of a session at which its scores are written down. */
const SHARES = Array.from({ length: 21 }, (_, i) => i / 20)
const SETUP = { scope: ['client', 'global'], enforce: ['none', 'reject', 'silent'] } as const

/** One detector, with a state for each account. */
class Watch {
  readonly label: string
  readonly enforce: 'none' | 'reject' | 'silent'
  readonly #isGlobal: boolean
  readonly #observe: Observe
  readonly #prepared: PreparedDetector<unknown, unknown>
  readonly #states = new Map<number, Detector<unknown>>()
  readonly #records: [number, number][] = []
  readonly #scores: number[] = []
  readonly #micros: number[] = []
  #firstAlarm: number | undefined
  #flagged = 0
  #errors = 0
  #error: string | undefined
  #bytes = 0
  #peakBytes = 0

  // biome-ignore lint/suspicious/noExplicitAny: any registry will do
  constructor(label: string, choice: DetectorChoice, kind: Kind, registry: Registry<any>) {
    const path = `detectors.${label}`
    if (!isPlainObject(choice)) refuse('bad_config', 'must be { name, …options }', choice, path)
    const { name, scope = 'client', enforce = 'none', ...config } = choice
    for (const [key, value] of Object.entries({ scope, enforce })) {
      const known: readonly string[] = SETUP[key as keyof typeof SETUP]
      if (!known.includes(value)) refuse('bad_config', `must be ${known.join(' or ')}`, value, `${path}.${key}`)
    }
    const spec = registry.find(name, `${path}.name`)
    this.label = label
    this.enforce = enforce
    this.#isGlobal = scope === 'global'
    this.#observe = observerOf(spec, config, kind, path)
    this.#prepared = registry.prepareDetector(name, splitOptions(spec, config).options)
    this.#stateOf(0)
  }

  #stateOf(account: number): Detector<unknown> {
    const at = this.#isGlobal ? 0 : account
    const known = this.#states.get(at)
    if (known !== undefined) return known
    const made = this.#prepared.make()
    this.#states.set(at, made)
    this.#grow(made.bytes())
    return made
  }

  #grow(by: number): void {
    this.#bytes += by
    if (this.#bytes > this.#peakBytes) this.#peakBytes = this.#bytes
  }

  /** True if the query is suspicious. One that the detector refuses is counted and is not. */
  see(features: QueryFeatures): boolean {
    const { asked, scene } = features
    const detector = this.#stateOf(asked.account)
    const before = detector.bytes()
    features.spentMs = 0
    try {
      const observation = this.#observe(features)
      const from = scene.now()
      const { score, suspicious } = detector.process(observation)
      this.#micros.push(1000 * (features.spentMs + scene.now() - from))
      this.#score(asked.number, score, suspicious)
      return suspicious
    } catch (thrown) {
      this.#errors++
      this.#error ??= `query ${asked.number}: ${thrown instanceof Error ? thrown.message : String(thrown)}`
      return false
    } finally {
      this.#grow(detector.bytes() - before)
    }
  }

  #score(query: number, score: number, suspicious: boolean): void {
    this.#scores.push(score)
    if (score > (this.#records.at(-1)?.[1] ?? -Infinity)) this.#records.push([query, score])
    if (!suspicious) return
    this.#flagged++
    this.#firstAlarm ??= query
  }

  result(): Watched {
    const ascending = Float64Array.from(this.#scores).sort()
    const micros = Float64Array.from(this.#micros).sort()
    return {
      records: this.#records,
      firstAlarm: this.#firstAlarm,
      flagged: this.#flagged,
      quantiles: ascending.length === 0 ? [] : SHARES.map((share) => quantile(ascending, share)),
      errors: this.#errors,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      peakBytes: this.#peakBytes,
      micros: { median: rounded(quantile(micros, 0.5)), p99: rounded(quantile(micros, 0.99)) },
    }
  }
}

/** To a tenth; 0 of no query at all. */
function rounded(micros: number): number {
  return Number.isNaN(micros) ? 0 : Math.round(10 * micros) / 10
}

/** What is let out to each account. */
class Guard {
  /** The last answer before the account's first suspicious query. */
  readonly #last = new Map<number, { readonly answer: Answer; isFinal: boolean }>()

  answer({ account, logits }: Asked<unknown>, verdicts: readonly DetectorChoice['enforce'][]): Answer | undefined {
    if (verdicts.includes('reject')) return REFUSED
    const last = this.#last.get(account)
    if (!verdicts.includes('silent')) {
      if (last?.isFinal !== true) this.#last.set(account, { answer: answerOf(logits), isFinal: false })
      return undefined
    }
    if (last === undefined) {
      this.#last.set(account, { answer: answerOf(logits), isFinal: true })
      return undefined
    }
    last.isFinal = true
    return last.answer
  }
}
