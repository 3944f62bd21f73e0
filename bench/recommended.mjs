/**
 * What the recommended set for classifiers of pictures costs: `npm run build && node --expose-gc bench/recommended.mjs`.
 * One client with 1000 queries behind it, and 10 000 clients of whom one in twenty asks much.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { createMonitor, recommended } from '../dist/index.js'
import { createRandom } from './embed/random.mjs'

const random = createRandom(20261130)
const pictures = Array.from({ length: 64 }, () => ({
  data: Uint8Array.from({ length: 3072 }, () => 256 * random.next()),
  width: 32,
  height: 32,
  channels: 3,
}))
const CLIENTS = 10_000
const OF_MANY = 20
const [FEW, MANY] = [5, 80]
const detectors = recommended('image-classifier')

const mb = (bytes) => (bytes / 2 ** 20).toFixed(0)
const ask = (monitor, client, n) =>
  monitor.inspect({
    input: pictures[n % 64],
    modelOutput: [
      [0.6, 0.3, 0.1],
      [0.2, 0.5, 0.3],
    ][n % 2],
    client,
  })

async function oneClient() {
  const monitor = createMonitor({ detectors })
  for (let n = 0; n < 1000; n++) await ask(monitor, 'one', n)
  const { clients } = await monitor.describe()
  const from = process.cpuUsage()
  for (let n = 0; n < 2000; n++) await ask(monitor, 'one', n)
  const { user, system } = process.cpuUsage(from)
  return { bytes: clients.bytes, micros: (user + system) / 2000 }
}

async function manyClients() {
  const monitor = createMonitor({ detectors, clients: { maxClients: 2 * CLIENTS, maxBytes: 2e9 } })
  for (let client = 0; client < CLIENTS; client++) {
    const queries = client % OF_MANY === 0 ? MANY : FEW
    for (let n = 0; n < queries; n++) await ask(monitor, `client ${client}`, 7 * client + n)
  }
  globalThis.gc?.()
  const { clients } = await monitor.describe()
  return { active: clients.active, bytes: clients.bytes, rss: process.memoryUsage().rss }
}

const one = await oneClient()
const many = await manyClients()
const rows = [
  ['bytes of a client with 1000 queries', `${(one.bytes / 1024).toFixed(0)} kB`, '128 kB', one.bytes <= 128 * 1024],
  [
    'CPU a query at history 1000, picture to verdict',
    `${(one.micros / 1000).toFixed(3)} ms`,
    '0.5 ms',
    one.micros <= 500,
  ],
  [`memory of the process with ${many.active} clients`, `${mb(many.rss)} MB`, '700 MB', many.rss <= 700e6],
]
const table = rows.map(
  ([what, measured, goal, met]) => `| ${what} | ${measured} | ${goal} | ${met ? 'yes' : '**no**'} |`,
)
const text = `# The recommended set for pictures

${new Date().toISOString().slice(0, 10)} · ${cpus()[0].model}, Node ${process.version} · \`npm run build && node --expose-gc bench/recommended.mjs\`

${detectors.map(({ name }) => `\`${name}\``).join(', ')}, pictures of 32 × 32. Of ${CLIENTS} clients one in ${OF_MANY} asks ${MANY} times, the
others ${FEW} times; they hold ${mb(many.bytes)} MB by the monitor's own account.

| what | measured | at most | met |
|---|---|---|---|
${table.join('\n')}
`
console.log(text)
writeFileSync(fileURLToPath(new URL('results/recommended.md', import.meta.url)), text)
