/**
 * CPU per query of the detectors, features included, from the built package: `npm run bench`.
 *
 * Every detector's window is filled first, so that each query also evicts; every text, row, vector and picture is new.
 * A sample repeats until it has used `SAMPLE_MS` of CPU (`process.cpuUsage`, user + system); the detectors take turns,
 * in reverse every other round; minimum, median and maximum of the rounds are shown. The goals are a tenth of what the
 * Python reference used per query (median, one thread, its default logging), as measured for this project on another
 * machine of the same kind; they compare orders of magnitude, not machines.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import {
  createDetector,
  embedPixels,
  embedText,
  fitHardness,
  fitShift,
  perceptualHash,
  pictureShingles,
  pictureVector,
  rowFingerprint,
  simHash,
  textFingerprint,
  textShingles,
} from 'monitaur/core'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 11
const SAMPLE_MS = quick ? 20 : 150
const WINDOWS = quick ? [100] : [100, 1000, 10_000]

/** The reference's medians in µs CPU per query, by row and window. */
const REFERENCE = {
  'confidence entropy, 10 classes': { 100: 57, 1000: 85, 10000: 629 },
  'confidence max_confidence, 10 classes': { 100: 27, 1000: 63, 10000: 449 },
  'confidence margin, 10 classes': { 100: 40, 1000: 65, 10000: 706 },
  'confidence entropy, 1000 classes': { 100: 79, 1000: 114, 10000: 460 },
  'text_repetition, 75 characters': { 100: 25, 1000: 30, 10000: 27 },
  'tabular_repetition, 10 numbers': { 100: 37, 1000: 36, 10000: 42 },
  'image_repetition, 224×224 RGB': { 100: 693, 1000: 514, 10000: 567 },
  'similarity, 384 32-bit floats': { 100: 907, 1000: 5673, 10000: 53950 },
  'similarity, 384 doubles': { 100: 523, 1000: 4704, 10000: 54651 },
  'tabular_similarity, 10 numbers': { 100: 775, 1000: 5367, 10000: 37891 },
  // Its image embedding is a ResNet-18 pass, 57 ms CPU alone.
  'image_similarity, 224×224 RGB': { 100: 67000 },
}
const WITH_GOAL = ['confidence', 'text_repetition', 'similarity, 384']

