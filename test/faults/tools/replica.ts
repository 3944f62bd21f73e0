/** Replicas of the real server, as processes of their own that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))
export const SECRET = 'a secret of the tests'

export interface Replica {
  /** Such as `http://127.0.0.1:41234/`. */
  readonly address: string
  readonly port: number
  /** kill -9. */
  kill(): Promise<void>
  /** As an operator stops it; gives the exit code. */
  stop(): Promise<number | null>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts `monitaur serve` with a configuration on a free port, or on this one. Rejects with what it said if it ends. */
export async function startReplica(config: object, file: string, port = 0): Promise<Replica> {
  writeFileSync(file, JSON.stringify(config))
  const args = [CLI, 'serve', '--config', file, '--port', String(port), '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4000)
  })
  const address = await new Promise<string>((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (out.includes('\n')) resolve(JSON.parse(out.split('\n')[0]!).address)
    })
    child.once('exit', (code) => reject(new Error(`the replica ended with ${code}: ${said}`)))
  })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
    return child.exitCode
  }
  return {
    address,
    port: Number(new URL(address).port),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

/** The configuration of the watched model, over a Redis or in memory only. */
export function configOf(url?: string, redis: object = {}): object {
  return {
    models: [
      {
        name: 'watched',
        detectors: [
          { name: 'text_repetition', threshold: 3 },
          { name: 'text_similarity', threshold: 0.9 },
          { name: 'confidence', threshold: 1.2 },
        ],
        policy: { fadePerMinute: 0, throttleAt: 4, suspendAt: 8, suspendForMs: 86_400_000 },
      },
    ],
    limits: { maxPerClient: 1000 },
    log: { decisions: 'none' },
    ...(url === undefined ? {} : { state: { redis: { url, secret: SECRET, retryMs: 20, timeoutMs: 1000, ...redis } } }),
  }
}
