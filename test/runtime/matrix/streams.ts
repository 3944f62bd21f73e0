/**
 * The golden streams: for every detector in every mode what it eats, as observations and as raw queries. Seeded, made
 * with exact arithmetic only, so that they are the same on every runtime. A new detector adds a line to {@link LINES}.
 */
import { fitTabular } from 'monitaur'
import { extractionProbes, type FitShiftOptions, fitShift, type Observation, type ShiftReference } from 'monitaur/core'
import { random, vector } from '../../tools/random.ts'
import { answered, answers, scoresOfOne, shingles, taughtRows, taughtVectors, times } from './conduct.ts'
import { steps, stepsInPictures, stepsInRows } from './descents.ts'
import * as values from './values.ts'

/** One detector in one mode. */
export interface Line {
  readonly detector: string
  readonly mode: string
  /** The detector's own options. */
  readonly config: () => object
  /** What the detector eats, good and bad. */
  readonly observations: () => unknown[]
  /** The raw queries that a monitor turns into observations, good and bad, without client and time. */
  readonly queries: () => object[]
  /** Further options, of the featurizer. */
  readonly features: object
}

type Make = () => unknown[]
type Streams = readonly [observations: Make, queries: () => object[]]

const SHARES: Streams = [as('probabilities', values.shares), as('modelOutput', values.shares)]
const SCORES: Streams = [as('probabilities', values.scores), as('modelOutput', values.scores)]
const NAMES = as('fingerprint', values.fingerprints)
const HASHES = as('fingerprint', values.hashes)
const VECTORS = as('embedding', values.vectors)
const LONG = as('embedding', values.longVectors)
const ANYTHING = as('input', values.anything)
const TEXTS = as('input', values.texts)
const ROWS = as('input', values.rows)
const AMOUNTS = as('input', values.amounts)
const PICTURES = as('input', values.pictures)
const CELLS = as('row', values.rows)

const ANSWERS: Streams = [as('probabilities', answers), as('modelOutput', answers)]
const LOGITS: Streams = [as('probabilities', scoresOfOne), as('modelOutput', scoresOfOne)]

const BYTES = { storage: 'bytes', parent: 'clipped', gate: 'percentile98' }

const SHA256 = { digest: 'sha256', kept: 20, threshold: 8 } as const
const CUT = { window: 9, stride: 2, quantum: 20, textWindow: 4, rowWindow: 2, rowQuantum: 30, leastWindows: 1 }
const TREND = { least: 2, members: 30, groups: 3, alpha: 0.2 }
const HARDNESS = {
  form: { kind: 'margin', edges: [0.2, 0.5, 0.9] },
  counts: [10, 20, 70, 200],
  queries: 20,
  distance: 'pearson',
  threshold: 0.2,
}
const SHANNON = { ...HARDNESS, distance: 'jensen_shannon', counts: [1, 1, 1, 1] }
/** About that of unrelated vectors. */
const GEOMETRY = { counts: [1, 4, 9, 12, 9, 5, 3, 2, 1, 1], turns: 12, threshold: 0.25 }
const EXTRACTION = { warmUp: 60, window: 80, maxBytes: 2048, threshold: 0.5 }
const PACE = {
  windows: [
    { withinMs: 500, queries: 5 },
    { withinMs: 300_000, queries: 50 },
  ],
  burst: 9,
  regularity: 0.9,
}

