/**
 * Mixed traffic in four hosts at the same time, for an hour: `npm run bench:soak`. Is the memory flat, is every query
 * answered once and with the verdict it must have, does nothing fail unheard? Plots and the table go to
 * bench/results/soak-hosts.*, the rows to reports/soak-hosts.json.
 *
 *   server    `monitaur serve` in Node, over HTTP        deno     workers/deno.ts, its memory in Deno KV
 *   worker    a monitor in a Web Worker in Chromium      workerd  workers/cloudflare.ts, its memory in Durable Objects
 *
 *   --minutes N        instead of 60; below five minutes the results go to reports/ only
 *   --reports          the results go to reports/ only, however long it takes
 *   --hosts a,b        some of them
 *   --rate N           queries a second and host; default 25
 */
import { parseArgs } from 'node:util'
import { createProgress } from './embed/progress.mjs'
import { toSvg } from './server/plot.mjs'
import { machine, median, write, writeReport } from './server/report.mjs'
import { startChromium } from './soak/chromium.mjs'
import { startDeno, startServer, startWorkerd } from './soak/hosts.mjs'
import { drive } from './soak/traffic.mjs'

const HOSTS = { server: startServer, worker: startChromium, workerd: startWorkerd, deno: startDeno }
const SAMPLE_MS = 1000
/** How much more the last third may take than the middle one. */
const GROWTH = 1.1

const { values } = parseArgs({
  options: {
    ...{ minutes: { type: 'string' }, hosts: { type: 'string' }, rate: { type: 'string' } },
    reports: { type: 'boolean', default: false },
  },
})
const minutes = readNumber('minutes', values.minutes ?? '60')
const rate = readNumber('rate', values.rate ?? '25')
const names = (values.hosts ?? Object.keys(HOSTS).join()).split(',')
const stranger = names.find((name) => !Object.hasOwn(HOSTS, name))
if (stranger !== undefined) throw new Error(`--hosts must be some of ${Object.keys(HOSTS).join()}, got ${stranger}`)

function readNumber(name, text) {
  const number = Number(text)
  if (number > 0) return number
  throw new Error(`--${name} must be a number above 0, got ${text}`)
}

const unhandled = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))
const progress = createProgress('seconds', Math.round(minutes * 60))
const results = await Promise.all(names.map(soakHost))
progress.end()
report(results)
if (results.some(({ lost, wrong, failures }) => lost + wrong + failures.length > 0)) process.exitCode = 1

async function soakHost(name) {
  const host = await HOSTS[name]()
  const startMs = performance.now()
  const samples = []
  const second = () => (performance.now() - startMs) / 1000
  const take = async () => {
    const now = await host.memory()
    if (now !== undefined) samples.push({ second: second(), now })
    if (name === names[0]) progress.step(Math.round(second()))
  }
  let taken = Promise.resolve()
  const timer = setInterval(() => {
    taken = taken.then(take).catch((thrown) => unhandled.push(thrown))
  }, SAMPLE_MS)
  try {
    const counts = await drive(host.ask, { seconds: minutes * 60, rate })
    await take()
    return { name, what: host.what, samples, failures: await host.failures(), ...counts }
  } finally {
    clearInterval(timer)
    await taken // a host that has stopped tells nothing of its memory
    await host.stop()
  }
}

function report(all) {
  const isKept = minutes >= 5 && !values.reports
  const folder = isKept ? 'bench/results' : 'reports'
  for (const { name, samples } of all) {
    write(`${folder}/soak-${name}.svg`, toSvg(samples, { title: `Memory of ${name}`, unit: 'MB' }))
  }
  const third = ({ samples }, i) => {
    const own = samples.filter(({ second }) => Math.floor((3 * second) / (minutes * 60 + 1e-9)) === i)
    return median(own.map(({ now }) => now))
  }
  writeReport({
    name: 'soak-hosts',
    title: '# Mixed traffic in four hosts',
    intro: [
      `${machine()} · \`npm run bench:soak -- --minutes ${minutes} --rate ${rate}\``,
      '',
      `It ran for ${minutes} minutes, all hosts at the same time. Honest clients, one that repeats itself, one that is malformed`,
      'and is refused for it; the repeater is suspended again and again. Lost: never answered. Wrong: another answer than the query must have.',
      '',
      ...all.flatMap(({ name, failures, examples }) => {
        return [...failures, ...examples].slice(0, 5).map((one) => `- ${name}: ${one}`)
      }),
      '',
      ...all.flatMap(({ name, what }) => [`${what}:`, '', `![Memory of ${name}](soak-${name}.svg)`, '']),
    ],
    table: [
      ['host', 'queries', 'verdicts', 'refused', 'lost', 'wrong', 'failures', 'first third, MB', 'middle', 'last'],
      ...all.map((one) => [
        one.name,
        ...[one.asked, one.verdicts, one.refused, one.lost, one.wrong, one.failures.length].map(String),
        ...[0, 1, 2].map((i) => third(one, i).toFixed(1)),
      ]),
    ],
    rows: [
      ...all.flatMap((one) => [
        row(`${one.name}: memory of the last third ÷ that of the middle`, third(one, 2) / third(one, 1), GROWTH),
        row(`${one.name}: queries lost`, one.lost, 0),
        row(`${one.name}: answers that are wrong`, one.wrong, 0),
        row(`${one.name}: failures and unhandled rejections`, one.failures.length, 0),
      ]),
      row('unhandled rejections of the driver', unhandled.length, 0),
    ],
    isKept,
  })
  for (const { name, failures, examples } of all) {
    for (const one of [...failures, ...examples].slice(0, 5)) console.log(`${name}: ${one}`)
  }
}

function row(name, value, goal) {
  return { name, value, unit: '', goal, met: value <= goal }
}
