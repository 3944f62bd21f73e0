/** Detectors and monitors with queries whose features have been made: what is left is what a verdict costs. */
import { createRandom } from '../embed/random.mjs'

const SEED = 20261201
const START_MS = 1e12
const { next, below } = createRandom(SEED)
const pool = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const vector = (length, Kind = Float32Array) => Kind.from({ length }, () => next() - 0.5)
const shades = () => Float32Array.from({ length: 32 * 32 * 3 }, next)
const hash = (digits) => pool(digits, () => below(16).toString(16)).join('')
const words = () => pool(12, () => hash(5)).join(' ')
const table = () => Object.fromEntries(pool(10, (i) => [`column ${i}`, Math.round(1e6 * next()) / 100]))

function distribution(classes) {
  const p = Float64Array.from({ length: classes }, () => next() + 1e-6)
  const sum = p.reduce((a, b) => a + b)
  return p.map((v) => v / sum)
}

function picture() {
  return { data: Uint8Array.from({ length: 32 * 32 * 3 }, () => below(256)), width: 32, height: 32, channels: 3 }
}

/** @returns `[{ name, detector, config, queries }]`; of `query_rate` the query gets a new time before each call. */
export function detectors(core) {
  const answers = pool(256, () => distribution(10))
  const embeddings = pool(256, () => ({ embedding: vector(384) }))
  const shingled = pool(256, () => ({ shingles: core.pictureShingles(picture()) }))
  const answered = (queries) => queries.map((one, i) => ({ ...one, probabilities: answers[i % answers.length] }))
  const vectors = answered(pool(64, () => ({ vector: shades() })))
  const clients = pool(40, () => pool(100, () => vector(384)))
  const shift = (form) => ({ reference: core.fitShift(clients, { form, alpha: 0.1 }) })
  const hardness = () => {
    const honest = pool(200, () => pool(100, () => ({ probabilities: distribution(10) })))
    return { reference: core.fitHardness(honest) }
  }
  const starts = pool(8, shades)
  const steps = pool(256, (i) => ({
    vector: starts[i % 8].map((v) => Math.min(Math.max(v + (4 * (next() - 0.5)) / 255, 0), 1)),
  }))
  const subject = (detector, about, queries, config = {}) => {
    return { name: about === '' ? detector : `${detector}, ${about}`, detector, config, queries }
  }
  const probabilities = answers.map((p) => ({ probabilities: p }))
  return [
    ...['entropy', 'max_confidence', 'margin'].map((mode) => subject('confidence', mode, probabilities, { mode })),
    subject(
      'confidence',
      'entropy of 1000 classes',
      pool(64, () => ({ probabilities: distribution(1000) })),
    ),
    subject(
      'repetition',
      'SHA-256',
      pool(512, () => ({ fingerprint: hash(64) })),
    ),
    subject(
      'image_repetition',
      'radius 8',
      pool(512, () => ({ fingerprint: hash(16) })),
      { radius: 8 },
    ),
    subject('similarity', '384 32-bit floats', embeddings),
    subject(
      'similarity',
      '384 doubles',
      pool(256, () => ({ embedding: vector(384, Float64Array) })),
    ),
    subject('similarity', '384 32-bit floats, window of 1000', embeddings, { maxHistorySize: 1000 }),
    subject(
      'tabular_similarity',
      '10 numbers',
      pool(256, () => ({ row: table() })),
    ),
    subject('descent_lineage', 'near pictures', answered(steps)),
    subject('content_fingerprint', 'new pictures', shingled),
    subject('content_fingerprint', 'always the same', [shingled[0]]),
    subject('neighbour_distance', '', embeddings, { resetOnAlarm: false }),
    subject('coverage', '', probabilities),
    { ...subject('query_rate', '', [{ timeMs: START_MS }]), isTimed: true },
    subject('prada', '', vectors),
    subject('margin_trend', 'new pictures', answered(shingled)),
    subject('margin_trend', 'always the same', answered(pool(256, () => shingled[0]))),
    subject('hardness_histogram', '', probabilities, hardness()),
    ...['stream', 'window', 'bets'].map((form) => subject('distribution_shift', form, embeddings, shift(form))),
    subject(
      'provenance',
      'texts',
      pool(512, () => ({ fingerprint: core.simHash(words()) })),
    ),
    subject('update_geometry', '', vectors),
    subject('answer_following', '', vectors),
    subject('extraction_status', '', answered(pool(256, () => ({ vector: shades().subarray(0, 12) })))),
  ]
}

/** Every recommended set, as the synchronous monitor that eats features. */
export function monitors(core) {
  const features = {
    'image-classifier': { vector: shades },
    'text-api': { shingles: () => core.textShingles(words()) },
    'tabular-api': {},
    llm: {},
  }
  return Object.entries(features).map(([use, makers]) => {
    const set = core.recommended(use)
    const queries = pool(256, () => {
      const made = Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make()]))
      const observation = { ...made, probabilities: distribution(10) }
      return { kind: 'query', client: 'one', timeMs: START_MS, observations: set.map(() => observation) }
    })
    return { name: use, set, queries }
  })
}

/** Queries as a program asks them, for the monitor that makes the features. */
export const inputs = {
  'image-classifier': () => ({ input: picture(), modelOutput: distribution(10), client: 'one' }),
  'text-api': () => ({ input: words(), modelOutput: distribution(10), client: 'one' }),
  'tabular-api': () => ({ input: table(), modelOutput: distribution(10), client: 'one' }),
  llm: () => ({ input: words(), client: 'one' }),
}
