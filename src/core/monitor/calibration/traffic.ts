/** Benign traffic as its scores: who asked when, and what each detector said. */
import { hashOfNumbers, ScoreLog } from '../../calibration/scoreLog.ts'

/** Of a query whose client or group has no name. */
export const NOBODY = -1

/** One query. */
export interface Asked {
  /** '' where it has no name. */
  readonly client: string
  readonly group: string
  readonly timeMs: number
  /** The monitor had forgotten the client, or never knew it. */
  readonly isNew: boolean
  /** The score of each detector; NaN where it did not judge. */
  readonly scores: Float64Array
}

/** Numbers names from 0 on; '' is {@link NOBODY}. */
class Names {
  readonly #numbers = new Map<string, number>()

  get count(): number {
    return this.#numbers.size
  }

  numberOf(name: string): number {
    if (name === '') return NOBODY
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.#numbers.size)
    return this.#numbers.size - 1
  }
}

export class Traffic {
  readonly #clients = new Names()
  readonly #groups = new Names()
  readonly clientOf = new ScoreLog()
  readonly groupOf = new ScoreLog()
  readonly timesMs = new ScoreLog()
  /** 1 where a client begins, or begins anew. */
  readonly isNew = new ScoreLog()
  /** By detector. */
  readonly scores: readonly ScoreLog[]

  constructor(detectors: number) {
    this.scores = Array.from({ length: detectors }, () => new ScoreLog())
  }

  get queries(): number {
    return this.timesMs.count
  }

  get clients(): number {
    return this.#clients.count
  }

  get groups(): number {
    return this.#groups.count
  }

  add({ client, group, timeMs, isNew, scores }: Asked): void {
    this.clientOf.push(this.#clients.numberOf(client))
    this.groupOf.push(this.#groups.numberOf(group))
    this.timesMs.push(timeMs)
    this.isNew.push(isNew ? 1 : 0)
    for (let i = 0; i < scores.length; i++) this.scores[i]!.push(scores[i]!)
  }

  /** The scores of a detector by client or by group, in their order, without gaps. */
  scoresBy(units: Float64Array, count: number, detector: number): Float64Array[] {
    const lists = Array.from({ length: count }, () => new ScoreLog())
    const scores = this.scores[detector]!.values
    for (let i = 0; i < scores.length; i++) {
      const unit = units[i]!
      if (unit !== NOBODY && !Number.isNaN(scores[i]!)) lists[unit]!.push(scores[i]!)
    }
    return lists.map((list) => list.values)
  }

  /** Of each group the number of its clients that have a name. */
  clientsByGroup(): Uint32Array {
    const members = Array.from({ length: this.groups }, () => new Set<number>())
    const clients = this.clientOf.values
    for (const [i, group] of this.groupOf.values.entries()) {
      if (group !== NOBODY && clients[i] !== NOBODY) members[group]!.add(clients[i]!)
    }
    return Uint32Array.from(members, ({ size }) => size)
  }

  /** SHA-256 of everything. */
  hash(): string {
    const { clientOf, groupOf, timesMs, scores } = this
    return hashOfNumbers([clientOf, groupOf, timesMs, ...scores].map((log) => log.values))
  }
}
