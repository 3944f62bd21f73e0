/**
 * Searches and picture hashes against Python (goals 4 and 8), for orientation: `npm run bench:python`.
 *
 * The loop of the Python toolkit is restated with numpy, and so is `imagehash.phash` where the package is missing; see
 * bench/python/theirs.py. Both processes wait for each other: one sample here, one there, the order reversed every other round,
 * each in CPU of its own process, on one thread. Answers are compared first. `MONITAUR_PYTHON` names the interpreter; without it
 * one is looked for. What it lacks is told. Results go to bench/results/python.md and .json.
 *
 *   --quick  small sizes and few rounds, to see that everything runs; the results go to reports/ only
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadInside } from './kernels/bundle.mjs'
import { clustered, waves } from './kernels/data.mjs'
import { ratio } from './kernels/measure.mjs'
import { openPython } from './python/process.mjs'
import { machine, write } from './server/report.mjs'

const SEED = 20261130
const WIDTH = 384
const ASKED = 100
const quick = process.argv.includes('--quick')
const timing = quick ? { rounds: 3, sampleMs: 5, warmUpMs: 20 } : { rounds: 11, sampleMs: 50, warmUpMs: 400 }

/** Answers are consumed, so that nothing is optimised away. */
let consumed = 0

const python = await openPython()
if (python === undefined) {
  console.log('Nothing is compared with Python: no interpreter was found; MONITAUR_PYTHON names one.')
} else {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-python-'))
  try {
    await measure(folder)
  } finally {
    python.end()
    rmSync(folder, { recursive: true })
  }
}

async function measure(folder) {
  const inside = await loadInside('python')
  const has = (name) => python.versions[name] !== null
  const rows = []
  const missing = []
  if (has('numpy')) rows.push(...(await searches(inside, folder)))
  else missing.push('searches: the package numpy is missing')
  if (has('PIL') && (has('imagehash') || (has('numpy') && has('scipy')))) rows.push(...(await hashes(inside, folder)))
  else missing.push('picture hashes: the packages Pillow, and imagehash or else numpy and SciPy, are missing')
  if (!has('imagehash')) missing.push('imagehash itself: the package is missing; what it does is restated')
  report(rows, missing)
}

/** Goal 4. */
async function searches(inside, folder) {
  const rows = []
  for (const count of quick ? [100, 1000] : [100, 1000, 10_000, 100_000]) {
    const data = clustered({ count, queries: ASKED, width: WIDTH, seed: SEED })
    const files = { rows: join(folder, 'rows'), queries: join(folder, 'queries') }
    writeFileSync(files.rows, bytesOf(data.rows))
    writeFileSync(files.queries, bytesOf(data.novel))
    await python.ask({ do: 'window', width: WIDTH, ...files })
    const ring = new inside.VectorRing(count)
    for (const row of data.rows) ring.push(row)
    await compareAnswers(ring, data.novel, count)
    let at = 0
    const scan = scanOf(inside, data)
    const times = await inTurns({
      scan: ours(() => scan(at++ % ASKED)),
      window: ours(() => ring.nearest(data.novel[at++ % ASKED]).index),
      loop: theirs({ do: 'search', way: 'loop' }),
      matrix: theirs({ do: 'search', way: 'matrix' }),
    })
    const row = (metric, over, under, more = {}) =>
      rows.push({ goal: 4, metric, setting: `${count} × ${WIDTH}`, ratio: ratio(times[over], times[under]), ...more })
    row('loop in Python / our scan in 32-bit floats', 'loop', 'scan', { atLeast: 90 })
    row('loop in Python / our window', 'loop', 'window', count >= 10_000 ? { atLeast: 250 } : {})
    row('matrix × vector in numpy / our window', 'matrix', 'window')
  }
  return rows
}

function bytesOf(vectors) {
  return Buffer.concat(vectors.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)))
}

/** The loop and the window give the oldest of the most similar rows; few queries where the loop takes long. */
async function compareAnswers(ring, queries, count) {
  const some = queries.slice(0, Math.min(ASKED, Math.ceil(200_000 / count)))
  const { found } = await python.ask({ do: 'search', way: 'loop', calls: some.length })
  const same = some.every((query, i) => ring.nearest(query).index === found[i])
  if (!same) throw new Error(`other answers at ${count} rows`)
  await python.ask({ do: 'rewind' })
}

/** The kernel that reads all rows in 32-bit floats, and the largest of its scores. */
function scanOf(inside, { rows, novel }) {
  const [query, out] = [0, 4 * WIDTH]
  const start = out + 4 * Math.ceil(rows.length / 4) * 4
  const memory = inside.openCompiled(start + 4 * WIDTH * rows.length)
  const { f32, kernels } = memory
  for (const [i, row] of rows.entries()) f32.set(row, start / 4 + i * WIDTH)
  return (asked) => {
    f32.set(novel[asked], query / 4)
    kernels.scan(start, rows.length, WIDTH, query, out)
    let best = 0
    for (let i = 1; i < rows.length; i++) if (f32[out / 4 + i] > f32[out / 4 + best]) best = i
    return best
  }
}

