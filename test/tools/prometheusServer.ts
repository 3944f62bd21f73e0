/** A real Prometheus for a test, and questions to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { until } from './until.ts'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface PrometheusServer {
  /** What an expression gives now. Rejects with Prometheus' own words for one that it does not understand. */
  query(expression: string): Promise<readonly Sample[]>
  /** The `data` of an answer of its API; `path` is what follows `/api/v1/`. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field in tests
  get(path: string): Promise<any>
  stop(): Promise<void>
}

export interface PrometheusOptions {
  readonly program: string
  /** The configuration file. */
  readonly config: string
  /** Where it keeps its data. */
  readonly folder: string
  readonly port: number
}

/** A free port of this machine. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a Prometheus on loopback. Resolves once it is ready; rejects with what it said if it ends before. */
export async function startPrometheus({ program, config, folder, port }: PrometheusOptions): Promise<PrometheusServer> {
  const address = `127.0.0.1:${port}`
  const options = [`--config.file=${config}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=${address}`]
  const child = spawn(program, [...options, '--log.level=warn'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}: ${said}`)
    return fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  await until(isReady, 20_000)

  async function get(path: string) {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    const { status, data, error } = await response.json()
    if (status !== 'success') throw new Error(`${path}: ${error}`)
    return data
  }
  return {
    get,
    async query(expression) {
      const { resultType, result } = await get(`query?query=${encodeURIComponent(expression)}`)
      if (resultType === 'scalar') return [{ labels: {}, value: Number(result[1]) }]
      return result.map((one: { metric: Sample['labels']; value: [number, string] }) => {
        return { labels: one.metric, value: Number(one.value[1]) }
      })
    },
    stop: () => ended(child),
  }
}

/** Ends a child process of ours, and waits until it has. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
