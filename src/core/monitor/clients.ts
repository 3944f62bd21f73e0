/** What is remembered of each client, within a fixed number of clients and bytes: the least recently seen leaves first. */
import { checkNumber, checkObject } from '../checkers.ts'
import type { Detector } from '../types.ts'
import type { DriftPace } from './evidence/drift.ts'
import type { Evidence } from './evidence/evidence.ts'

export interface ClientsConfig {
  /** Clients remembered at a time, 1 … 10 million. Default 10 000. */
  readonly maxClients?: number
  /** Estimated bytes of all clients' state together, at least 64 kB. Default 256 MB. */
  readonly maxBytes?: number
  /**
   * An eviction storm is more evictions than half of `maxClients` within this many ms of the stream's time: somebody may
   * be flushing memories with invented clients. Default one minute.
   */
  readonly stormWindowMs?: number
}

export type ClientLimits = Required<ClientsConfig>

const DEFAULTS: ClientLimits = { maxClients: 10_000, maxBytes: 256 * 1024 * 1024, stormWindowMs: 60_000 }

/** A rough size of the objects that make up one client and one detector, beside the detector's own estimate. */
const CLIENT_BYTES = 400
const DETECTOR_BYTES = 2500

/** Checks the limits and fills their gaps. Throws `bad_config`. */
export function checkClients(config: ClientsConfig = {}, path = 'clients'): ClientLimits {
  checkObject(config, Object.keys(DEFAULTS), path)
  const limits: ClientLimits = { ...DEFAULTS, ...config }
  checkNumber(limits.maxClients, { min: 1, max: 1e7, integer: true }, `${path}.maxClients`)
  checkNumber(limits.maxBytes, { min: 65_536 }, `${path}.maxBytes`)
  checkNumber(limits.stormWindowMs, { min: 1 }, `${path}.stormWindowMs`)
  return limits
}

/** What is remembered of a client, or of a group of clients. */
export interface ClientState {
  readonly id: string
  /** One per detector of client scope, or of group scope, in the monitor's order. */
  readonly detectors: readonly Detector<never, unknown>[]
  readonly evidence: Evidence
  /** When a score of the client counts for drift. */
  readonly pace: DriftPace
  /** Time of the last query, ms since the epoch. */
  lastMs: number
  /** Queries seen and queries found suspicious since the client was first (or again) remembered. */
  queries: number
  suspicious: number
  /** How often the policy has suspended it, since it was last released. */
  suspensions: number
  /** The group of a client's last query; '' for none. */
  group: string
}

interface Kept {
  state: ClientState
  bytes: number
}

const NOBODY: readonly string[] = []

/** Clients in the order they were last seen. */
export class ClientTable {
  readonly #limits: ClientLimits
  readonly #clients = new Map<string, Kept>()
  /** The one that was kept last. */
  #newest: Kept | undefined
  #bytes = 0

  constructor(limits: ClientLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#clients.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(id: string): ClientState | undefined {
    return this.#clients.get(id)?.state
  }

  /**
   * Puts a client at the newest end, with its size taken again. Returns the ids that had to leave for it; the client
   * itself stays, even if it alone is larger than the limit.
   */
  keep(state: ClientState): readonly string[] {
    const kept = this.#clients.get(state.id) ?? { state, bytes: 0 }
    const bytes = sizeOf(state)
    this.#bytes += bytes - kept.bytes
    kept.state = state
    kept.bytes = bytes
    if (kept !== this.#newest) {
      this.#clients.delete(state.id)
      this.#clients.set(state.id, kept)
      this.#newest = kept
    }
    return this.#isOver() ? this.#evict() : NOBODY
  }

  /** True if it was there. */
  remove(id: string): boolean {
    const kept = this.#clients.get(id)
    if (kept === undefined) return false
    this.#clients.delete(id)
    this.#bytes -= kept.bytes
    if (kept === this.#newest)
      // else it would be kept in memory all the same
      this.#newest = undefined
    return true
  }

  /** Drops every client that was last seen before this time. */
  forget(beforeMs: number): void {
    for (const [id, { state, bytes }] of this.#clients) {
      if (state.lastMs >= beforeMs) break
      this.#clients.delete(id)
      this.#bytes -= bytes
    }
  }

  #isOver(): boolean {
    const { maxClients, maxBytes } = this.#limits
    const { size } = this.#clients
    return size > 1 && (size > maxClients || this.#bytes > maxBytes)
  }

  #evict(): string[] {
    const gone: string[] = []
    for (const [id, { bytes }] of this.#clients) {
      this.#clients.delete(id)
      this.#bytes -= bytes
      gone.push(id)
      if (!this.#isOver()) break
    }
    return gone
  }

  /** Least recently seen first. */
  *[Symbol.iterator](): Generator<ClientState> {
    for (const { state } of this.#clients.values()) yield state
  }
}

function sizeOf({ id, detectors, evidence }: ClientState): number {
  let bytes = CLIENT_BYTES + 2 * id.length + evidence.bytes()
  for (let i = 0; i < detectors.length; i++) bytes += DETECTOR_BYTES + detectors[i]!.bytes()
  return bytes
}
