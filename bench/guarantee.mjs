/**
 * The promise about benign clients, simulated: `npm run bench:guarantee`. 2000 clients of heavy-tailed lengths up to
 * 10 000 queries against a calibration on 4000 others, in texts, rows and pictures of the test data (`MONITAUR_DATA`);
 * report in bench/results/guarantee.md, rows in reports/guarantee.json. About ten minutes.
 *
 *   --quick   a tenth of it, on invented texts alone where there is no data; to reports/guarantee-quick.md and .json
 *
 * Exits with 1 on errors. A promise that is not kept is shown as not met, and is no error.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({ options: { quick: { type: 'boolean' } } })
const quick = options.quick === true
const AMOUNTS = quick
  ? { calibration: 600, test: 300, longest: 1000, tail: 0.8, attackers: 3 }
  : { calibration: 4000, test: 2000, longest: 10_000, tail: 0.65, attackers: 11 }

const percent = (share) => `${(100 * share).toFixed(2)} %`
const ranged = ({ share, interval }) => `${percent(share)} [${percent(interval.low)}, ${percent(interval.high)}]`
const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${os.availableParallelism()} cores, Node ${process.version}`
const date = new Date().toISOString()

try {
  await main()
} catch (thrown) {
  process.stderr.write(`${thrown.stack ?? thrown}\n`)
  process.exitCode = 1
}

async function main() {
  const { simulate, worlds, missing, LENGTHS, MOST_QUERIES } = await bundled()
  const outcomes = []
  for (const make of worlds()) outcomes.push(...simulate(make, AMOUNTS, (what) => process.stderr.write(`${what}\n`)))
  const markdown = reportOf(outcomes, { LENGTHS, MOST_QUERIES, missing })
  console.log(markdown)
  const name = quick ? 'guarantee-quick' : 'guarantee'
  mkdirSync(join(root, 'reports'), { recursive: true })
  const file = quick ? join(root, 'reports', `${name}.md`) : join(root, 'bench/results', `${name}.md`)
  writeFileSync(file, `${markdown}\n`)
  const revision = process.env['GITHUB_SHA'] ?? 'working tree'
  const report = { revision, date, machine, rows: outcomes.flatMap(rowsOf) }
  writeFileSync(join(root, 'reports', `${name}.json`), `${JSON.stringify(report, null, 2)}\n`)
}

/** The simulation is TypeScript, and so is what it simulates. */
async function bundled() {
  const dir = join(root, 'reports', 'guarantee')
  const bundle = await rolldown({
    input: join(root, 'bench/guarantee/simulate.ts'),
    platform: 'node',
    external: [/^node:/],
    logLevel: 'silent',
  })
  const file = join(dir, 'simulate.mjs')
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  await bundle.close()
  // The data folder is looked for from where the sources lie.
  process.env['MONITAUR_DATA'] ??= join(root, '../shared/data')
  const loaded = await import(pathToFileURL(file).href)
  rmSync(dir, { recursive: true, force: true })
  return loaded
}

function isKept({ alpha, benign }) {
  return benign.suspended.interval.low <= alpha
}

function rowsOf(outcome) {
  const { world, alpha, benign, average, naive, uncalibrated } = outcome
  const name = (what) => `${world}, alpha ${alpha}: ${what}`
  return [
    {
      name: name('benign clients suspended'),
      value: benign.suspended.share,
      unit: 'share',
      spread: [benign.suspended.interval.low, benign.suspended.interval.high],
      goal: alpha,
      met: isKept(outcome),
    },
    {
      name: name('benign clients suspended without an assurance'),
      value: average.share,
      unit: 'share',
      spread: [average.interval.low, average.interval.high],
      met: null,
    },
    { name: name('benign clients suspended by a product of p-values'), value: naive.share, unit: 'share', met: null },
    { name: name('benign clients suspended without calibration'), value: uncalibrated.share, unit: 'share', met: null },
    ...outcome.attacks.map(({ kind, filler, queries }) => ({
      name: name(`who ${kind}, ${filler} harmless queries between`),
      value: String(queries[queries.length >> 1]),
      unit: 'queries',
      met: queries.every((count) => count < Infinity),
    })),
  ]
}

function reportOf(outcomes, { LENGTHS, MOST_QUERIES, missing }) {
  const last = (queries) => (queries.at(-1) === Infinity ? `never in ${MOST_QUERIES}` : queries.at(-1))
  const middle = (queries) => (queries[queries.length >> 1] === Infinity ? 'never' : queries[queries.length >> 1])
  return [
    '# The promise about benign clients',
    '',
    `${AMOUNTS.test} benign clients, calibrated on ${AMOUNTS.calibration} others with other inputs; lengths after Pareto with exponent ${AMOUNTS.tail}, up to ${AMOUNTS.longest} queries; up to 5 % of a client's queries are retries (up to 20 in a row), up to 5 % small changes, 6 % of the clients make sweeps. Intervals are Clopper and Pearson's, 95 %. ${machine}, ${date.slice(0, 10)}.`,
    ...(missing.length > 0
      ? ['', `Without ${missing.join(', ')}: point MONITAUR_DATA at the test data for the rest.`]
      : []),
    '',
    'Ever suspended, of the benign clients. The promise is made by default with an assurance of 95 %: for the very record that was made, in 95 of 100 calibrations. It is kept where the interval does not lie above alpha. Without an assurance it holds on average over calibrations only, so that a single one may lie above; that column is information:',
    '',
    '| inputs | alpha | suspended | kept | without assurance | throttled | drift found | product of p-values | no calibration |',
    '|---|---|---|---|---|---|---|---|---|',
    ...outcomes.map((one) => {
      const { world, alpha, benign, average, naive, uncalibrated } = one
      const cells = [world, alpha, ranged(benign.suspended), isKept(one) ? 'yes' : '**no**', ranged(average)]
      const rest = [percent(benign.throttled.share), benign.drifts, ranged(naive), ranged(uncalibrated)]
      return `| ${[...cells, ...rest].join(' | ')} |`
    }),
    '',
    'The same by the length of the stream. The promise is about clients, whatever their length; heavy ones are more likely among the few:',
    '',
    `| inputs | alpha | ${LENGTHS.join(' | ')} |`,
    `|---|---|${LENGTHS.map(() => '---|').join('')}`,
    ...outcomes.map(({ world, alpha, benign }) => {
      const cells = benign.byLength.map(({ count, of }) => `${count} of ${of}`)
      return `| ${[world, alpha, ...cells].join(' | ')} |`
    }),
    '',
    `Queries of the attack itself until an attacker is suspended: median and slowest of ${AMOUNTS.attackers}`,
    '',
    '| inputs | alpha | attacker | alone | with ten harmless queries between |',
    '|---|---|---|---|---|',
    ...outcomes.flatMap(({ world, alpha, attacks }) =>
      [...new Set(attacks.map(({ kind }) => kind))].map((kind) => {
        const [alone, hidden] = attacks.filter((one) => one.kind === kind).map(({ queries }) => queries)
        const cell = (queries) => `${middle(queries)}, ${last(queries)}`
        return `| ${[world, alpha, kind, cell(alone), cell(hidden)].join(' | ')} |`
      }),
    ),
  ].join('\n')
}
