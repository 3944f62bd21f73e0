/**
 * The hot paths against their limits, against plain JavaScript and against other libraries: `npm run bench:kernels`.
 *
 * What is compared runs in turns in one process (A B A B …, the order reversed every other round), and only ratios count:
 * they are formed round by round, and their smallest, median and largest are shown. Times are CPU of the process, in
 * Chromium those of the clock. The peers
 * are those of bench/peers, if they are installed there. The tables go to bench/results/kernels.md, .json and .svg.
 *
 *   --quick      small sizes and few rounds, to see that everything runs; the tables go to reports/ only
 *   --only=part  scans, peers, features, growth or chromium alone; nothing is written to bench/results
 *   --largest=n  the largest window of growth, 1 000 000 by default: that one takes 2 GB
 *   --merge      writes the tables from what the parts have found on this machine before
 */

import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { compileKernels } from '../scripts/kernels.mjs'
import { loadInside, loadPlain } from './kernels/bundle.mjs'
import { toSvg } from './kernels/chart.mjs'
import { measureChromium } from './kernels/chromium.mjs'
import { measureFeatures } from './kernels/features.mjs'
import { measureGrowth } from './kernels/growth.mjs'
import { last } from './kernels/measure.mjs'
import { measurePeers } from './kernels/peers.mjs'
import { compileRead, measureScans } from './kernels/scans.mjs'
import { machine, write } from './server/report.mjs'

const quick = process.argv.includes('--quick')
const only = process.argv.find((one) => one.startsWith('--only='))?.slice(7)
const isMerging = process.argv.includes('--merge')
const largest = Number(process.argv.find((one) => one.startsWith('--largest='))?.slice(10) ?? (quick ? 1000 : 1e6))
const timing = quick ? { rounds: 3, sampleMs: 3, warmUpMs: 20 } : { rounds: 11, sampleMs: 20, warmUpMs: 400 }

/** Goals of the project that the code does not try to reach yet, or that another bench measures, and why. */
const ELSEWHERE = [
  ['3', 'PCA-head cascade', 'not built: bytes with re-ranking are exact on any data and need no rotation'],
  ['4', 'speed-up over the Python loop', '`npm run bench:python`, bench/results/python.md'],
  ['8', 'pHash against Python imagehash', '`npm run bench:python`, bench/results/python.md'],
  ['12', 'comlink against packed batches', '`npm run bench:border`, bench/results/border.md'],
  ['13', 'HTTP against bare node:http', '`npm run bench:server`, bench/results/server.md'],
]

/** What is known of goals that are missed. */
const WHY = [
  [
    '1, 2',
    'the margin is a few hundredths, and both sides move with what else the machine does: at 10 000 rows the bytes wait for the multiplying, which is nineteen twentieths of a query, the floats for memory',
  ],
  [
    '5',
    'the graph of hnswlib-node jumps from row to row: at 10 000 rows it fits the shared cache, and its time is several times as long where others use that; reading in order is hardly touched, so the ratio tells of the neighbours too',
  ],
  ['6', 'at 100 000 theirs reads a small part of the rows and misses neighbours; ours reads all and misses none'],
]

const about = { inside: await loadInside('compiled'), plain: await loadPlain(), quick, largest, timing }
if (about.inside.kernelModule() === null) throw new Error('this engine compiles no kernels')
const parts = {
  scans: () => measureScans(about),
  peers: () => measurePeers(about),
  features: () => measureFeatures(about),
  growth: () => measureGrowth(about),
  chromium: async () =>
    measureChromium({ quick, timing, kernels: await compileKernels(), reader: await compileRead() }),
}
const results = {}
for (const [name, measure] of Object.entries(parts)) {
  if (only !== undefined && only !== name) continue
  const saved = `reports/kernels-${name}.json`
  if (isMerging) {
    const file = new URL(`../${saved}`, import.meta.url)
    if (existsSync(file)) results[name] = JSON.parse(readFileSync(file, 'utf8'))
    continue
  }
  process.stderr.write(`${name} …\n`)
  results[name] = await measure()
  write(saved, JSON.stringify(results[name]))
}
const { peers, chromium } = results
const missing = [...(peers?.missing ?? []), ...(chromium?.missing ?? [])]
const measured = [results.scans, chromium?.found, results.features, peers?.found].flatMap((rows) => rows ?? [])
const unmeasured = Object.keys(parts).filter((name) => results[name] === undefined)
report(measured, [...missing, ...unmeasured.map((name) => `the part \`${name}\``)], results.growth ?? [])

