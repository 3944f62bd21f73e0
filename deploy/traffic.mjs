/** Traffic for a monitoring server, so that its metrics have something to show. `node deploy/traffic.mjs --help`. */
import { parseArgs } from 'node:util'
import { createClient, reasonOf, verdictsIn } from './traffic/http.mjs'
import { listen, operate, pause } from './traffic/operator.mjs'
import { createRandom } from './traffic/random.mjs'
import { createTally } from './traffic/tally.mjs'
import { createUsers } from './traffic/users.mjs'

const HELP = `usage: node deploy/traffic.mjs [options]

Sends queries of many honest users and of a few attackers to a server that runs with deploy/monitaur.yaml, acts as its
operator, and listens to its events. Needs Node 20 and nothing else.

options:
  --target URL   default http://127.0.0.1:8000
  --seconds N    how long; 0 is for ever. Default 60
  --rate N       queries a second, at most 1000. Default 20
  --seed N       the same seed sends the same queries. Default: a new one at each start, so that nobody honest
                 repeats what an earlier run has sent
  -h, --help     this text

environment:
  MONITAUR_TOKEN   the operator's token, if the server has one

exit codes: 0 done, or stopped by SIGINT or SIGTERM · 1 wrong use, or no such server · 2 done, but some queries were not
answered, or with a 5xx
`
const OPTIONS = {
  target: { type: 'string', default: 'http://127.0.0.1:8000' },
  seconds: { type: 'string', default: '60' },
  rate: { type: 'string', default: '20' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
  help: { type: 'boolean', short: 'h' },
}
/** Queries under way; at the limit the next one waits. */
const MAX_IN_FLIGHT = 64
const PROGRESS_MS = 500

/** A reason to stop, in a sentence. */
class Stop extends Error {}

async function main() {
  const options = readOptions()
  if (options === undefined) return 0
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stopping.abort())
  const { signal } = stopping
  const client = createClient({ target: options.target, token: process.env.MONITAUR_TOKEN || undefined, signal })
  await checkServer(client, options)
  console.error(`traffic: to ${options.target}, ${options.rate} queries a second, seed ${options.seed}`)

  const tally = createTally({ stream: process.stderr, now: () => performance.now() })
  if (options.seconds > 0) setTimeout(() => stopping.abort(), options.seconds * 1000)
  const shown = setInterval(() => tally.progress(options.seconds), PROGRESS_MS)
  try {
    await Promise.all([
      sendAll({ client, tally, random: createRandom(options.seed), rate: options.rate, signal }),
      operate({ client, tally, random: createRandom(options.seed + 1), signal }),
      listen({ client, tally, signal }),
    ])
  } finally {
    clearInterval(shown)
    stopping.abort()
    tally.endProgress()
    console.log(tally.report())
  }
  return tally.failures() === 0 ? 0 : 2
}

function readOptions() {
  let values
  try {
    values = parseArgs({ options: OPTIONS }).values
  } catch (thrown) {
    throw new Stop(`${thrown.message.split('. ')[0]}; see --help`)
  }
  if (values.help) {
    process.stdout.write(HELP)
    return undefined
  }
  const number = (name, min, max) => {
    const value = Number(values[name])
    if (values[name].trim() !== '' && value >= min && value <= max) return value
    throw new Stop(`--${name} must be a number from ${min} to ${max}, got '${values[name]}'`)
  }
  if (!/^https?:\/\//.test(values.target) || !URL.canParse(values.target)) {
    throw new Stop(`--target must be an address such as http://127.0.0.1:8000, got '${values.target}'`)
  }
  return {
    target: values.target.replace(/\/+$/, ''),
    seconds: number('seconds', 0, 1e6),
    rate: number('rate', 0.01, 1000),
    seed: number('seed', 0, 2 ** 32 - 2),
  }
}

/** Throws where there is no server, or one without the two models. */
async function checkServer(client, { target }) {
  const { status } = await client.get('/health').catch((thrown) => {
    throw new Stop(`no server answers at ${target} (${reasonOf(thrown)}); start one with
  node dist/cli.js serve --config deploy/monitaur.yaml
or name it with --target`)
  })
  if (status !== 200) throw new Stop(`${target}/health answered ${status}, so this is no monitaur server`)
  for (const model of ['assistant', 'claims']) {
    const { text } = await client.post('/v1/inspect', { model, client_id: 'traffic', model_output: [0.9, 0.1] })
    if (JSON.parse(text).error?.path !== 'model') continue
    throw new Stop(`the server has no model '${model}'; start it with --config deploy/monitaur.yaml`)
  }
}

/** Sends query after query, at random times, until the signal; then waits for the last answers. */
async function sendAll({ client, tally, random, rate, signal }) {
  const users = createUsers(random)
  const underWay = new Set()
  let dueMs = performance.now()
  while (!signal.aborted) {
    if (underWay.size >= MAX_IN_FLIGHT) await Promise.race(underWay)
    const user = random.pickByShare(users)
    const work = sendOne(client, tally, user, user.next()).finally(() => underWay.delete(work))
    underWay.add(work)
    dueMs += (-Math.log(1 - random.next()) / rate) * 1000
    const lateMs = performance.now() - dueMs
    if (lateMs > 1000) dueMs += lateMs // what a slow server made us miss is not made up for
    await pause(Math.max(0, -lateMs), signal)
  }
  await Promise.all(underWay)
}

async function sendOne(client, tally, { name, bad = false }, { path, body, type }) {
  tally.sent(name)
  try {
    const { status, text } = await client.post(path, body, type === undefined ? {} : { type })
    tally.answered(name, status, verdictsIn(text))
    const isExpected = bad ? status < 500 : status === 200 || isRefusal(text)
    if (!isExpected) tally.note(`${name}: ${path} answered ${status} ${text.slice(0, 200)}`)
  } catch (thrown) {
    tally.unanswered(name)
    tally.note(`${name}: ${reasonOf(thrown)}`)
  }
}

function isRefusal(text) {
  return JSON.parse(text).error?.code === 'suspended'
}

process.exitCode = await main().catch((thrown) => {
  if (!(thrown instanceof Stop)) throw thrown
  console.error(`traffic: ${thrown.message}`)
  return 1
})
