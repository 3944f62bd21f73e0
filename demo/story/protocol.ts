/** What the page and the story's worker say to each other. */
import type { PlainError, Snapshot } from '../../src/core/index.ts'
import type { Near, Shown, StoryConfig, StoryEvent } from './events.ts'

/** `plain`: the network in TypeScript, in the worker · `wasm`, `webgpu`: the same file in onnxruntime-web, on request. */
export type BackendName = 'plain' | 'wasm' | 'webgpu'

export const BACKEND_NAMES: readonly BackendName[] = ['plain', 'wasm', 'webgpu']

/** What runs the model, and how its answers compare with those of the plain one. */
export interface BackendReport {
  readonly backend: BackendName
  readonly threads: number
  /** The GPU, as the browser names it; '' without. */
  readonly adapter: string
  /** Digits that both were asked about, and on how many the labels were equal. */
  readonly compared: number
  readonly equal: number
  /** Largest difference of two logits. */
  readonly difference: number
  /** Of the model alone, in ms. */
  readonly msPerQuery: number
}

/** Plays a run. */
export interface Play {
  readonly kind: 'play'
  readonly id: number
  readonly config: StoryConfig
  readonly backend: BackendName
  /** What the monitor goes on from; none: it begins empty. */
  readonly base?: Snapshot | undefined
}

/** Asks for the monitor's state after so many queries of the run; or whether a run could go on from a state. */
export type AskState =
  | { readonly kind: 'save'; readonly id: number; readonly request: number; readonly queries: number }
  | { readonly kind: 'check'; readonly id: number; readonly request: number; readonly base: Snapshot }

/** Asks about one picture of the visitor's own, 28 × 28 bytes; or for a drawn digit, from this seed. */
export type Draw =
  | { readonly kind: 'draw'; readonly id: number; readonly picture: Uint8Array }
  | { readonly kind: 'sample'; readonly id: number; readonly seed: number }

export type ToWorker = Play | AskState | Draw

/** What became of a picture of the visitor's own. */
export interface Drawn extends Shown {
  readonly kind: 'drawn'
  readonly id: number
  readonly number: number
  readonly nearest: Near | null
  readonly isSuspicious: boolean
  readonly reason: string
}

/** `id` is that of the request; what belongs to an earlier one is of no interest any more. */
export type FromWorker =
  | { readonly kind: 'events'; readonly id: number; readonly events: readonly StoryEvent[] }
  | { readonly kind: 'progress'; readonly id: number; readonly share: number; readonly phase: string }
  | { readonly kind: 'backend'; readonly id: number; readonly report: BackendReport }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'sample'; readonly id: number; readonly picture: Uint8Array }
  | { readonly kind: 'state'; readonly id: number; readonly request: number; readonly answer: StateAnswer }
  | Drawn

export type StateAnswer =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly error: PlainError }
