/**
 * What the log in Redis costs: `npm run bench:redis`. Throughput of one server and of three over the same log, processor time
 * of a query with and without it, and the time of the log step itself. The tables go to bench/results/redis.md, the rows to
 * reports/redis.json.
 *
 *   --quick        short rounds, to see that everything runs; the tables go to reports/ only
 *   --priority=N  for the log step, where the machine has other work to do: Redis and the writers at this nice value
 */
import { execFile } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { createProgress } from './embed/progress.mjs'
import { SECRET, startRedis } from './redis/redis.mjs'
import { checkWrk, load } from './server/load.mjs'
import { startMonitaur } from './server/process.mjs'
import { machine, median, writeReport } from './server/report.mjs'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, priority: { type: 'string' } } })
const quick = options.quick === true
const ROUNDS = quick ? 1 : 5
const SECONDS = quick ? 2 : 5
const GOAL_MS = 5
const priority = Number(options.priority ?? 0)
/** A command at the priority of the log step. */
const atPriority = (command) => (priority === 0 ? command : ['nice', '-n', String(priority), ...command])
const writer = fileURLToPath(new URL('redis/writer.mjs', import.meta.url))
/** What `monitaur serve` sets for itself: see src/server/cli.ts. */
const AS_SERVED = ['--min-semi-space-size=4', '--max-semi-space-size=4', '--no-parallel-scavenge']
const run = promisify(execFile)
process.env.MONITAUR_REDIS_SECRET = SECRET

const SERVERS = [
  { name: 'one server, no log', replicas: 1 },
  { name: 'one server, Redis without AOF', replicas: 1, sync: 'none' },
  { name: 'one server, Redis, appendfsync always', replicas: 1, sync: 'always' },
  { name: 'three servers, Redis without AOF', replicas: 3, sync: 'none' },
  { name: 'three servers, Redis, appendfsync always', replicas: 3, sync: 'always' },
]
/** Each writes so many entries a second. */
const STEPS = [
  { name: 'one writer, 200/s, without AOF', writers: 1, perSecond: 200, sync: 'none' },
  { name: 'one writer, 200/s, appendfsync always', writers: 1, perSecond: 200, sync: 'always' },
  { name: 'three writers, 100/s each, without AOF', writers: 3, perSecond: 100, sync: 'none' },
  { name: 'three writers, 100/s each, appendfsync always', writers: 3, perSecond: 100, sync: 'always' },
  { name: 'a bare XADD, 200/s, without AOF', writers: 1, perSecond: 200, sync: 'none', isBare: true },
  { name: 'a bare XADD, 200/s, appendfsync always', writers: 1, perSecond: 200, sync: 'always', isBare: true },
]

checkWrk()
const progress = createProgress('parts', SERVERS.length + STEPS.length)
const loads = [loadavg()[0]]
const servers = []
for (const one of SERVERS) {
  servers.push({ ...one, rounds: await measureServers(one) })
  progress.step(servers.length)
}
const steps = []
for (const one of STEPS) {
  steps.push({ ...one, rounds: await measureStep(one) })
  loads.push(loadavg()[0])
  progress.step(SERVERS.length + steps.length)
}
progress.end()

