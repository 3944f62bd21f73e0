/**
 * The last answers to queries that have an id, so that one which is delivered again gets the answer that it got, or would
 * have got, and counts once. They are part of the state: every replica remembers the same ones.
 *
 * Two queries are the same if client, id and features are: an id that is used again hides no other query.
 */
import { fromFrame, isMonitorError, type PlainData, refuse, sha256Hex, toFrame } from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'
import { encodeEntry } from './record.ts'

type Verdict = NonNullable<MonitorApplied['verdict']>

const LETTERS = 'MTAN'
const MAX_ANSWERS = 10_000
const MAX_BYTES = 4 * 2 ** 20

export class Answers {
  /** By name, the oldest first. */
  readonly #frames = new Map<string, Uint8Array>()
  #bytes = 0

  /** What {@link save} gave. Throws `bad_snapshot`. */
  static load(saved: unknown, path: string): Answers {
    const answers = new Answers()
    if (!Array.isArray(saved)) refuse('bad_snapshot', 'must be a list of answers', saved, path)
    for (const pair of saved as readonly unknown[]) {
      const [name, frame] = Array.isArray(pair) ? (pair as unknown[]) : []
      if (typeof name !== 'string' || !(frame instanceof Uint8Array)) {
        refuse('bad_snapshot', 'must be pairs of a name and an answer', pair, path)
      }
      answers.#add(name, frame)
    }
    return answers
  }

  /** The name of a query with an id, whenever it comes; undefined for everything else. */
  nameOf(entry: Entry): string | undefined {
    if (entry.kind !== 'query' || entry.id === undefined) return undefined
    return sha256Hex(encodeEntry({ writer: '', number: 0, entry: { ...entry, timeMs: 0 } })).slice(0, 32)
  }

  get(name: string): Verdict | undefined {
    const frame = this.#frames.get(name)
    return frame === undefined ? undefined : (fromFrame(LETTERS, frame) as unknown as Verdict)
  }

  /** Remembers an answer, and forgets the oldest where there are too many. */
  keep(name: string, verdict: MonitorApplied['verdict']): void {
    if (verdict === undefined) return
    try {
      this.#add(name, toFrame(LETTERS, verdict as unknown as PlainData))
    } catch (thrown) {
      if (!isMonitorError(thrown)) throw thrown // a detector of one's own may tell what is no plain data
    }
  }

  /** Drops the answers to one client. O(answers): a client is seldom erased. */
  forget(client: string): void {
    for (const [name, frame] of this.#frames) {
      if (this.get(name)?.client?.id !== client) continue
      this.#frames.delete(name)
      this.#bytes -= frame.length
    }
  }

  save(): PlainData {
    return [...this.#frames]
  }

  #add(name: string, frame: Uint8Array): void {
    this.#frames.set(name, frame)
    this.#bytes += frame.length
    for (const [oldest, { length }] of this.#frames) {
      if (this.#frames.size <= MAX_ANSWERS && this.#bytes <= MAX_BYTES) break
      this.#frames.delete(oldest)
      this.#bytes -= length
    }
  }
}