let seed = 20261124
function next() {
  seed = (seed + 0x6d2b79f5) >>> 0
  let t = Math.imul(seed ^ (seed >>> 15), seed | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const pool = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const distribution = (classes) => {
  const p = Float64Array.from({ length: classes }, () => next() + 1e-6)
  const sum = p.reduce((a, b) => a + b)
  return p.map((v) => v / sum)
}
const letters = () =>
  Buffer.from(pool(75, () => 'abcdefghijklmnopqrstuvwxyz    '.charCodeAt(Math.floor(30 * next())))).toString('latin1')
const table = () => Object.fromEntries(pool(10, (i) => [`column ${i}`, Math.round(1e6 * next()) / 100]))
const photo = () => {
  const [a, b] = [1 + 9 * next(), 1 + 9 * next()]
  const data = Uint8Array.from(
    { length: 224 * 224 * 3 },
    (_, i) => 127 + 90 * Math.sin(i / 97 / a) + 30 * Math.cos(i / b),
  )
  return { data, width: 224, height: 224, channels: 3 }
}

const thumbnail = () => ({
  data: Uint8Array.from({ length: 32 * 32 * 3 }, () => 256 * next()),
  width: 32,
  height: 32,
  channels: 3,
})
const same = thumbnail()
const fingerprinted = (pixels) => ({ shingles: pictureShingles(pixels) })

function subject(row, name, config, inputs, observe) {
  return { row, make: (maxHistorySize) => createDetector(name, { maxHistorySize, ...config }), inputs, observe }
}

/** Its memory is not one window: eight groups of near pictures fill all of it, whatever the window. */
function lineage(row, config) {
  const starts = pool(8, () => Float32Array.from({ length: 32 * 32 * 3 }, next))
  const near = (i) => starts[i % 8].map((v) => Math.min(Math.max(v + (4 * (next() - 0.5)) / 255, 0), 1))
  const inputs = pool(512, (i) => ({ vector: near(i), probabilities: distribution(10) }))
  return { row, make: () => createDetector('descent_lineage', config), inputs, observe: (given) => given }
}

const hash64 = () => pool(16, () => Math.floor(16 * next()).toString(16)).join('')
const as = (key) => (value) => ({ [key]: value })
/** A step alone, in the form of a detector. */
function alone(row, inputs, step) {
  return { row, make: () => ({ process: (made) => ({ suspicious: made === '' }) }), inputs, observe: step }
}

const texts = pool(4000, letters)
let serial = 0
const subjects = [
  subject(
    'confidence entropy, 10 classes',
    'confidence',
    { mode: 'entropy' },
    pool(256, () => distribution(10)),
    as('probabilities'),
  ),
  subject(
    'confidence max_confidence, 10 classes',
    'confidence',
    { mode: 'max_confidence' },
    pool(256, () => distribution(10)),
    as('probabilities'),
  ),
  subject(
    'confidence margin, 10 classes',
    'confidence',
    { mode: 'margin' },
    pool(256, () => distribution(10)),
    as('probabilities'),
  ),
  subject(
    'confidence entropy, 1000 classes',
    'confidence',
    { mode: 'entropy' },
    pool(64, () => distribution(1000)),
    as('probabilities'),
  ),
  subject(
    'repetition, fingerprint given',
    'repetition',
    {},
    pool(1, () => ''),
    () => ({ fingerprint: `fingerprint ${serial++}` }),
  ),
  subject('text_repetition, 75 characters', 'text_repetition', {}, texts, (text) => ({
    fingerprint: textFingerprint(text),
  })),
  subject('tabular_repetition, 10 numbers', 'tabular_repetition', {}, pool(4000, table), (row) => ({
    fingerprint: rowFingerprint(row),
  })),
  subject('image_repetition, 224×224 RGB', 'image_repetition', {}, pool(16, photo), (pixels) => ({
    fingerprint: perceptualHash(pixels),
  })),
  subject(
    'image_repetition, radius 8, hash given',
    'image_repetition',
    { radius: 8 },
    pool(1000, hash64),
    as('fingerprint'),
  ),
  subject(
    'similarity, 384 32-bit floats',
    'similarity',
    {},
    pool(512, () => Float32Array.from({ length: 384 }, () => next() - 0.5)),
    as('embedding'),
  ),
  subject(
    'similarity, 384 doubles',
    'similarity',
    {},
    pool(512, () => Float64Array.from({ length: 384 }, () => next() - 0.5)),
    as('embedding'),
  ),
  subject('tabular_similarity, 10 numbers', 'tabular_similarity', {}, pool(4000, table), as('row')),
  subject('image_similarity, 224×224 RGB', 'image_similarity', {}, pool(16, photo), (pixels) => ({
    embedding: embedPixels(pixels),
  })),
  subject('text_similarity, 75 characters', 'text_similarity', {}, texts, (text) => ({ embedding: embedText(text) })),
  lineage('descent_lineage, 32×32 RGB given', {}),
  lineage('descent_lineage, 32×32 RGB given, bytes', { storage: 'bytes' }),
  lineage('descent_lineage, 32×32 RGB given, reduced', { ring: 8, adopted: 2, groups: 2 }),
  subject('content_fingerprint, 32×32 RGB', 'content_fingerprint', {}, pool(512, thumbnail), fingerprinted),
  subject(
    'content_fingerprint, 32×32 RGB, always the same',
    'content_fingerprint',
    {},
    pool(1, thumbnail),
    fingerprinted,
  ),
  subject('content_fingerprint, 75 characters', 'content_fingerprint', {}, texts, (text) => ({
    shingles: textShingles(text),
  })),
  subject(
    'neighbour_distance, 384 32-bit floats',
    'neighbour_distance',
    { resetOnAlarm: false },
    pool(512, () => Float32Array.from({ length: 384 }, () => next() - 0.5)),
    as('embedding'),
  ),
  ...[10, 1000].map((classes) =>
    subject(
      `coverage, ${classes} classes`,
      'coverage',
      {},
      pool(64, () => distribution(classes)),
      as('probabilities'),
    ),
  ),
  {
    row: 'query_rate',
    make: () => createDetector('query_rate'),
    inputs: pool(1, () => ''),
    observe: () => ({ timeMs: 1e12 + 700 * serial++ }),
  },
  // 170 inputs as signed sums and 1000 distances, whatever the window.
  {
    row: 'prada, 32×32 RGB given',
    make: () => createDetector('prada'),
    inputs: pool(64, () => ({
      vector: Float32Array.from({ length: 32 * 32 * 3 }, next),
      probabilities: distribution(10),
    })),
    observe: (given) => given,
  },
  subject(
    'margin_trend, 32×32 RGB',
    'margin_trend',
    {},
    pool(512, () => ({ pixels: thumbnail(), probabilities: distribution(10) })),
    ({ pixels, probabilities }) => ({ ...fingerprinted(pixels), probabilities }),
  ),
  subject(
    'margin_trend, 32×32 RGB, always the same',
    'margin_trend',
    {},
    pool(512, () => distribution(10)).map((probabilities) => ({ probabilities, pixels: same })),
    ({ pixels, probabilities }) => ({ ...fingerprinted(pixels), probabilities }),
  ),
  {
    row: 'hardness_histogram, 10 classes',
    make: () => {
      const clients = pool(200, () => pool(100, () => ({ probabilities: distribution(10) })))
      return createDetector('hardness_histogram', { reference: fitHardness(clients) })
    },
    inputs: pool(256, () => distribution(10)),
    observe: as('probabilities'),
  },
  ...['stream', 'window', 'bets'].map((form) => ({
    row: `distribution_shift, 384 32-bit floats, ${form}`,
    make: () => {
      const clients = pool(40, () => pool(100, () => Float32Array.from({ length: 384 }, () => next() - 0.5)))
      return createDetector('distribution_shift', { reference: fitShift(clients, { form, alpha: 0.1 }) })
    },
    inputs: pool(512, () => Float32Array.from({ length: 384 }, () => next() - 0.5)),
    observe: as('embedding'),
  })),
  subject('provenance, 75 characters', 'provenance', {}, texts, (text) => ({ fingerprint: simHash(text) })),
  subject('provenance, picture hash given', 'provenance', {}, pool(4000, hash64), as('fingerprint')),
  {
    row: 'update_geometry, 32×32 RGB given',
    make: () => createDetector('update_geometry'),
    inputs: pool(64, () => Float32Array.from({ length: 32 * 32 * 3 }, next)),
    observe: as('vector'),
  },
  {
    row: 'answer_following, 32×32 RGB given',
    make: () => createDetector('answer_following'),
    inputs: pool(64, () => ({
      vector: Float32Array.from({ length: 32 * 32 * 3 }, next),
      probabilities: distribution(10),
    })),
    observe: (query) => query,
  },
  alone('picture as numbers alone, 224×224 RGB', pool(16, photo), pictureVector),
  alone('picture shingles alone, 224×224 RGB', pool(16, photo), pictureShingles),
  alone('the same with SHA-256, 32×32 RGB', pool(16, thumbnail), (pixels) =>
    pictureShingles(pixels, { digest: 'sha256' }),
  ),
  alone('text fingerprint alone, 75 characters', texts, textFingerprint),
  alone('the same with @noble/hashes', texts, (text) => bytesToHex(sha256(utf8ToBytes(text.trim().toLowerCase())))),
]

/** Fills the window with features that cost nothing to make. */
function fill(detector, count, needs) {
  for (let i = 0; i < count; i++) detector.process(needs(i))
}

function filler({ observe, inputs }) {
  const kept = pool(Math.min(64, inputs.length), (i) => observe(inputs[i]))
  return (i) => {
    const one = kept[i % kept.length]
    return one.fingerprint !== undefined ? { fingerprint: i.toString(16).padStart(16, '0') } : one
  }
}

function sample({ detector, inputs, observe }, state) {
  const until = SAMPLE_MS * 1000
  const start = process.cpuUsage()
  let used = 0
  let calls = 0
  let flagged = 0
  while (used < until) {
    const many = state.perLook
    for (let i = 0; i < many; i++)
      if (detector.process(observe(inputs[state.at++ % inputs.length])).suspicious) flagged++
    calls += many
    const { user, system } = process.cpuUsage(start)
    used = user + system
    if (used < until / 20) state.perLook = many * 2
  }
  state.flagged = flagged
  return used / calls
}

const bar = (done, all) =>
  process.stderr.isTTY &&
  process.stderr.write(`\r${'█'.repeat(Math.round((30 * done) / all)).padEnd(30, '░')} ${done}/${all}`)
const rows = []
for (const window of WINDOWS) {
  const running = subjects.map((s) => {
    const detector = s.make(window)
    fill(detector, window, filler(s))
    return { ...s, detector, state: { at: 0, perLook: 1, flagged: 0 }, times: [] }
  })
  for (const one of running) sample(one, one.state) // warm-up
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of round % 2 === 0 ? running : [...running].reverse()) one.times.push(sample(one, one.state))
    bar(round + 1, ROUNDS)
  }
  for (const { row, times } of running) {
    const sorted = [...times].sort((a, b) => a - b)
    const median = sorted[sorted.length >> 1]
    const reference = REFERENCE[row]?.[window] ?? null
    const goal = reference !== null && WITH_GOAL.some((prefix) => row.startsWith(prefix)) ? reference / 10 : null
    rows.push({
      name: row,
      window,
      min: sorted[0],
      median,
      max: sorted.at(-1),
      reference,
      goal,
      met: goal === null ? null : median <= goal,
    })
  }
}
if (process.stderr.isTTY) process.stderr.write('\n')

