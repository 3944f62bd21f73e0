/**
 * Near-duplicate benchmark: `npm run bench:embed`. Both halves: report in bench/results/embed.md and embed.svg, rows in
 * reports/embed.json.
 *
 *   --half dev      only the half on which choices are made; everything goes to reports/embed-dev.*
 *   --half heldout  only the other one; to reports/embed-heldout.*
 *   --quick         a few pictures, sentences and rows of the dev half, to see that everything runs; to reports/embed-quick.*
 *   --fresh         measures the peers again, whose figures are otherwise kept in reports/embed-cache.json
 *
 * Shows `reports/backends.json` too, if the test of the backends left it. Exits with 1 on errors, such as absent data;
 * goals that are not met are shown, and are no error.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { readBackends } from './embed/backends.mjs'
import { openCache } from './embed/cache.mjs'
import { toSvg } from './embed/chart.mjs'
import { rowsOf } from './embed/goals.mjs'
import { openMethods } from './embed/methods.mjs'
import { toMarkdown } from './embed/report.mjs'
import { FULL, QUICK, runImages, runParaphrases, runRest, runTimes } from './embed/run.mjs'

const root = new URL('..', import.meta.url)
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, fresh: { type: 'boolean' }, half: { type: 'string' } },
})
if (!['dev', 'heldout', undefined].includes(options.half)) {
  throw new Error(`--half must be dev or heldout, got ${options.half}`)
}
const quick = options.quick === true
const halves = quick ? ['dev'] : options.half === undefined ? ['heldout', 'dev'] : [options.half]
const amounts = quick ? QUICK : FULL

try {
  await main()
} catch (thrown) {
  process.stderr.write(`${thrown.stack ?? thrown}\n`)
  process.exitCode = 1
}

async function main() {
  // MobileNetV2 alone would take longer than everything else together.
  const methods = (await openMethods()).filter(({ key }) => !quick || key !== 'mobilenet')
  const cache = openCache({ fresh: options.fresh === true || quick, keep: !quick })
  const measured = []
  for (const half of halves) {
    measured.push({ half, images: await runImages(methods, half, amounts, cache), ...(await runRest(half, amounts)) })
  }
  const times = await runTimes(amounts)
  report(measured, times, runParaphrases(amounts))
}

function report(measured, times, paraphrases) {
  const rows = measured.flatMap((part, i) => rowsOf(i === 0 ? { ...part, times, paraphrases } : part, part.half))
  const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${os.availableParallelism()} cores, Node ${process.version}`
  const date = new Date().toISOString()
  const name = quick ? 'embed-quick' : options.half === undefined ? 'embed' : `embed-${options.half}`
  const markdown = toMarkdown(measured, {
    name,
    times,
    backends: readBackends(),
    paraphrases,
    machine,
    date: date.slice(0, 10),
    command: ['npm run bench:embed', ...(process.argv.length > 2 ? ['--'] : []), ...process.argv.slice(2)].join(' '),
    rows,
  })
  console.log(markdown)
  const revision = process.env['GITHUB_SHA'] ?? 'working tree'
  write(`reports/${name}.json`, `${JSON.stringify({ revision, date, machine, rows }, null, 2)}\n`)
  const folder = name === 'embed' ? 'bench/results' : 'reports'
  write(`${folder}/${name}.md`, markdown)
  write(`${folder}/${name}.svg`, toSvg(measured[0]))
}

function write(path, content) {
  const file = new URL(path, root)
  mkdirSync(new URL('.', file), { recursive: true })
  writeFileSync(file, content)
}