/** Goal 8. */
async function hashes(inside, folder) {
  const rows = []
  const what = python.versions.imagehash === null ? 'restated in Pillow and SciPy' : `${python.versions.imagehash}`
  for (const [width, height, atMost] of [
    [224, 224, 0.55],
    [1024, 768, 0.45],
  ]) {
    const pixels = waves(SEED, width, height)
    const file = join(folder, 'picture')
    writeFileSync(file, pixels.data)
    await python.ask({ do: 'picture', file, width, height })
    const { found } = await python.ask({ do: 'hash', calls: 1 })
    const own = inside.perceptualHash(pixels)
    if (own !== found) throw new Error(`other hashes: ${own}, and ${found} of Python`)
    const times = await inTurns({
      ours: ours(() => inside.perceptualHash(pixels).length),
      theirs: theirs({ do: 'hash' }),
    })
    const metric = `our perceptual hash / imagehash.phash, ${what}; decoded pixels, equal bits`
    rows.push({ goal: 8, metric, setting: `${width} × ${height}`, ratio: ratio(times.ours, times.theirs), atMost })
  }
  return rows
}

/** A way takes a number of calls and tells how long they took, in seconds of CPU. */
function ours(call) {
  return async (calls) => {
    const start = process.cpuUsage()
    for (let i = 0; i < calls; i++) consumed ^= call()
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1e6
  }
}

function theirs(what) {
  return async (calls) => (await python.ask({ ...what, calls })).seconds
}

/** Seconds a call by round, of ways that wait for each other. */
async function inTurns(ways) {
  const names = Object.keys(ways)
  const calls = {}
  for (const name of names) calls[name] = await warmUp(ways[name])
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < timing.rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      times[name].push((await ways[name](calls[name])) / calls[name])
    }
  }
  return times
}

/** How many calls make a sample. */
async function warmUp(way) {
  let spent = 0
  let each = 0
  for (let calls = 1; spent < timing.warmUpMs / 1000; calls *= 2) {
    const seconds = await way(calls)
    spent += seconds
    each = seconds / calls
  }
  return Math.max(1, Math.ceil(timing.sampleMs / 1000 / Math.max(each, 1e-7)))
}

function report(rows, missing) {
  const date = new Date().toISOString()
  const { numpy, PIL, scipy } = python.versions
  const theirVersions = `Python ${python.python}, numpy ${numpy ?? '–'}, Pillow ${PIL ?? '–'}, SciPy ${scipy ?? '–'}`
  const line = (cells) => `| ${cells.join(' | ')} |`
  const lines = [
    '# Against Python',
    '',
    `${date.slice(0, 10)} · ${machine()} · ${theirVersions} · seed ${SEED} · ${timing.rounds} rounds · \`npm run bench:python\``,
    '',
    'Ratios of CPU time, round by round: median [smallest … largest]. The loop is that of the Python toolkit, restated with numpy: for each',
    'remembered vector both are copied to doubles and both norms computed. Our scan reads all rows as 32-bit floats and takes the largest',
    'score; our window is what the detectors ask: bytes first where it is large, the winner decided in doubles. Both answer as the loop does.',
    '',
    line(['goal', 'metric', 'setting', 'ratio', 'wanted', 'met']),
    line(['---', '---', '---', '---', '---', '---']),
    ...rows.map((row) => line(cellsOf(row))),
    '',
    ...missing.map((what) => `Not compared: ${what}.\n`),
  ]
  console.log(lines.join('\n'))
  const folder = quick ? 'reports' : 'bench/results'
  write(`${folder}/python.md`, lines.join('\n'))
  const json = {
    date,
    machine: machine(),
    python: python.python,
    versions: python.versions,
    seed: SEED,
    timing,
    rows,
    missing,
    consumed,
  }
  write(`${folder}/python.json`, `${JSON.stringify(json, null, 2)}\n`)
}

function cellsOf({ goal, metric, setting, ratio: { min, median, max }, atMost, atLeast }) {
  const wanted = atMost !== undefined ? `≤ ${atMost}` : atLeast !== undefined ? `≥ ${atLeast}` : '–'
  const isMet = median <= (atMost ?? Infinity) && median >= (atLeast ?? 0)
  const met = wanted === '–' ? '–' : isMet ? 'yes' : '**no**'
  return [goal, metric, setting, `${figure(median)} [${figure(min)} … ${figure(max)}]`, wanted, met]
}

function figure(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
