/**
 * The server under load, against a bare `node:http` server that reads and writes JSON: `npm run bench:server`. The table
 * goes to bench/results/server.md, the rows to reports/server.json.
 *
 * Both servers run all the time, each is loaded in turn (A B B A …), and a ratio is that of neighbours in time; median,
 * least and most of the rounds are shown. Memory is what Linux says of the process at most, over all rounds.
 *
 *   --quick        two short rounds, to see that everything runs; the table goes to reports/ only
 *   --soak N       instead: N seconds of load from 10 000 clients; memory as bench/results/soak.svg and soak.md
 */
import { parseArgs } from 'node:util'
import { createProgress } from './embed/progress.mjs'
import { checkWrk, load } from './server/load.mjs'
import { startEcho, startMonitaur } from './server/process.mjs'
import { machine, median, writeReport } from './server/report.mjs'
import { soak } from './server/soak.mjs'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, soak: { type: 'string' } } })
const quick = options.quick === true
const ROUNDS = quick ? 2 : 10
const SECONDS = quick ? 1 : 4

/** What is asked, and the goals: the share of the bare server's rate, and MB. */
const CASES = [
  { name: '10 classes', load: {}, ratio: 0.65, memory: 120 },
  { name: '1000 classes', load: { classes: 1000 }, ratio: 0.65, memory: 120 },
  { name: '10 classes, 10 000 clients', load: { clients: 10_000 }, memory: 120 },
]

checkWrk()
if (options.soak === undefined) await compare()
else await soak({ seconds: readSeconds(options.soak) })

function readSeconds(text) {
  const seconds = Number(text)
  if (seconds >= 5) return seconds
  throw new Error(`--soak must be a number of seconds, at least 5, got ${text}`)
}

async function compare() {
  const progress = createProgress('rounds', CASES.length * ROUNDS)
  const results = []
  for (const [i, one] of CASES.entries()) {
    results.push(await measure(one, (round) => progress.step(i * ROUNDS + round)))
  }
  progress.end()
  writeReport({
    name: 'server',
    title: '# The server under load',
    intro: [
      `${machine()} · \`npm run bench:server${quick ? ' -- --quick' : ''}\``,
      '',
      `\`POST /detect\` with the confidence detector (entropy) beside a bare \`node:http\` server that parses the same body`,
      `and answers as much; 16 connections, ${ROUNDS} rounds of ${SECONDS} s each in turn, median [least … most].`,
      '',
    ],
    table: tableOf(results),
    rows: results.flatMap(rowsOf),
    isKept: !quick,
  })
}

async function measure(one, tell) {
  const servers = { echo: await startEcho(), monitaur: await startMonitaur() }
  try {
    for (const { address } of Object.values(servers)) await load(address, { ...one.load, seconds: SECONDS }) // warm-up
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const names = round % 2 === 0 ? ['echo', 'monitaur'] : ['monitaur', 'echo']
      const found = {}
      for (const name of names) found[name] = await load(servers[name].address, { ...one.load, seconds: SECONDS })
      rounds.push(found)
      tell(round + 1)
    }
    return { ...one, rounds, megabytes: { echo: servers.echo.memory(), monitaur: servers.monitaur.memory() } }
  } finally {
    for (const server of Object.values(servers)) await server.stop()
  }
}

function tableOf(results) {
  return [
    ['what', 'server', 'requests/s', 'ratio', 'p50 ms', 'p99 ms', 'RSS at most, MB'],
    ...results.flatMap(({ name, rounds, megabytes }) =>
      ['echo', 'monitaur'].map((server) => {
        const of = (key) => figures(rounds.map((round) => round[server][key]))
        const ratio = server === 'echo' ? '1' : figures(rounds.map(ratioOf), 2)
        const digits = { rate: 0, p50: 2, p99: 2 }
        const [rate, p50, p99] = Object.keys(digits).map((key) => of(key))
        return [name, server, rate, ratio, p50, p99, megabytes[server].most.toFixed(0)]
      }),
    ),
  ]
}

function ratioOf({ echo, monitaur }) {
  return monitaur.rate / echo.rate
}

function figures(values, digits = Math.max(...values) >= 1000 ? 0 : 2) {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(digits)} [${least.toFixed(digits)} … ${most.toFixed(digits)}]`
}

function rowsOf({ name, rounds, megabytes, ratio, memory }) {
  const ratios = rounds.map(ratioOf)
  const spread = [Math.min(...ratios), Math.max(...ratios)]
  const most = megabytes.monitaur.most
  const p99 = rounds.map(({ monitaur }) => monitaur.p99)
  return [
    {
      name: `/detect ÷ bare node:http, ${name}`,
      value: median(ratios),
      unit: '',
      spread,
      ...(ratio === undefined ? { met: null } : { goal: ratio, met: median(ratios) >= ratio }),
    },
    { name: `p99, ${name}`, value: median(p99), unit: 'ms', spread: [Math.min(...p99), Math.max(...p99)], met: null },
    { name: `RSS at most, ${name}`, value: most, unit: 'MB', goal: memory, met: most <= memory },
  ]
}
