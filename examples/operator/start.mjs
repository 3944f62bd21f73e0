/**
 * The monitoring server with Prometheus, its rules and the Grafana dashboard, under a little traffic: twenty honest people, and
 * one who alters a prompt letter by letter.
 *
 *     node examples/operator/start.mjs
 *
 * Needs `prometheus` on PATH (`apt-get install prometheus`); without it the server runs alone, and `/metrics` is there to be
 * looked at. After twenty seconds (`--seconds`) it tells what Prometheus knows, and goes on until Ctrl-C. With Docker, Grafana
 * comes as well: see deploy/README.md.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT ?? '8000' },
    seconds: { type: 'string', default: '20' },
  },
})
const monitaur = dirname(fileURLToPath(import.meta.resolve('monitaur/package.json')))
const folder = mkdtempSync(join(tmpdir(), 'monitaur-operator-'))
const children = []
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(0))

const config = fileURLToPath(new URL('monitaur.yaml', import.meta.url))
const server = await startServer(['serve', '--config', config, '--port', values.port, '--json', '--quiet'])
console.log(`cockpit       ${server}`)
console.log(`metrics       ${server}metrics`)
const dashboard = join(folder, 'dashboard.json')
await once(run(process.execPath, [join(monitaur, 'dist/cli.js'), 'dashboard', '--output', dashboard]), 'exit')
console.log(`dashboard     ${dashboard}, to be imported in Grafana under Dashboards, New, Import`)
const prometheus = await startPrometheus(new URL(server).host)
console.log(
  prometheus ? `alerts        ${prometheus}/alerts` : 'prometheus    none on PATH: apt-get install prometheus',
)
await sendTraffic(Number(values.seconds))
if (prometheus) await tellTotals()
console.log(`running until Ctrl-C: ${server}`)

async function startServer(args) {
  const child = run(process.execPath, [join(monitaur, 'dist/cli.js'), ...args], ['ignore', 'pipe', 'inherit'])
  const [line] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), once(child, 'exit')])
  if (typeof line !== 'string') return end(1)
  return JSON.parse(line).address
}

/** Undefined where it is not installed. */
async function startPrometheus(target) {
  const rules = join(monitaur, 'deploy/prometheus/rules.yml')
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${JSON.stringify(rules)}]
scrape_configs:
  - job_name: monitaur # the rules go by this name
    static_configs: [{ targets: [${JSON.stringify(target)}] }]
`,
  )
  const address = `127.0.0.1:${await freePort()}`
  const options = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, '--log.level=error']
  const child = run('prometheus', [...options, `--web.listen-address=${address}`])
  const isThere = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)])
  return isThere ? `http://${address}` : undefined
}

async function sendTraffic(seconds) {
  const prompt = 'Please tell me how the limit of my card is worked out, and who may change it'
  for (let i = 0; i < 10 * seconds; i++) {
    const at = (3 * i) % prompt.length
    await ask('mallory', `${prompt.slice(0, at)}${'aeiou'[i % 5]}${prompt.slice(at + 1)}`)
    await ask(`person-${i % 20}`, `${['When', 'Why', 'How', 'Where'][i % 4]} did order ${7919 * i} of mine change?`)
    await new Promise((done) => setTimeout(done, 100))
  }
}

async function ask(client, input) {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ client, input, modality: 'text' })
  const response = await fetch(`${server}v1/inspect`, { method: 'POST', headers, body })
  const { action, error } = await response.json()
  if (error !== undefined && error.code !== 'suspended') throw new Error(error.message)
  return action
}

async function tellTotals() {
  const end = Date.now() / 1000
  // What it knows is as old as its last look at the server.
  for (let i = 0; i < 100 && !(Number(await totalOf('max(timestamp(detector_requests_total))')) > end); i++) {
    await new Promise((done) => setTimeout(done, 200))
  }
  for (const [what, expression] of [
    ['queries judged', 'sum(detector_requests_total{detector="text_similarity"})'],
    ['suspicious', 'sum(suspicious_queries_total{detector="text_similarity"})'],
    ['clients suspended', 'sum(monitaur_clients_suspended)'],
  ]) {
    console.log(`${what.padEnd(19)} ${(await totalOf(expression)) ?? 'unknown'}`)
  }
}

async function totalOf(expression) {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`).catch(
    () => undefined,
  )
  const { data } = (await response?.json()) ?? {}
  return data?.result[0]?.value[1]
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  return port
}

function run(program, args, stdio = ['ignore', 'ignore', 'inherit']) {
  const child = spawn(program, args, { stdio })
  child.on('error', () => {}) // where it is missing, whoever starts it hears so
  children.push(child)
  return child
}

function end(code) {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.exit(code)
}
