/** Who is suspended, as an isolate knows it: a list for each shard, refreshed beside the requests. */
import type { Suspensions } from './reply.ts'

interface ShardList {
  readonly version: string
  readonly loadedMs: number
  readonly clients: ReadonlyMap<string, number>
}

export class Mirror {
  readonly #lists = new Map<number, ShardList>()
  /** Shards that are being asked, and since when: a request that ends takes its questions with it. */
  readonly #askedMs = new Map<number, number>()

  /** How old the list is; Infinity if there is none. */
  ageMs(shard: number, nowMs: number): number {
    const list = this.#lists.get(shard)
    return list === undefined ? Infinity : Math.max(0, nowMs - list.loadedMs)
  }

  version(shard: number): string {
    return this.#lists.get(shard)?.version ?? ''
  }

  /** The end of a client's suspension, in O(1). */
  untilMs(shard: number, client: string): number | undefined {
    return this.#lists.get(shard)?.clients.get(client)
  }

  /** What a shard has told. Without a list the one that is there is still right. */
  learn(shard: number, version: string, suspensions: Suspensions | null, nowMs: number): void {
    const clients = suspensions === null ? this.#lists.get(shard)?.clients : new Map(suspensions)
    if (clients !== undefined) this.#lists.set(shard, { version, clients, loadedMs: nowMs })
  }

  /** True for whoever shall ask; the others rely on it for `forMs`. */
  mayAsk(shard: number, nowMs: number, forMs: number): boolean {
    const askedMs = this.#askedMs.get(shard)
    if (askedMs !== undefined && nowMs - askedMs < forMs) return false
    this.#askedMs.set(shard, nowMs)
    return true
  }

  asked(shard: number): void {
    this.#askedMs.delete(shard)
  }
}
