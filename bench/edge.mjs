/**
 * What the middleware adds to a request: `npm run bench:edge`. The table goes to bench/results/edge.md, the rows to
 * reports/edge.json.
 *
 * One Worker holds the same handler bare and watched; a client on one connection asks them in turn, the order reversed
 * every other round, each text a new one. A ratio is that of medians of one round, so of neighbours in time; the median
 * and the quartiles of all rounds are shown. `bare` is measured twice: `again` shows what the measurement cannot tell.
 * Two more show what the platform takes for the least that such a middleware needs: `named` and `copied`.
 *
 *   latency      requests apart from each other, as a client feels them: work after the response has an idle moment
 *   in a row     one after the other without a pause: work after the response delays the next one
 *
 *   --quick      few rounds, to see that everything runs; the table goes to reports/ only
 */
import { setTimeout as pause } from 'node:timers/promises'
import { openClient } from './edge/client.mjs'
import { bundleApp, startApi, startNode, startWorkerd } from './edge/hosts.mjs'
import { createProgress } from './embed/progress.mjs'
import { machine, median, writeReport } from './server/report.mjs'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 4 : 40
/** For each way: engines compile what runs often. */
const WARM_UP_MS = quick ? 200 : 3000
const APART_MS = 2
/** Requests of one way in one round. */
const COUNTS = { latency: 15, 'in a row': 25 }

const HANDLERS = {
  atOnce: 'answers at once',
  model: 'computes for about 1 ms',
  api: 'asks an API that takes 10 ms',
}
const WAYS = {
  again: { name: 'bare again' },
  named: { name: 'a keyed hash for a name, no more' },
  copied: { name: 'a copy of the request’s body, no more' },
  admit: { name: 'admit alone', goal: 1.02 },
  input: { name: 'observe after: repetition', goal: 1.1 },
  output: { name: 'observe after: repetition and confidence', goal: 1.1 },
  similarity: { name: 'observe after: those and similarity', goal: 1.1 },
}

let serial = 0

const app = await bundleApp()
const api = await startApi()
try {
  const results = []
  for (const start of [startWorkerd, startNode]) results.push(...(await measureHost(await start(app, api))))
  report(results)
} finally {
  api.close()
  app.close()
}

async function measureHost(host) {
  const client = await openClient(host.port)
  const results = []
  try {
    for (const handler of Object.keys(HANDLERS)) {
      const rounds = await measure(client, handler, `${host.name}, ${HANDLERS[handler]}`)
      for (const pace of Object.keys(COUNTS)) results.push({ host: host.name, handler, pace, rounds: rounds[pace] })
    }
  } finally {
    client.close()
    await host.close()
  }
  return results
}

async function measure(client, handler, title) {
  const ways = ['bare', ...Object.keys(WAYS)]
  const progress = createProgress(title, ROUNDS)
  for (const way of ways) await warmUp(client, `/${handler}/${way}`)
  const rounds = { latency: [], 'in a row': [] }
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? ways : [...ways].reverse()
    for (const [pace, times] of Object.entries(rounds)) {
      const found = {}
      for (const way of order) found[way] = await sample(client, `/${handler}/${way}`, pace)
      times.push(found)
    }
    progress.step(round + 1)
  }
  progress.end()
  return rounds
}

async function warmUp(client, path) {
  const untilMs = performance.now() + WARM_UP_MS
  while (performance.now() < untilMs) await client.ask(path, newBody())
}

/** The median of a few requests, in µs. */
async function sample(client, path, pace) {
  const times = []
  for (let i = 0; i < COUNTS[pace]; i++) {
    if (pace === 'latency') await pause(APART_MS)
    times.push(1000 * (await client.ask(path, newBody())))
  }
  return median(times)
}

function newBody() {
  serial++
  const text = `Request ${serial}: is a text of about eighty characters, such as people write, odd?`
  return JSON.stringify({ text })
}

function quartiles(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return [sorted[sorted.length >> 2], median(sorted), sorted[(3 * sorted.length) >> 2]]
}

/** How long a bare handler must take in workerd for what was added to one that answers at once to be within the goal. */
function enoughFor(results) {
  const { rounds } = results.find((one) => one.host === 'workerd' && one.handler === 'atOnce' && one.pace === 'latency')
  return Object.entries(WAYS)
    .filter(([, { goal }]) => goal !== undefined)
    .map(([way, { name, goal }]) => {
      const added = median(rounds.map((round) => round[way] - round.bare))
      return { name, ms: added / (goal - 1) / 1000 }
    })
}

function report(results) {
  const table = [['host', 'handler', 'pace', 'bare, µs', ...Object.values(WAYS).map(({ name }) => name)]]
  const rows = []
  for (const { host, handler, pace, rounds } of results) {
    const cells = Object.entries(WAYS).map(([way, { name, goal }]) => {
      const [low, value, high] = quartiles(rounds.map((round) => round[way] / round.bare))
      const added = median(rounds.map((round) => round[way] - round.bare))
      // The goals are of the latency in workerd.
      const wanted = goal !== undefined && host === 'workerd' && pace === 'latency' ? { goal } : {}
      rows.push({
        name: `${host}, ${HANDLERS[handler]}, ${pace}: ${name}`,
        value,
        unit: '× bare',
        spread: [low, high],
        ...wanted,
        met: wanted.goal === undefined ? null : value <= goal,
      })
      return `${value.toFixed(3)} [${low.toFixed(3)} … ${high.toFixed(3)}], ${added < 0 ? '−' : '+'}${Math.abs(added).toFixed(0)} µs`
    })
    const [low, value, high] = quartiles(rounds.map(({ bare }) => bare))
    rows.push({
      name: `${host}, ${HANDLERS[handler]}, ${pace}: bare`,
      value,
      unit: 'µs',
      spread: [low, high],
      met: null,
    })
    const bare = `${value.toFixed(0)} [${low.toFixed(0)} … ${high.toFixed(0)}]`
    table.push([host, HANDLERS[handler], pace, bare, ...cells])
  }
  const enough = enoughFor(results)
  rows.push(
    ...enough.map(({ name, ms }) => ({ name: `workerd: ${name}, goal met from`, value: ms, unit: 'ms', met: null })),
  )
  writeReport({
    name: 'edge',
    title: '# The middleware in front of a handler',
    intro: [
      `${machine()}, workerd by Miniflare · \`npm run bench:edge${quick ? ' -- --quick' : ''}\``,
      '',
      'Time of a request over a bare handler’s, in turn on one connection: median [quartiles] of',
      `${ROUNDS} rounds. Repetition and similarity look at the request, confidence at the answer.`,
      `Latency: ${APART_MS} ms between requests. In a row: none, so that work after a response delays the next one.`,
      '',
      'What is added hardly depends on the handler, so the goals are met from handlers of this time on:',
      `${enough.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(', ')}.`,
      '',
    ],
    table,
    rows,
    isKept: !quick,
  })
}
