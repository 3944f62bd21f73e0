/** Servers in processes of their own, on a processor of their own where there are two. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const isPinned = os.availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const echo = fileURLToPath(new URL('echo.mjs', import.meta.url))

/** The command with its processor: servers on the first, the load on the second. */
export function pinned(processor, command) {
  return isPinned ? ['taskset', '-c', String(processor), ...command] : command
}

/** `monitaur serve` with these options. */
export const startMonitaur = (options = []) => start([cli, 'serve', '--port', '0', '--json', '--quiet', ...options])

/** A bare `node:http` server that reads JSON and answers JSON. */
export const startEcho = () => start([echo])

async function start(command) {
  const [program, ...rest] = pinned(0, [process.execPath, ...command])
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((done) => child.once('exit', done))
  const lines = createInterface({ input: child.stdout })
  const address = await new Promise((done, fail) => {
    lines.once('line', (line) => done(JSON.parse(line).address))
    ended.then((code) => fail(new Error(`a server ended with ${code} before it listened`)))
  })
  return {
    address,
    memory: () => memoryOf(child.pid),
    cpu: () => cpuOf(child.pid),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Seconds of processor time so far, in ticks of 10 ms. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** MB now and at most so far; Linux tells both. */
function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) / 1024
  return { now: read('VmRSS'), most: read('VmHWM') }
}