const figure = (v) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2))
const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${os.availableParallelism()} cores, Node ${process.version}`
const lines = [
  '# CPU per query',
  '',
  `In µs: median [min … max] of ${ROUNDS} rounds · ${machine} · ${new Date().toISOString().slice(0, 10)}`,
  '',
  '| detector | window | µs CPU | reference | reference ÷ ours | at most a tenth |',
  '|---|---|---|---|---|---|',
  ...rows.map((r) => {
    const verdict = r.met === null ? '–' : r.met ? 'yes' : '**no**'
    const ratio = r.reference === null ? '–' : `${figure(r.reference / r.median)}×`
    return `| ${r.name} | ${r.window} | ${figure(r.median)} [${figure(r.min)} … ${figure(r.max)}] | ${r.reference ?? '–'} | ${ratio} | ${verdict} |`
  }),
]
console.log(lines.join('\n'))

const report = {
  revision: process.env['GITHUB_SHA'] ?? 'working tree',
  date: new Date().toISOString(),
  machine,
  rows: rows.map((r) => ({
    name: `${r.name}, window ${r.window}`,
    value: r.median,
    unit: 'µs CPU',
    spread: [r.min, r.max],
    ...(r.goal === null ? {} : { goal: r.goal }),
    met: r.met,
  })),
}
const root = new URL('..', import.meta.url)
mkdirSync(new URL('reports/', root), { recursive: true })
writeFileSync(new URL('reports/bench.json', root), `${JSON.stringify(report, null, 2)}\n`)
if (!quick) writeFileSync(new URL('bench/results/detectors.md', root), `${lines.join('\n')}\n`)
