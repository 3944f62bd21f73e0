/** The hosts that answer over HTTP: the server in Node, the server in Deno, Durable Objects in workerd. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { rolldown } from 'rolldown'
import { CONFIG } from './traffic.mjs'

const path = (relative) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
const TOKEN = 'a-token-for-the-soak'

/** MB of a process, by what Linux says; undefined once it is gone. */
function residentMb(pid) {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return undefined
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))[1]) / 1024
}

/** Asks `POST /v1/inspect`. */
function asker(address) {
  return async function ask(query) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
    const response = await fetch(new URL('/v1/inspect', address), {
      method: 'POST',
      headers,
      body: JSON.stringify(query),
    })
    const body = await response.json()
    return response.ok ? { kind: 'verdict', verdict: body } : { kind: 'refused', code: body.error.code }
  }
}

/** A program that says its address; what it writes to the error stream beside is a failure. */
async function startProgram(what, [command, ...args], { env = {}, addressOf, isFailure, end = () => {} }) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const failures = []
  let isEnding = false
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (isFailure(line)) failures.push(line.slice(0, 300))
  })
  const ended = new Promise((resolve) => {
    child.once('exit', (code) => {
      if (!isEnding) failures.push(`it ended with ${code}`)
      resolve()
    })
  })
  const address = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = addressOf(line)
      if (found !== undefined) resolve(found)
    })
    ended.then(() => reject(new Error(`${what} ended before it listened: ${failures.join('; ')}`)))
  })
  return {
    what,
    ask: asker(address),
    memory: async () => residentMb(lastOf(child.pid)),
    failures: async () => failures,
    async stop() {
      isEnding = true
      child.kill('SIGTERM')
      await ended
      end()
    },
  }
}

export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-soak-'))
  const file = join(folder, 'config.json')
  const settings = {
    ...CONFIG,
    token: TOKEN,
    log: { decisions: 'none' },
    state: { journal: join(folder, 'journal'), sync: 'interval' },
  }
  writeFileSync(file, JSON.stringify(settings))
  const command = [process.execPath, path('dist/cli.js'), 'serve', '--port', '0', '--json', '--config', file]
  return startProgram('The server in Node, with a journal (resident memory)', command, {
    addressOf: (line) => JSON.parse(line).address,
    isFailure: (line) => !line.startsWith('{') || JSON.parse(line).level === 'error',
    end: () => rmSync(folder, { recursive: true, force: true }),
  })
}

export async function startDeno() {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-soak-'))
  const file = join(folder, 'deno.mjs')
  await bundle(path('workers/deno.ts'), file, /^(?:node:|sharp|onnxruntime-|@huggingface)/, 'node')
  const env = {
    MONITAUR: JSON.stringify({ ...CONFIG, token: TOKEN, port: 0 }),
    MONITAUR_KV: join(folder, 'kv'),
    NO_COLOR: '1',
    DENO_NO_UPDATE_CHECK: '1',
  }
  const deno = path('node_modules/.bin/deno')
  const child = await startProgram(
    'The server in Deno, over Deno KV (resident memory)',
    [deno, 'run', '--unstable-kv', '-A', '--no-prompt', file],
    {
      env,
      addressOf: (line) => /http:\S+/.exec(line)?.[0],
      isFailure: (line) => /error|uncaught|panic/i.test(line),
      end: () => rmSync(folder, { recursive: true, force: true }),
    },
  )
  return child
}

export async function startWorkerd() {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-soak-'))
  const file = join(folder, 'worker.mjs')
  await bundle(path('workers/cloudflare.ts'), file, /^(?:node:|cloudflare:|sharp|onnxruntime-|@huggingface)/)
  const before = workerds()
  const failures = []
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-04-01',
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: readFileSync(file, 'utf8') }],
    bindings: { MONITAUR: { ...CONFIG, shards: 2, key: '0123456789abcdef0123456789abcdef' }, MONITAUR_TOKEN: TOKEN },
    durableObjects: {
      MONITAUR_SHARD: { className: 'MonitorShard', useSQLite: true },
      MONITAUR_GLOBAL: { className: 'MonitorGlobal', useSQLite: true },
    },
    defaultPersistRoot: join(folder, 'objects'),
    handleRuntimeStdio(stdout, stderr) {
      stdout.resume()
      createInterface({ input: stderr }).on('line', (line) => {
        if (/uncaught|exception|fatal|error/i.test(line)) failures.push(line.slice(0, 300))
      })
    },
  })
  const address = await miniflare.ready
  const pid = workerds().find((one) => !before.includes(one))
  return {
    what: 'Durable Objects in workerd (resident memory)',
    ask: asker(address),
    memory: async () => residentMb(pid),
    failures: async () => failures,
    async stop() {
      await miniflare.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The process at the end of a chain: some programs of npm packages only start another one. */
function lastOf(pid) {
  const [child] = childrenOf(pid)
  return child === undefined ? pid : lastOf(child)
}

function childrenOf(pid) {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split(' ')
        .filter((id) => id !== '')
        .map(Number)
    : []
}

/** The ids of the processes of workerd that this one has started. */
function workerds() {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const [, , parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
      return parent === String(process.pid) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('workerd')
    } catch {
      return false // it has just ended
    }
  })
}

async function bundle(input, file, external, platform = 'neutral') {
  const made = await rolldown({
    input,
    platform,
    ...(platform === 'node'
      ? {}
      : { resolve: { mainFields: ['module', 'main'], conditionNames: ['import', 'default'] } }),
    external,
    logLevel: 'silent',
  })
  await made.write({ file, format: 'esm', codeSplitting: false })
  await made.close()
}
