/** What a detector is, in types. The numbers are in the files of `detectors/`. */

/** What a detector looks at. `any` works for every kind of input. */
export type Modality = 'any' | 'text' | 'tabular' | 'image'

/** Data without behaviour: it survives `structuredClone` and {@link toBytes}. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | readonly PlainData[]
  | { readonly [key: string]: PlainData }

/** One cell of a table. Numbers must be finite. */
export type Cell = number | string | boolean | null

/** One row of a table: column name to cell. */
export type Row = Readonly<Record<string, Cell>>

/**
 * Decoded pixels, row by row, channels interleaved: 1 (grey), 3 (RGB) or 4 (RGBA, alpha not premultiplied).
 * Bytes mean 0 … 255. Floating-point data must say its range: `maxValue` 1 or 255; it is never guessed.
 */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array | Float64Array
  /** In pixels, at least 1. */
  readonly width: number
  /** In pixels, at least 1. */
  readonly height: number
  readonly channels: 1 | 3 | 4
  /** The value of full intensity. Default 255 for bytes; required for floats. */
  readonly maxValue?: 1 | 255
}

/**
 * What is left of a query once its features are taken: all that a detector eats. A detector reads the one feature it
 * `needs`, keeps no reference to it and never changes it.
 */
export interface Observation {
  /** The model's class probabilities (or logits, for a detector configured with `outputs: 'logits'`). */
  readonly probabilities?: ArrayLike<number>
  /** A short name for "the same query", such as a hash. 1 … 256 characters. */
  readonly fingerprint?: string
  /** A vector whose cosine to another one says how alike two queries are. All vectors of one stream have one length. */
  readonly embedding?: ArrayLike<number>
  /** The vector of the same picture mirrored: compared as well, and not learned. */
  readonly mirrored?: ArrayLike<number>
  /** A row of a table as it came, where a detector compares the cells themselves. */
  readonly row?: Row
  /**
   * The input itself as numbers whose full range is 0 … 1 (`pictureVector`, `scaledRow`), where a detector follows small
   * steps. Comes with `probabilities` where the detector reads them.
   */
  readonly vector?: ArrayLike<number>
  /** Names of parts of the input (`pictureShingles`, `textShingles`, `rowShingles`), where a detector counts what two share. */
  readonly shingles?: Shingles
  /** The label that each earlier stage of the model gives, the oldest first, the model itself last: for `hardness_histogram`. */
  readonly checkpoints?: ArrayLike<number>
  /** When the query was asked, ms since the epoch. A monitor fills it in from its entry. */
  readonly timeMs?: number
}

/** The fingerprint of an input: some of the hashes of its windows, from which nobody gets the input back. */
export interface Shingles {
  /** The largest hashes, each once, the largest first; 2 words a hash, or 8 of SHA-256, the most significant first. */
  readonly hashes: Uint32Array
  /** Windows that were hashed, repeated ones included. */
  readonly windows: number
}

/** The feature a detector reads. */
export type Feature = Exclude<keyof Observation, 'mirrored' | 'checkpoints'>

/** What a detector says of one query. Fresh plain data: changing it changes nothing inside the detector. */
export interface Detection<Meta = unknown> {
  /** Exactly `score >= threshold`, unless the detector's doc states a strict rule. */
  readonly suspicious: boolean
  /** Raw, in the method's own unit; higher is more suspicious; always finite. */
  readonly score: number
  /** In the unit of `score`. */
  readonly threshold: number
  /** In [0, 1]. */
  readonly confidence: number
  /** Once calibrated: the share of benign traffic that scores as high. */
  readonly pValue?: number
  /** A sentence for people, numbers included. */
  readonly reason: string
  /** Typed per detector. */
  readonly metadata: Meta
  /** The detector's registry name, or its label inside a monitor. */
  readonly detector: string
}

/** The state of a detector as a value: take it out, put it back, start again. */
export interface Snapshot {
  readonly detector: string
  /** Version of the state's layout. */
  readonly version: number
  readonly state: PlainData
}

/** A look at a detector for people and dashboards. */
export interface Description {
  readonly detector: string
  /** The complete configuration in force, without plug-in functions. */
  readonly config: Readonly<Record<string, PlainData>>
  /** Queries remembered. */
  readonly historySize: number
  /** Estimated size of the remembered state in bytes. */
  readonly bytes: number
  /** What the method itself has to tell, such as the highest count. */
  readonly details: Readonly<Record<string, PlainData>>
}

/** A deterministic state machine over a stream of observations: no clock, no randomness, no waiting. */
export interface Detector<Obs = Observation, Meta = unknown> {
  readonly name: string
  /** Scores one observation and learns it. Throws `bad_query` and changes nothing if the observation is bad. */
  process(observation: Obs): Detection<Meta>
  /** What `process` gives one by one, in order; all or nothing: one bad observation leaves the state untouched. */
  processBatch(observations: readonly Obs[]): Detection<Meta>[]
  snapshot(): Snapshot
  /** Continues from a snapshot exactly. Throws `bad_snapshot` and keeps its state if the snapshot does not fit. */
  restore(snapshot: Snapshot): void
  /** Back to new: the snapshot equals that of a fresh detector. */
  reset(): void
  describe(): Description
  /** Queries remembered, in O(1). */
  size(): number
  /** Estimated size of the remembered state in bytes, in O(1): what a monitor adds up per client. */
  bytes(): number
}
