/** How much may be under way at a time: requests, bytes of their bodies, and queries of one client. */
import type { ServerLimits } from '../config/limits.ts'
import { HttpError } from './errors.ts'

const RETRY = { headers: { 'retry-after': '1' } }
/** A body that has taken longer gives way to other requests once the server is full. */
const PATIENCE_MS = 1000

/** A request whose body is still coming. */
interface Receiver {
  readonly sinceMs: number
  readonly patienceMs: number
  readonly cut: () => void
}

/** Counts what is under way, and refuses one too many. */
export class Gate {
  #limits: ServerLimits
  #requests = 0
  #bytes = 0
  readonly #clients = new Map<string, number>()
  /** The oldest first. */
  readonly #receivers = new Set<Receiver>()
  #cuts = 0
  #isDraining = false

  constructor(limits: ServerLimits) {
    this.#limits = limits
  }

  /** Requests under way. */
  get requests(): number {
    return this.#requests
  }

  /** Requests given up for others, since the start. */
  get cuts(): number {
    return this.#cuts
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  set limits(limits: ServerLimits) {
    this.#limits = limits
  }

  /** From now on every request is refused. */
  drain(): void {
    this.#isDraining = true
  }

  /** Throws 503 once the server is stopping. */
  checkOpen(): void {
    if (!this.#isDraining) return
    const headers = { ...RETRY.headers, connection: 'close' }
    throw new HttpError(503, 'draining', 'the server is stopping', { headers })
  }

  /** A request begins; whoever called this calls {@link leave} once. Throws 503. */
  enter(): void {
    this.checkOpen()
    if (this.#requests >= this.#limits.maxConcurrent && !this.#cutOldest()) {
      throw new HttpError(503, 'overloaded', `${this.#requests} requests are under way, which is the limit`, RETRY)
    }
    this.#requests++
  }

  leave(): void {
    this.#requests--
  }

  /** Keeps the place of a request whose answer goes on after it has begun; {@link leave} is called once more for it. */
  stay(): void {
    this.#requests++
  }

  /**
   * A body begins to come; call what this returns once it is there. If the server is full meanwhile, and the body has
   * taken longer than its patience, `cut` is called, which must end the request: whoever sends slowly keeps nobody out.
   */
  receive(cut: () => void, patienceMs = PATIENCE_MS): () => void {
    const receiver = { sinceMs: performance.now(), patienceMs, cut }
    this.#receivers.add(receiver)
    return () => this.#receivers.delete(receiver)
  }

  /** Gives up the request whose body has been coming for longest. False if none has been for too long. */
  #cutOldest(): boolean {
    const nowMs = performance.now()
    for (const receiver of this.#receivers) {
      if (nowMs - receiver.sinceMs < receiver.patienceMs) continue
      this.#receivers.delete(receiver)
      this.#cuts++
      receiver.cut()
      return true
    }
    return false
  }

  /** Takes room for a body, to be given back with {@link giveBytes}. Throws 503. */
  takeBytes(bytes: number): void {
    const isFull = this.#bytes > 0 && this.#bytes + bytes > this.#limits.maxBytesInFlight
    if (isFull && !this.#cutOldest()) {
      throw new HttpError(503, 'overloaded', 'too many bytes are under way', RETRY)
    }
    this.#bytes += bytes
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes
  }

  /** A query of a client begins; {@link leaveClient} ends it. Queries without a name are not counted. Throws 429. */
  enterClient(client: string): void {
    if (client === '') return
    const count = this.#clients.get(client) ?? 0
    if (count >= this.#limits.maxPerClient) {
      throw new HttpError(429, 'too_many_requests', `${count} queries of this client are under way`, RETRY)
    }
    this.#clients.set(client, count + 1)
  }

  leaveClient(client: string): void {
    if (client === '') return
    const count = this.#clients.get(client)! - 1
    if (count === 0) this.#clients.delete(client)
    else this.#clients.set(client, count)
  }
}
