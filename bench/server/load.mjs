/** Load from wrk, which does not measure itself as a client in JavaScript would. */
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pinned } from './process.mjs'

const run = promisify(execFile)
const script = fileURLToPath(new URL('load.lua', import.meta.url))
const CONNECTIONS = 16

/** Throws if there is no wrk. */
export function checkWrk() {
  if (spawnSync('wrk', ['-v']).error === undefined) return
  throw new Error('wrk is missing, which makes the load: apt-get install wrk (or brew install wrk)')
}

/**
 * Sends queries for some seconds: `classes` numbers each, from so many `clients` (0: without a name). Gives requests per
 * second and latencies in ms. Throws if any answer was not a success.
 */
export async function load(address, { seconds, classes = 10, clients = 0, path = 'detect' }) {
  const options = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, `${address}${path}`]
  const [program, ...rest] = pinned(1, ['wrk', ...options, '--', String(classes), String(clients)])
  const { stdout } = await run(program, rest)
  const said = JSON.parse(stdout.trimEnd().split('\n').at(-1))
  if (said.errors > 0 || said.requests === 0) throw new Error(`${said.errors} of ${said.requests} requests failed`)
  return { rate: said.requests / said.seconds, p50: said.p50 / 1000, p99: said.p99 / 1000, requests: said.requests }
}
