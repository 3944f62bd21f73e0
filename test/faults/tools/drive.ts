/** Clients of the server: each asks one query after the other, many at a time, and asks again what got no answer. */
import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Recorded } from './stream.ts'

// biome-ignore lint/suspicious/noExplicitAny: verdicts are looked at field by field in tests
type Json = any

export interface Driven {
  /** By id. */
  readonly verdicts: Map<string, Json>
  /** ms, of each query, the waiting for its turn not included. */
  readonly times: number[]
  /** Times that a query was sent again. */
  retries: number
}

export interface DriveOptions {
  /** Clients that ask at the same time. */
  readonly lanes?: number
  /** Asks again until there is an answer. Default: rejects. */
  readonly retries?: boolean
  /** Called after each answer with the number of them. */
  readonly onAnswer?: (answers: number) => void
  /** True once it has asked enough: what is under way is finished. */
  readonly isDone?: () => boolean
}

/** Sends a stream, each client's queries in order. */
export async function drive(address: string, stream: readonly Recorded[], options: DriveOptions = {}): Promise<Driven> {
  const { lanes = 32, retries = false, onAnswer, isDone = () => false } = options
  const agent = new Agent({ keepAlive: true, maxSockets: lanes })
  const driven: Driven = { verdicts: new Map(), times: [], retries: 0 }
  const byLane = Array.from({ length: lanes }, (): Recorded[] => [])
  for (const query of stream) byLane[Number(query.client.slice(7)) % lanes]!.push(query)
  await Promise.all(
    byLane.map(async (queries) => {
      for (const query of queries) {
        if (isDone()) return
        const startMs = performance.now()
        driven.verdicts.set(query.id, await answerTo(query))
        driven.times.push(performance.now() - startMs)
        onAnswer?.(driven.verdicts.size)
      }
    }),
  )
  agent.destroy()
  return driven

  async function answerTo(query: Recorded): Promise<Json> {
    for (;;) {
      const { status, body } = await post(`${address}v1/inspect`, query, agent).catch((thrown: Error) => {
        return { status: 0, body: thrown.message }
      })
      if (status === 200) return JSON.parse(body)
      if (!retries || (status !== 0 && status !== 503)) throw new Error(`${query.id}: ${status} ${body}`)
      driven.retries++
      await pause(5)
    }
  }
}

/** Long, for a machine with other work to do: a server that was killed ends its connections. */
const PATIENCE_MS = 60_000

function post(url: string, body: object, agent?: Agent): Promise<{ status: number; body: string }> {
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      headers,
      timeout: PATIENCE_MS,
      ...(agent === undefined ? {} : { agent }),
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)))
    asked.once('error', reject)
    asked.once('response', (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode!, body: answer }))
      response.once('error', reject)
      response.once('aborted', () => reject(new Error('the answer was cut off')))
    })
    asked.end(text)
  })
}

/** A verdict without what depends on when it was given. */
export function timeless(verdict: Json): Json {
  const { timeMs: _, client, ...rest } = verdict
  const { suspendedUntilMs, suspendedSinceMs: __, ...standing } = client
  return { ...rest, client: { ...standing, isSuspended: suspendedUntilMs !== undefined } }
}