export const LINES: readonly Line[] = [
  line('confidence', 'entropy', {}, SHARES),
  line('confidence', 'max_confidence', { mode: 'max_confidence', threshold: 0.3 }, SHARES),
  line('confidence', 'margin', { mode: 'margin', threshold: 0.3 }, SHARES),
  line('confidence', 'normalize', { mode: 'margin', normalize: true }, SHARES),
  line('confidence', 'logits', { outputs: 'logits' }, SCORES),
  line('confidence', 'logits, margin', { outputs: 'logits', mode: 'margin' }, SCORES),
  line('confidence', 'a window of 1', { maxHistorySize: 1 }, SHARES),
  line('repetition', 'any input', { threshold: 2, maxHistorySize: 40 }, [NAMES, ANYTHING]),
  line('image_repetition', 'equality', { threshold: 2, maxHistorySize: 40 }, [NAMES, PICTURES]),
  line('image_repetition', 'within a radius', { threshold: 2, radius: 6 }, [HASHES, PICTURES]),
  line('tabular_repetition', 'cells as they come', { threshold: 2, maxHistorySize: 40 }, [NAMES, ROWS]),
  line('tabular_repetition', 'a schema', { threshold: 2 }, [NAMES, ROWS], { schema: values.schema() }),
  line('text_repetition', 'equality', { threshold: 2, maxHistorySize: 40 }, [NAMES, TEXTS]),
  line('text_repetition', 'a hash of its own', { threshold: 3 }, [NAMES, TEXTS], { hash: ownHash }),
  line('similarity', 'cosine', { maxHistorySize: 30 }, [VECTORS, ANYTHING]),
  line('similarity', 'a large window', { maxHistorySize: 48 }, [LONG, LONG]),
  line('similarity', 'a similarity of its own', { similarity: closeness, threshold: -9 }, [VECTORS, VECTORS]),
  line('similarity', 'raw numbers of rows', { maxHistorySize: 30 }, [VECTORS, AMOUNTS], { scaling: 'none' }),
  line('image_similarity', 'cosine', { maxHistorySize: 30 }, [VECTORS, PICTURES]),
  line('image_similarity', 'mirrored', { maxHistorySize: 30 }, [values.mirroredVectors, PICTURES], { mirrored: true }),
  line('tabular_similarity', 'spreads learned', { maxHistorySize: 30 }, [CELLS, ROWS]),
  line('tabular_similarity', 'a schema', () => ({ schema: values.schema(), maxHistorySize: 30 }), [CELLS, ROWS]),
  line('tabular_similarity', 'a fitted profile', () => ({ schema: fitTabular(values.people()) }), [CELLS, ROWS]),
  line('tabular_similarity', 'raw numbers', { maxHistorySize: 30 }, [values.rawRows, AMOUNTS], { scaling: 'none' }),
  line('tabular_similarity', 'a similarity of its own', { similarity: closeness, threshold: -9 }, [VECTORS, ROWS]),
  line('text_similarity', 'cosine', { maxHistorySize: 30 }, [as('embedding', values.textVectors), TEXTS]),
  line('text_similarity', 'below zero', { threshold: -0.5, maxHistorySize: 1 }, [VECTORS, TEXTS]),
  line('text_similarity', 'an embedder of its own', {}, [VECTORS, TEXTS], { embedder: ownEmbedder }),
  line('descent_lineage', 'rule M', { groups: 3 }, [steps(300), stepsInPictures]),
  line('descent_lineage', 'rule S', { rule: 'S', alpha: 0.1 }, [steps(24), stepsInPictures]),
  line('descent_lineage', 'bytes, clipped', BYTES, [steps(300), stepsInPictures]),
  line('descent_lineage', 'exact, clipped', { storage: 'exact', parent: 'clipped', ring: 6 }, [
    steps(300),
    stepsInRows,
  ]),
  line('descent_lineage', 'logits', { outputs: 'logits', drop: 0.3 }, [steps(300), stepsInRows]),
  line('content_fingerprint', 'keyed', { maxHistorySize: 30 }, [shingles(), PICTURES]),
  line('content_fingerprint', 'SHA-256', SHA256, [shingles(SHA256), PICTURES]),
  line('content_fingerprint', 'windows of its own', CUT, [shingles(CUT), ANYTHING]),
  line('content_fingerprint', 'texts', { key: 5 }, [shingles({ key: 5 }), TEXTS]),
  line('content_fingerprint', 'rows, a schema', {}, [shingles(), ROWS], { schema: values.schema() }),
  line('neighbour_distance', 'forgetting', { k: 4, maxHistorySize: 30, threshold: 2 }, [VECTORS, ANYTHING]),
  line('neighbour_distance', 'remembering', { k: 2, resetOnAlarm: false, threshold: 1 }, [VECTORS, VECTORS]),
  line('neighbour_distance', 'exact', { k: 2, storage: 'exact', threshold: 1 }, [VECTORS, VECTORS]),
  line('coverage', 'any cell alike', { threshold: 0.5, warmUp: 10, maxHistorySize: 60 }, ANSWERS),
  line(
    'coverage',
    'a profile',
    { threshold: 0.7, warmUp: 10, edges: [0.5], benign: [9, 9, 1, 5, 0, 3, 1, 2, 0, 1] },
    ANSWERS,
  ),
  line('coverage', 'logits', { threshold: 0.5, warmUp: 10, outputs: 'logits' }, LOGITS),
  line('query_rate', 'rates', {}, [times, ANYTHING]),
  line('query_rate', 'bursts and clocks', PACE, [times, ANYTHING]),
  line('prada', 'tests', { every: 5, tooFew: 40, maxHistorySize: 120 }, [steps(24), stepsInPictures]),
  line('prada', 'signed sums', { every: 5, tooFew: 40, maxNumbers: 7, maxBytes: 4096 }, [steps(24), stepsInPictures]),
  line('prada', 'few points, logits', { every: 3, tooFew: 10, maxPoints: 20, outputs: 'logits' }, [
    steps(24),
    stepsInRows,
  ]),
  line('margin_trend', 'like pictures', TREND, answered(values.pictures, TREND)),
  line('margin_trend', 'labels of texts', { ...TREND, alpha: 0.5, outputs: 'labels' }, answered(values.texts)),
  line('hardness_histogram', 'tenths', { reference: HARDNESS }, ANSWERS),
  line('hardness_histogram', 'Jensen and Shannon', { reference: SHANNON, outputs: 'logits' }, LOGITS),
  line('distribution_shift', 'a stream', () => ({ reference: shiftReference({}) }), [VECTORS, VECTORS]),
  line('distribution_shift', 'a window', () => ({ reference: shiftReference({ form: 'window', alpha: 0.3 }) }), [
    VECTORS,
    VECTORS,
  ]),
  line('distribution_shift', 'bets', () => ({ reference: shiftReference({ form: 'bets', alpha: 0.3 }) }), [
    VECTORS,
    VECTORS,
  ]),
  line('provenance', 'texts', { threshold: 2, maxHistorySize: 60 }, [as('fingerprint', values.nearHashes), TEXTS]),
  line('provenance', 'pictures', { threshold: 3, alpha: 0.05 }, [HASHES, PICTURES]),
  line('extraction_status', 'its own queries', EXTRACTION, [taughtVectors, taughtRows]),
  line('extraction_status', 'probes, logits', () => ({ ...EXTRACTION, probes: probes(), outputs: 'logits' }), [
    taughtVectors,
    taughtRows,
  ]),
  line('update_geometry', 'pictures', { reference: GEOMETRY }, [steps(300), stepsInPictures]),
  line('update_geometry', 'rows', { reference: GEOMETRY, threshold: 0.3 }, [steps(24), stepsInRows]),
  line('answer_following', 'pictures', {}, [steps(300, 'lower'), () => stepsInPictures('lower')]),
  line('answer_following', 'rows, logits', { outputs: 'logits', points: 48, key: 9, alpha: 0.3 }, [
    steps(24, 'lower'),
    () => stepsInRows('lower'),
  ]),
]