function report(rows, missing, growth) {
  const date = new Date().toISOString()
  const head = `Node ${process.version}, V8 ${process.versions.v8}`
  const lines = [
    '# Hot paths',
    '',
    `${date.slice(0, 10)} · ${machine()}, V8 ${process.versions.v8} · seed 20261130 · ${timing.rounds} rounds, samples of ${timing.sampleMs} ms CPU · load of the machine when this was written: ${os.loadavg()[0].toFixed(1)}`,
    '',
    'Ratios, round by round: median [smallest … largest]. The answers of what is compared were checked against each other first.',
    '',
    table(['goal', 'metric', 'setting', 'ratio', 'wanted', 'met'], rows.map(cellsOf)),
    '',
    ...missing.map((name) => `Not in this table: ${name}.\n`),
    table(['goal', 'why it is missed, where it is'], WHY),
    '',
    table(['goal', 'of', 'where'], ELSEWHERE),
    '',
    ...(growth.length === 0 ? [] : growthLines(growth)),
  ]
  console.log(lines.join('\n'))
  const folder = quick || only !== undefined ? 'reports' : 'bench/results'
  write(`${folder}/kernels.md`, lines.join('\n'))
  const json = {
    date,
    machine: machine(),
    versions: process.versions,
    seed: 20261130,
    timing,
    rows,
    growth,
    consumed: last(),
  }
  write(`${folder}/kernels.json`, `${JSON.stringify(json, null, 2)}\n`)
  if (growth.length > 0)
    write(`${folder}/kernels.svg`, toSvg(growth, `${head} · ${date.slice(0, 10)} · lines show the spread`))
}

function growthLines(growth) {
  return [
    '## Growth',
    '',
    'CPU per query with a full window, and the exponent of the power of the size that fits best.',
    '',
    table(
      ['window of', ...(growth[0]?.points.map(({ size }) => String(size)) ?? []), 'exponent'],
      growth.map(({ name, points, exponent }) => [
        name,
        ...growth[0].points.map(({ size }) => timeOf(points.find((point) => point.size === size))),
        exponent.toFixed(2),
      ]),
    ),
    '',
    '![growth curves](kernels.svg)',
    '',
    'Resident memory of a process with a full window of embeddings, and after it has been overwritten twice; without the process.',
    '',
    table(
      ['window of', 'the 32-bit floats alone', 'full', 'overwritten twice'],
      growth[0].memory.map(({ size, ...mb }) => [String(size), ...Object.values(mb).map((one) => `${figure(one)} MB`)]),
    ),
    '',
  ]
}

function cellsOf({ goal, metric, setting, ratio, atMost, atLeast, stretch }) {
  const { min, median, max } = ratio
  const wanted = atMost !== undefined ? `≤ ${atMost}` : atLeast !== undefined ? `≥ ${atLeast}` : '–'
  const also = stretch === undefined ? '' : ` (stretch ${stretch})`
  return [
    goal ?? '–',
    metric,
    setting,
    `${figure(median)} [${figure(min)} … ${figure(max)}]`,
    wanted + also,
    verdict(median, atMost, atLeast),
  ]
}

/** Met, or by how much it is missed. */
function verdict(median, atMost, atLeast) {
  if (atMost === undefined && atLeast === undefined) return '–'
  if (median <= (atMost ?? Infinity) && median >= (atLeast ?? 0)) return 'yes'
  const factor = atMost === undefined ? atLeast / median : median / atMost
  return `**no**, by a factor of ${factor.toFixed(2)}`
}

function timeOf(point) {
  if (point === undefined) return '–'
  const { median } = point
  if (median < 1000) return `${figure(median)} ns`
  return median < 1e6 ? `${figure(median / 1000)} µs` : `${figure(median / 1e6)} ms`
}

function figure(value) {
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toFixed(4)
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
