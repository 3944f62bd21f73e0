/** Queries for inputs that are alike, and the evidence that their margins fall. */
import { refuse } from '../../checkers.ts'
import { finish32, fold32 } from '../../hash.ts'
import { readDoubles, readNumber, readState } from '../../state.ts'
import { PowerProcess, SequentialRanks } from '../../stats/index.ts'
import type { PlainData } from '../../types.ts'

/** Estimated bytes beside the margins. */
const GROUP_BYTES = 200

export class MarginGroup {
  readonly id: number
  /** The class of the first query: the one whose margin is followed. */
  readonly reference: number
  /** Its place among the groups that were tested, from 1; 0 before it is. */
  number = 0
  readonly #ranks: SequentialRanks
  readonly #evidence = new PowerProcess()
  #lastP = 1

  constructor(id: number, reference: number, capacity: number) {
    this.id = id
    this.reference = reference
    this.#ranks = new SequentialRanks(capacity)
  }

  /** Members besides the first. */
  get members(): number {
    return this.#evidence.count
  }

  /** ln of the e-process: a martingale while the order of the margins is that of chance. */
  get logE(): number {
    return this.#evidence.logE
  }

  /** Of the last member: small for a low margin. */
  get lastP(): number {
    return this.#lastP
  }

  /** Takes a margin in; the coin for ties comes from the key. */
  push(margin: number, key: number): void {
    this.#lastP = this.#ranks.push(-margin, coin(key, this.id, this.members))
    this.#evidence.push(this.#lastP)
  }

  bytes(): number {
    return GROUP_BYTES + this.#ranks.bytes()
  }

  save(): PlainData {
    const { id, reference, number } = this
    const lastP = this.#lastP
    return { id, reference, number, lastP, ranks: this.#ranks.save(), evidence: this.#evidence.save() }
  }

  /** Throws `bad_snapshot`. */
  static read(value: unknown, path: string, capacity: number): MarginGroup {
    const saved = readState(value as PlainData, ['id', 'reference', 'number', 'lastP', 'ranks', 'evidence'])
    const id = readNumber(saved['id'], `${path}.id`, { min: 1 })
    const group = new MarginGroup(id, readNumber(saved['reference'], `${path}.reference`, { max: 1e6 }), capacity)
    group.number = readNumber(saved['number'], `${path}.number`)
    group.#lastP = readNumber(saved['lastP'], `${path}.lastP`, { max: 1, fraction: true })
    group.#ranks.load(saved['ranks']!)
    group.#evidence.load(saved['evidence']!)
    const { scores } = readState(saved['ranks']!, ['scores'])
    const expected = group.members === 0 ? 0 : ((group.members - 1) % capacity) + 1
    const count = readDoubles(scores, `${path}.ranks.scores`, capacity).length
    if (count !== expected) refuse('bad_snapshot', `must be ${expected}`, count, `${path}.ranks.scores`)
    return group
  }
}

/** A number in (0, 1) that is the same wherever the same stream is replayed. */
function coin(key: number, group: number, member: number): number {
  const ofKey = fold32(fold32(0, key % 4294967296), Math.floor(key / 4294967296))
  const hash = fold32(fold32(ofKey, group % 4294967296), member % 4294967296)
  return ((finish32(hash) >>> 0) + 0.5) / 4294967296
}
