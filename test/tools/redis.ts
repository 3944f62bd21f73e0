/** A real Redis for a test: found or installed, started on loopback, killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findProgram, installByApt, reasonOfFailure } from './programs.ts'
import { freePort } from './prometheusServer.ts'

/** The path of `redis-server`. Rejects with a sentence that says what was tried and what to do. */
export async function findRedis(): Promise<string> {
  const present = await findProgram(['redis-server'])
  if (present !== undefined) return present
  const failedBefore = process.env['MONITAUR_NO_REDIS']
  if (failedBefore !== undefined) throw new Error(failedBefore)
  const failure = await reasonOfFailure(() => installByApt('redis-server'))
  const found = await findProgram(['redis-server'])
  if (found !== undefined) return found
  throw new Error(
    `no Redis for the tests of replicas, tried PATH and apt-get install redis-server ` +
      `(${failure ?? 'no program came of it'}); run 'apt-get install redis-server', or put redis-server on PATH`,
  )
}

export interface TestRedis {
  readonly url: string
  /** Sends one command and gives the answer's text, as the protocol has it. */
  command(...args: readonly string[]): Promise<string>
  /** kill -9, or another signal. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it in its tracks, and lets it go on: a Redis that does not answer. */
  pause(): void
  resume(): void
  /** Starts it again, with what is on its disk. */
  start(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

const START_MS = 20_000

/** None outlives a test that failed. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface RedisOptions {
  /** Writes each command to the disk before its answer, or once a second. Default false. */
  readonly aof?: boolean | 'everysec'
  /** Where its files are; default one of its own, which goes with it. */
  readonly folder?: string
}

/** Starts a Redis. */
export async function startRedis({ aof = false, folder: given }: RedisOptions = {}): Promise<TestRedis> {
  const program = await findRedis()
  const folder = given ?? mkdtempSync(join(tmpdir(), 'monitaur-redis-'))
  const port = await freePort()
  const sync = aof === 'everysec' ? aof : 'always'
  const safety = aof === false ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', sync]
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '']
  let child: ChildProcess

  async function start(): Promise<void> {
    child = spawn(program, [...place, ...safety, '--loglevel', 'warning'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const own = child
    running.add(own)
    own.once('exit', () => running.delete(own))
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        said += chunk
      })
    }
    const deadline = Date.now() + START_MS
    for (;;) {
      const answer = await command('PING').catch(() => '')
      if (answer.includes('PONG')) return
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Redis did not start: ${said}`)
      await pause(10)
    }
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  function command(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: '127.0.0.1', port })
      let answer = ''
      socket.setEncoding('latin1').on('data', (chunk) => {
        answer += chunk
      })
      socket.once('error', reject).once('close', () => resolve(answer))
      socket.once('connect', () => socket.write(encoded(args) + encoded(['QUIT'])))
    })
  }

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    command,
    kill,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    start,
    async stop() {
      child.kill('SIGCONT')
      await kill()
      if (given === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function encoded(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((one) => `$${Buffer.byteLength(one)}\r\n${one}\r\n`).join('')}`
}