function line(
  detector: string,
  mode: string,
  config: object | (() => object),
  [observations, queries]: Streams,
  features: object = {},
): Line {
  const options = typeof config === 'function' ? (config as () => object) : () => config
  return { detector, mode, config: options, observations, queries, features }
}

/** Each value under a name. */
function as(name: string, make: Make): () => object[] {
  return () => make().map((value) => ({ [name]: value }))
}

/** Of forty clients whose embeddings are as long as those of the streams. */
function shiftReference(options: FitShiftOptions): ShiftReference {
  const next = random(12)
  const clients = Array.from({ length: 40 }, () => Array.from({ length: 20 }, () => vector(next, values.DIMENSION)))
  return fitShift(clients, { queries: 12, references: 30, frequencies: 32, alpha: 0.1, ...options })
}

/** The good ones among the first rows. */
function probes() {
  const good = taughtVectors().filter((_, i) => i % 6 !== 5) as Observation[]
  return extractionProbes(good.slice(0, 60))
}

function closeness(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let distance = 0
  for (let i = 0; i < a.length; i++) distance += Math.abs(a[i]! - b[i]!)
  return -distance
}

function ownHash(text: string): string {
  return text.trim().slice(0, 2) || 'nothing'
}

/** How often each of a few code units occurs. */
async function ownEmbedder(text: string): Promise<Float32Array> {
  const counts = new Float32Array(16)
  for (let i = 0; i < text.length; i++) counts[text.charCodeAt(i) % 16]! += 1
  return counts
}
