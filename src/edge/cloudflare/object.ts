/**
 * The Durable Objects: a monitor over the object's own SQLite. Requests to one object are taken one after the other, so two
 * queries of a client are never judged at the same time, from whichever isolates they come. Whenever the object is woken it
 * starts from its snapshot and replays its log, so nothing is lost when it sleeps.
 */
import { sha256Hex } from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'
import type { MonitorApplied, MonitorEngine } from '../../embed/index.ts'
import { Journal } from '../journal/journal.ts'
import { decodeEntry } from '../journal/record.ts'
import { sqlStores } from '../stores/sql.ts'
import type { CloudflareSettings } from './config.ts'
import type { CloudflareEnv, ObjectState } from './platform.ts'
import { replyFailed, replyWith, type ShardReply, type Suspensions } from './reply.ts'

const RETRY_MS = 60_000
const encoder = /* @__PURE__ */ new TextEncoder()

export class MonitorObject {
  readonly #state: ObjectState
  readonly #env: CloudflareEnv
  readonly #settings: CloudflareSettings
  readonly #engine: MonitorEngine
  #journal: Journal | undefined
  /** Why it could not be opened. */
  #failure: unknown
  #hasAlarm = false
  #suspensions: { readonly list: Suspensions; readonly version: string } | undefined
  #isUnpublished = false
  #isPublishing = false

  constructor(state: ObjectState, env: CloudflareEnv, settings: CloudflareSettings, engine: MonitorEngine) {
    this.#state = state
    this.#env = env
    this.#settings = settings
    this.#engine = engine
    void state.blockConcurrencyWhile(async () => {
      try {
        this.#hasAlarm = (await state.storage.getAlarm()) !== null
        this.#journal = await this.#open()
      } catch (thrown) {
        this.#failure = thrown // every request is told
      }
    })
  }

  #open(): Promise<Journal> {
    const { onError } = this.#engine.describe().policy
    const { timeoutMs, snapshotEvery } = this.#settings
    return Journal.open(this.#engine, { stores: sqlStores(this.#state.storage), onError, timeoutMs, snapshotEvery })
  }

  /** From workers: `POST /apply` with an entry, `GET /suspensions`, `/clients`, `/export`, `/describe`. */
  async fetch(request: Request): Promise<Response> {
    try {
      if (this.#journal === undefined) throw this.#failure
      const { pathname, searchParams } = new URL(request.url)
      const known = searchParams.get('known') ?? ''
      if (pathname === '/suspensions') return replyWith(this.#reply(null, known))
      if (pathname === '/clients') return replyWith(this.#engine.stream.clients())
      if (pathname === '/export') {
        return replyWith(this.#engine.stream.exportClient(searchParams.get('client') ?? '') ?? null)
      }
      if (pathname === '/describe')
        return replyWith({ journal: this.#journal.describe(), monitor: this.#engine.describe() })
      const { entry } = decodeEntry(new Uint8Array(await request.arrayBuffer()), 'request')
      return replyWith(this.#reply(await this.#apply(this.#journal, entry), known))
    } catch (thrown) {
      return replyFailed(thrown)
    }
  }

  /** Writes a snapshot, cuts the log, and forgets clients that were not seen for long. */
  async alarm(): Promise<void> {
    this.#hasAlarm = false
    if (this.#journal === undefined) throw this.#failure // the platform calls again
    const nowMs = Date.now()
    if ((this.#expiryMs() ?? Infinity) <= nowMs) {
      await this.#journal.apply({ kind: 'expire', timeMs: nowMs, unseenMs: this.#settings.expireAfterMs })
      this.#suspensions = undefined
    }
    await this.#journal.compact()
    if (this.#env.MONITAUR_KV !== undefined) await this.#publish(this.#env.MONITAUR_KV)
    const expiryMs = this.#expiryMs()
    if (expiryMs !== undefined) await this.#wakeAt(Math.max(expiryMs, nowMs + this.#settings.compactAfterMs))
  }

  /** When the client that was not seen for longest is to be forgotten. */
  #expiryMs(): number | undefined {
    const { expireAfterMs } = this.#settings
    const [oldest] = expireAfterMs === 0 ? [] : this.#engine.stream.clients()
    return oldest === undefined ? undefined : oldest.lastMs + expireAfterMs
  }

  async #wakeAt(timeMs: number): Promise<void> {
    await this.#state.storage.setAlarm(timeMs)
    this.#hasAlarm = true
  }

  async #apply(journal: Journal, entry: Entry): Promise<MonitorApplied> {
    const applied = await journal.apply(entry)
    const isChanged = applied.events.some(({ kind }) => kind === 'suspended' || kind === 'released')
    if (isChanged) this.#suspensions = undefined
    const { MONITAUR_KV } = this.#env
    if (isChanged && MONITAUR_KV !== undefined) this.#state.waitUntil(this.#publish(MONITAUR_KV))
    if (entry.kind === 'erase') await journal.compact({ all: true }) // no earlier entry of the client stays in the log
    if (!this.#hasAlarm) await this.#wakeAt(Date.now() + this.#settings.compactAfterMs)
    return applied
  }

  #reply(applied: MonitorApplied | null, known: string): ShardReply {
    const { version, list } = this.#listed()
    return { applied, version, suspensions: version === known ? null : list }
  }

  #listed() {
    if (this.#suspensions === undefined) {
      const list = this.#engine.stream.suspensions().map(({ client, untilMs }) => [client, untilMs] as const)
      this.#suspensions = { list, version: sha256Hex(encoder.encode(JSON.stringify(list))).slice(0, 16) }
    }
    return this.#suspensions
  }

  /** One write at a time, the last one with the last list: a key takes one write a second. Failures wait for an alarm. */
  async #publish(kv: NonNullable<CloudflareEnv['MONITAUR_KV']>): Promise<void> {
    this.#isUnpublished = true
    if (this.#isPublishing) return
    this.#isPublishing = true
    try {
      while (this.#isUnpublished) {
        this.#isUnpublished = false
        await kv.put(suspensionsKey(this.#state.id.name ?? ''), JSON.stringify(this.#listed().list))
      }
    } catch {
      await this.#wakeAt(Date.now() + RETRY_MS)
    } finally {
      this.#isPublishing = false
    }
  }
}

/** Where a shard's suspensions stand in KV. */
export function suspensionsKey(shard: string): string {
  return `suspensions/${shard}`
}
