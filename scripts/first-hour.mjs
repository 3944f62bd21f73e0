/**
 * The first hour of a stranger: clones this repository into a fresh folder, with an empty npm cache, follows the README, packs, and
 * then does every five-minute start with the tarball really installed. `node scripts/first-hour.mjs` prints a row a step, with
 * seconds, and writes them to reports/first-hour.md. What it needs: the registry, curl, Chromium, Prometheus.
 *
 * Ports are free ones instead of those of the pages, and the model hub is played by the test data (`MONITAUR_DATA`).
 */
import { spawn, spawnSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const data = process.env.MONITAUR_DATA ?? join(root, '../shared/data')
/** From which onnxruntime-node takes files for graphics cards; without it docs/install.md says what to do. */
const GRAPHICS_HOST = 'api.nuget.org'

const place = mkdtempSync(join(tmpdir(), 'monitaur-first-hour-'))
const clone = join(place, 'monitaur')
const env = { ...process.env, npm_config_cache: join(place, 'npm-cache'), MONITAUR_DATA: data }
const rows = []

try {
  await main()
} catch (error) {
  console.error(`first-hour: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(place, { recursive: true, force: true })
}

async function main() {
  await step('README', 'git clone', () => run('git', ['clone', '--quiet', root, clone], place))
  await step('README', 'npm ci', () => run('npm', ['ci']))
  await step('README', 'npm start, until both addresses answer', start)
  await step('README', 'node first.mjs', first)
  await step('install', 'npm pack', () => run('npm', ['pack']))
  const tarball = join(
    clone,
    readdirSync(clone).find((name) => name.endsWith('.tgz')),
  )
  const isReached = await lookup(GRAPHICS_HOST).then(
    () => true,
    () => false,
  )
  const walked = isReached ? {} : { ONNXRUNTIME_NODE_INSTALL: 'skip' }
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'test/docsStarts.test.ts', '-t', 'start']
  mkdirSync(join(clone, 'reports'), { recursive: true })
  const failure = failureOf(() => run(process.execPath, args, clone, { ...walked, MONITAUR_TARBALL: tarball }))
  const steps = join(clone, 'reports/first-hour.ndjson')
  const isWaitedFor = ({ step: what }) => !/^(?:write |compare$)/.test(what)
  const told = (existsSync(steps) ? readFileSync(steps, 'utf8').trim().split('\n') : []).map((line) => JSON.parse(line))
  for (const { page, step: what, ms } of told.filter(isWaitedFor)) rows.push({ page, what, seconds: ms / 1000 })
  tell(isReached)
  if (failure !== undefined) throw failure
}

async function step(page, what, work) {
  const startedMs = performance.now()
  await work()
  rows.push({ page, what, seconds: (performance.now() - startedMs) / 1000 })
}

/** Rejects if it ends, or says nothing of its addresses for minutes. */
async function start() {
  const child = spawn('npm', ['start'], { cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGTERM'), 300_000)
  try {
    const addresses = []
    for await (const line of createInterface({ input: child.stdout })) {
      const [, address] = /^monitaur (?:demo|server): (http\S+)/.exec(line) ?? []
      if (address !== undefined) addresses.push(address)
      if (addresses.length === 2) break
    }
    if (addresses.length < 2) throw new Error('npm start ended before it told both addresses')
    for (const address of addresses) {
      const { status } = await fetch(address)
      if (status !== 200) throw new Error(`${address} answers ${status}`)
    }
  } finally {
    clearTimeout(timer)
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
  }
}

function first() {
  const [, code] = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(join(clone, 'README.md'), 'utf8'))
  writeFileSync(join(clone, 'first.mjs'), code)
  const { stdout } = spawnSync(process.execPath, ['first.mjs'], { cwd: clone, encoding: 'utf8' })
  const expected = /^\/\/ (.*)$/m.exec(code)[1]
  if (stdout.trim() !== expected) throw new Error(`first.mjs printed '${stdout.trim()}' instead of '${expected}'`)
}

function run(program, args, cwd = clone, more = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env: { ...env, ...more }, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}:\n${stdout}${stderr}`)
}

function failureOf(work) {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

function tell(isReached) {
  const lines = rows.map(({ page, what, seconds }) => `| ${page} | \`${what}\` | ${seconds.toFixed(1)} |`)
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0)
  lines.push(`| all | | ${total.toFixed(1)} |`)
  const table = ['| page | step | seconds |', '|---|---|---|', ...lines].join('\n')
  const where = `${new Date().toISOString().slice(0, 10)} · ${cpus().length} cores · Node ${process.version}`
  const graphics = isReached ? '' : ' · without the files for graphics cards: their host was not reached'
  console.log(`${table}\n\n${where}${graphics}`)
  mkdirSync(join(root, 'reports'), { recursive: true })
  writeFileSync(join(root, 'reports/first-hour.md'), `${where}${graphics}\n\n${table}\n`)
}
