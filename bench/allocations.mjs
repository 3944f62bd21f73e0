/**
 * Bytes that each query allocates, once the window is full and the code compiled: `npm run bench:allocations`.
 *
 * Verdicts are fresh data for the caller, so they are counted apart: what they hold on to is what is left after a collection
 * while all of them are kept. The rest is garbage. The features of the queries have been made before; what making them
 * allocates shows in the last rows. Results go to bench/results/allocations.md and .json.
 *
 *   --quick   few calls, to see that everything runs; the results go to reports/ only
 *   --only=x  rows whose names contain x
 */
import { createMonitor } from 'monitaur'
import { countAllocations, countAwaited, findGarbage } from './allocations/heap.mjs'
import { detectors, inputs, monitors } from './allocations/subjects.mjs'
import { loadInside } from './kernels/bundle.mjs'
import { machine, write } from './server/report.mjs'

const quick = process.argv.includes('--quick')
const only = process.argv.find((one) => one.startsWith('--only='))?.slice(7) ?? ''
/** How many functions are named in a row, and the bytes of garbage from which they are. */
const SITES = 4
const LEAST_BYTES = 5
/** A count is off by some kilobytes in all, so that many calls are wanted. */
const CALLS = quick ? 100 : 10_000
const WARM_UP_MS = quick ? 50 : 600

if (globalThis.gc === undefined) throw new Error('run it by npm run bench:allocations: it needs --expose-gc')
const core = await loadInside('allocations')
const rows = []
for (const { name, detector, config, queries, isTimed } of detectors(core)) {
  if (!name.includes(only)) continue
  const made = core.createDetector(detector, config)
  let at = 0
  const step = () => {
    const query = queries[at++ % queries.length]
    if (isTimed) query.timeMs += 700
    return made.process(query)
  }
  rows.push(await measure('detector', name, step))
}
for (const { name, set, queries } of monitors(core)) {
  if (!name.includes(only)) continue
  const monitor = core.createStreamMonitor({ detectors: set, policy: { mode: 'observe' } })
  let at = 0
  const step = () => {
    const entry = queries[at++ % queries.length]
    entry.timeMs += 700 * queries.length
    return monitor.apply(entry)
  }
  rows.push(await measure('monitor over features', name, step))
}
for (const [name, make] of Object.entries(inputs)) {
  if (!name.includes(only)) continue
  const monitor = createMonitor({ detectors: core.recommended(name), policy: { mode: 'observe' } })
  const queries = Array.from({ length: 64 }, make)
  rows.push(await measureAwaited(name, monitor, queries))
}
report()

async function measure(kind, name, step) {
  const until = Date.now() + WARM_UP_MS
  for (let i = 0; i < 300 || Date.now() < until; i++) {
    step()
    // Code is compiled by other threads, and put in place between turns.
    if (i % 64 === 0) await new Promise((resolve) => setTimeout(resolve))
  }
  const slow = performance.now()
  for (let i = 0; i < 20; i++) step()
  const calls = Math.max(quick ? 20 : 500, Math.min(CALLS, Math.ceil((20 * 2000) / (performance.now() - slow))))
  const counts = []
  for (let i = 0; i < 3; i++) counts.push(await countAllocations(step, calls))
  counts.sort((a, b) => a.allocated - b.allocated)
  return { kind, name, ...garbageOf(counts[1]), sites: await sitesOf(step, calls) }
}

async function sitesOf(step, calls) {
  const found = await findGarbage(step, calls)
  return found.filter(({ bytes }) => bytes >= LEAST_BYTES).slice(0, SITES)
}

/** Promises and features count as well. */
async function measureAwaited(name, monitor, queries) {
  let at = 0
  const ask = () => monitor.inspect(queries[at++ % queries.length])
  for (let i = 0; i < (quick ? 50 : 2000); i++) await ask()
  return {
    kind: 'createMonitor, features included',
    name,
    ...garbageOf(await countAwaited(ask, quick ? 20 : 2000)),
    sites: [],
  }
}

function garbageOf({ allocated, held }) {
  return { allocated, verdict: Math.min(held, allocated), garbage: Math.max(allocated - held, 0) }
}

function report() {
  const date = new Date().toISOString()
  const line = (cells) => `| ${cells.join(' | ')} |`
  const whole = (value) => value.toFixed(0)
  const lines = [
    '# Allocations',
    '',
    `${date.slice(0, 10)} · ${machine()}, V8 ${process.versions.v8} · \`npm run build && npm run bench:allocations\``,
    '',
    'Bytes a query, with a full window and compiled code, median of three counts. The verdict is what the caller gets and may keep; garbage',
    'is all else. By samples of the heap: the functions that make most garbage, in bytes, each with its line in the bundle.',
    '',
    'What is left, and why:',
    '',
    '- 16 bytes for each double that a function takes or returns where the engine does not put it into its caller: which ones it does',
    '  changes from run to run. Doubles in arrays and in objects that are kept cost nothing.',
    '- 16 bytes for each number that is read out of a row of a table, and a few texts for each category: rows are objects of the caller.',
    '- 24 to 60 bytes for pieces of a reason that are joined to less than a whole, such as `toFixed` of a number.',
    '- Where a distance, a test or a surrogate is only due at some queries, its working memory counts for a part of each.',
    '- A calibrated detector makes its verdict of one without calibration, which is left.',
    '- A monitor makes an object of what it has heard, and a copy of an observation that gets the time of the stream.',
    '- `createMonitor` waits: each `await` takes promises and closures. It copies what a caller could change meanwhile, and makes the features',
    '  afresh, as several queries may be under way at a time: of a picture of 32 × 32 in colour 3 kB and 12 kB.',
    '',
    line(['what', 'which', 'allocated', 'the verdict', 'garbage', 'where']),
    line(['---', '---', '---', '---', '---', '---']),
    ...rows.map(({ kind, name, allocated, verdict, garbage, sites }) => {
      const where = sites.map((site) => `\`${site.name}\` ${whole(site.bytes)}`).join(', ') || '–'
      return line([kind, name, whole(allocated), whole(verdict), whole(garbage), where])
    }),
    '',
  ]
  console.log(lines.join('\n'))
  const folder = quick || only !== '' ? 'reports' : 'bench/results'
  write(`${folder}/allocations.md`, lines.join('\n'))
  const json = { date, machine: machine(), versions: process.versions, calls: CALLS, rows }
  write(`${folder}/allocations.json`, `${JSON.stringify(json, null, 2)}\n`)
}
