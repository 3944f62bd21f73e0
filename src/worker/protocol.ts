/** What crosses between a page and its worker. Plain data with a tag: error classes do not survive the trip. */
import type { Observation, PlainError, Snapshot } from '../core/index.ts'
import type { ClientExport, Entry, Policy, Suspension } from '../core/monitor/index.ts'
import type { ModelCapabilities, ModelEvent, Query } from '../embed/index.ts'

/** Raised when the two sides no longer understand each other. */
export const PROTOCOL = 4

/** The part of a worker, of a port, or of a worker's own scope that is used. */
export interface Endpoint {
  postMessage(message: unknown, transfer?: Transferable[]): void
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: object): void
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: object): void
  /** Of a port: messages come from now on. */
  start?: () => void
}

/** Ends all calls. */
export const BYE = 'bye'

/** From the page: a verb of {@link HostApi} with what it is given, or {@link BYE}. */
export interface Call {
  readonly id: number
  readonly verb: string
  readonly given: readonly unknown[]
}

/** From the worker: what became of a call, or what a machine's models do. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly machine: string; readonly event: ModelEvent }

/** What a machine in the worker is to be. Functions cannot cross. */
export type MachineConfig =
  | { readonly kind: 'detector'; readonly name: string; readonly config: Readonly<Record<string, unknown>> }
  | { readonly kind: 'monitor'; readonly config: Readonly<Record<string, unknown>> }

/** An entry of a machine's log: an observation for a detector, an entry for a monitor. */
export type LogEntry = Observation | Entry

/** A value, or the error as data. Of the value's buffers those in `moved` are not copied on the way; the list itself stays behind. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T; readonly moved?: readonly ArrayBuffer[] }
  | { readonly ok: false; readonly error: PlainError }

/** What came of queries: their log entries, the results, and how many entries and states the machine has applied in all. */
export interface Applied {
  readonly entries: readonly LogEntry[]
  readonly results: readonly unknown[]
  readonly applied: number
}

/** A machine's state, and how many entries and states it had applied in all. */
export interface State {
  readonly snapshot: Snapshot
  readonly applied: number
}

/** Hears what a machine's models do, as it happens. */
export type TellEvent = (event: ModelEvent) => void

/**
 * What the worker does. Each call settles with a {@link Reply}; it rejects only if the worker itself breaks, or on the page if what is
 * given cannot be sent. `moved` is what of it is moved and not copied.
 */
export interface HostApi {
  /** The worker's protocol: the first call, and the proof that it runs. */
  hello(): Promise<number>
  /** Makes a machine under a name of the caller's. A monitor tells its policy. `tell` hears of its models. */
  open(machine: string, config: MachineConfig, tell: TellEvent): Promise<Reply<Policy | null>>
  /** Featurizes and applies queries, in order, all or nothing up to the applying. A call of number 0 is never stopped. */
  process(
    machine: string,
    call: number,
    queries: readonly Query[],
    batch: boolean,
    moved?: readonly Transferable[],
  ): Promise<Reply<Applied>>
  /** Applies entries as they are: replay, suspend, release. */
  apply(machine: string, entries: readonly LogEntry[]): Promise<Reply<Applied>>
  /** Stops a call of a machine that has not been applied yet; its `process` then settles with `aborted`. */
  cancel(machine: string, call: number): Promise<void>
  /** These three give the state as it is then, what a log can be cut at. A large one is copied piece by piece and moved. */
  snapshot(machine: string): Promise<Reply<State>>
  restore(machine: string, snapshot: Snapshot, moved?: readonly Transferable[]): Promise<Reply<State>>
  reset(machine: string): Promise<Reply<State>>
  describe(machine: string): Promise<Reply<unknown>>
  /** Of a monitor: its clients, and the suspensions in force. */
  clients(machine: string): Promise<Reply<unknown>>
  suspensions(machine: string): Promise<Reply<readonly (Suspension & { readonly client: string })[]>>
  /** Loads the models of a machine; can be stopped like `process`. */
  warmup(machine: string, call: number): Promise<Reply<ModelCapabilities>>
  capabilities(machine: string): Promise<Reply<ModelCapabilities>>
  /** Of a monitor: all that is held under a client's name. */
  exportClient(machine: string, client: string): Promise<Reply<ClientExport | undefined>>
  close(machine: string): Promise<Reply<null>>
}
