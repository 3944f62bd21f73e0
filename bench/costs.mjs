/**
 * What each built-in detector costs at its defaults, for `listDetectors`: `node bench/costs.mjs` writes
 * src/core/detectorCosts.ts. CPU per query (`process.cpuUsage`, median of nine samples) with the feature given, and the
 * bytes that it remembers of one client, both once its window is full. Pictures are 32 × 32 × 3, vectors 384 numbers,
 * answers 10 classes, rows 10 numbers.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { createRandom } from './embed/random.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const FILL = 3000
const SAMPLES = 9
const SAMPLE_MS = 60

const core = await bundled()
const random = createRandom(20261124)

/** New every time: nothing is remembered twice. */
const FEATURES = {
  probabilities: () => answer(),
  fingerprint: () => ({ fingerprint: hex(16) }),
  embedding: () => ({ embedding: Float32Array.from({ length: 384 }, () => random.normal()) }),
  row: () => ({ row: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`c${i}`, 1000 * random.next()])) }),
  vector: () => ({ vector: Float32Array.from({ length: 3072 }, () => random.next()), ...answer() }),
  shingles: () => ({ shingles: core.pictureShingles(picture()), ...answer() }),
  timeMs: (i) => ({ timeMs: 1000 * i }),
}

function answer() {
  return { probabilities: core.softmax(Array.from({ length: 10 }, () => 3 * random.normal())) }
}

function hex(digits) {
  return Array.from({ length: digits }, () => random.below(16).toString(16)).join('')
}

function picture() {
  const data = Uint8Array.from({ length: 3072 }, () => random.below(256))
  return { data, width: 32, height: 32, channels: 3 }
}

/** Of detectors that do not take what others of their feature take. */
const OBSERVATIONS = {
  provenance: () => ({ fingerprint: hex(32) }),
  extraction_status: () => ({ vector: core.scaledRow(FEATURES.row().row), ...answer() }),
}

/** Detectors that learn new inputs only must not be shown the same ones again. */
const POOLS = { extraction_status: 30_000 }

/** What detectors that must know honest traffic are given. */
const OPTIONS = {
  hardness_histogram: () => ({ reference: core.fitHardness(clients(() => FEATURES.probabilities())) }),
  distribution_shift: () => ({ reference: core.fitShift(clients(() => FEATURES.embedding().embedding)) }),
}

function clients(make) {
  return Array.from({ length: 200 }, () => Array.from({ length: 100 }, make))
}

const names = process.argv.slice(2)
const costs = {}
for (const { name, needs } of core.listDetectors()) {
  if (names.length > 0 && !names.includes(name)) continue
  costs[name] = costOf(name, needs)
  console.log(`${name.padEnd(24)}${costs[name].microseconds} µs, ${costs[name].bytes} bytes`)
}
if (names.length === 0) writeFileSync(join(root, 'src/core/detectorCosts.ts'), moduleOf(costs))

function costOf(name, needs) {
  const detector = core.createDetector(name, OPTIONS[name]?.() ?? {})
  const observe = OBSERVATIONS[name] ?? FEATURES[needs]
  const pool = Array.from({ length: POOLS[name] ?? FILL }, (_, i) => observe(i))
  for (const observation of pool.slice(0, FILL)) detector.process(observation)
  let at = FILL
  const times = Array.from({ length: SAMPLES }, () => {
    let calls = 0
    const start = process.cpuUsage()
    for (let used = 0; used < 1000 * SAMPLE_MS; ) {
      for (let i = 0; i < 10; i++, at++, calls++) {
        detector.process(needs === 'timeMs' ? { timeMs: 1000 * at } : pool[at % pool.length])
      }
      const { user, system } = process.cpuUsage(start)
      used = user + system
    }
    const { user, system } = process.cpuUsage(start)
    return (user + system) / calls
  }).sort((a, b) => a - b)
  return { microseconds: Number(times[SAMPLES >> 1].toPrecision(2)), bytes: detector.bytes() }
}

function moduleOf(found) {
  const lines = Object.entries(found).map(([name, { bytes, microseconds }]) => {
    return `  ${name}: { bytes: ${bytes}, microseconds: ${microseconds} },`
  })
  return `/** Written by \`node bench/costs.mjs\`, which says what it measures. */

/** What a detector costs at its defaults. */
export interface DetectorCost {
  /** Remembered of one client whose window is full. */
  readonly bytes: number
  /** CPU per query then, without the feature, on the machine of the bench: for comparison only. */
  readonly microseconds: number
}

export const COSTS: Readonly<Record<string, DetectorCost>> = {
${lines.join('\n')}
}
`
}

async function bundled() {
  const dir = join(root, 'reports', 'costs')
  const bundle = await rolldown({ input: join(root, 'src/core/index.ts'), platform: 'neutral', logLevel: 'silent' })
  await bundle.write({ file: join(dir, 'core.mjs'), format: 'esm', codeSplitting: false })
  await bundle.close()
  const loaded = await import(pathToFileURL(join(dir, 'core.mjs')).href)
  rmSync(dir, { recursive: true, force: true })
  return loaded
}