const busy = `load of the machine ${Math.min(...loads).toFixed(1)} … ${Math.max(...loads).toFixed(1)}`
const stepTable = [
  ['log step', 'p50 ms', 'p99 ms', 'most ms'],
  ...steps.map(({ name, rounds }) => [name, ...['p50', 'p99', 'most'].map((key) => figures(rounds, key, 2))]),
]
const line = (cells) => `| ${cells.join(' | ')} |`
writeReport({
  name: 'redis',
  title: '# A log in Redis',
  intro: [
    `${machine()}, ${busy} · \`npm run bench:redis${quick ? ' -- --quick' : ''}\``,
    '',
    `The log step: from the write of an entry to its verdict, in a process that writes at a steady pace, with the memory of a`,
    `server; ${ROUNDS} rounds of ${SECONDS} s, median [least … most]. Redis, the writers and whatever else runs share the processors. The last two rows are what the`,
    'machine takes for a bare `XADD` of 400 bytes at the same pace: nothing can be faster.',
    ...(priority === 0
      ? []
      : [`Redis and the writers had the nice value ${priority} here; the servers below had none.`]),
    '',
    ...[stepTable[0], stepTable[0].map(() => '---'), ...stepTable.slice(1)].map(line),
    '',
    '`POST /detect` with the confidence detector, 10 classes; each server has 16 connections of its own, all at once. All',
    'servers have one processor together, so three do the work of one three times: each replays what the others have judged.',
    'CPU is that of all servers and of Redis, divided by the queries answered.',
    '',
  ],
  table: [
    ['what', 'requests/s', 'p50 ms', 'p99 ms', 'servers, CPU µs/query', 'Redis, CPU µs/query'],
    ...servers.map(({ name, rounds }) => [
      name,
      ...[
        ['rate', 0],
        ['p50', 2],
        ['p99', 2],
        ['cpu', 0],
        ['redisCpu', 0],
      ].map(([key, digits]) => figures(rounds, key, digits)),
    ]),
  ],
  rows: [
    ...steps
      .filter(({ isBare }) => isBare !== true)
      .map(({ name, rounds }) => {
        const value = median(rounds.map(({ p99 }) => p99))
        return { name: `p99 of the log step, ${name}`, value, unit: 'ms', goal: GOAL_MS, met: value < GOAL_MS }
      }),
    ...servers.flatMap(({ name, rounds }) => [
      { name: `requests/s, ${name}`, value: median(rounds.map(({ rate }) => rate)), unit: '1/s', met: null },
      { name: `CPU of a query, ${name}`, value: median(rounds.map(({ cpu }) => cpu)), unit: 'µs', met: null },
    ]),
  ],
  isKept: !quick,
})

async function measureServers({ replicas, sync }) {
  const redis = sync === undefined ? undefined : await startRedis(sync)
  const given = redis === undefined ? [] : ['--redis', redis.url]
  const all = await Promise.all(Array.from({ length: replicas }, () => startMonitaur(given)))
  try {
    const rounds = []
    for (let round = -1; round < ROUNDS; round++) {
      const cpu = () => all.reduce((sum, server) => sum + server.cpu(), 0)
      const before = [cpu(), redis?.cpu() ?? 0]
      const found = await Promise.all(all.map(({ address }) => load(address, { seconds: SECONDS })))
      const queries = found.reduce((sum, { requests }) => sum + requests, 0)
      if (round === -1) continue // warm-up
      rounds.push({
        rate: found.reduce((sum, { rate }) => sum + rate, 0),
        p50: median(found.map(({ p50 }) => p50)),
        p99: Math.max(...found.map(({ p99 }) => p99)),
        cpu: ((cpu() - before[0]) / queries) * 1e6,
        redisCpu: (((redis?.cpu() ?? 0) - before[1]) / queries) * 1e6,
      })
    }
    return rounds
  } finally {
    await Promise.all(all.map((server) => server.stop()))
    await redis?.stop()
  }
}

async function measureStep({ writers, perSecond, sync, isBare = false }) {
  const redis = await startRedis(sync, atPriority)
  try {
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const command = [
        process.execPath,
        ...AS_SERVED,
        writer,
        redis.url,
        String(perSecond),
        String(SECONDS),
        ...(isBare ? ['bare'] : []),
      ]
      const [program, ...args] = atPriority(command)
      const said = await Promise.all(Array.from({ length: writers }, () => run(program, args, { maxBuffer: 2 ** 26 })))
      const times = said.flatMap(({ stdout }) => JSON.parse(stdout)).sort((a, b) => a - b)
      const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
      rounds.push({ p50: at(0.5), p99: at(0.99), most: times.at(-1) })
    }
    return rounds
  } finally {
    await redis.stop()
  }
}

function figures(rounds, key, digits) {
  const values = rounds.map((round) => round[key])
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(digits)} [${least.toFixed(digits)} … ${most.toFixed(digits)}]`
}
