/** The log: one JSON object a line. Never what was asked, and clients only as a hash with a key. */
import { createHmac, randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { isMonitorError } from '../core/index.ts'
import type { LogRecord } from './http/log.ts'

export type Level = 'info' | 'warn' | 'error'

export interface Log {
  /** A line of the server's own. */
  write(level: Level, event: string, fields?: Readonly<Record<string, unknown>>): void
  /** A line of what the app tells. */
  tell(record: LogRecord): void
}

export interface LogOptions {
  readonly stream: Pick<Writable, 'write'>
  /** Of the hash; a new one at each start if it is left out. */
  readonly key?: string | undefined
  /** ms since the epoch. */
  readonly now: () => number
}

/** Hexadecimal digits of a client's hash: enough to tell ten thousand apart. */
const DIGITS = 16

export function createLog({ stream, key = randomBytes(32).toString('hex'), now }: LogOptions): Log {
  const hash = (client: string) => createHmac('sha256', key).update(client).digest('hex').slice(0, DIGITS)

  function write(level: Level, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    stream.write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields })}\n`)
  }

  return {
    write,
    tell(record) {
      if (record.kind === 'failure') return write('error', 'failure', describeError(record.error))
      if (record.kind === 'decision') return write('info', 'decision', decisionFields(record, hash))
      const { kind, ...fields } = record.event
      const client = 'client' in fields && typeof fields.client === 'string' ? { client: hash(fields.client) } : {}
      write(kind === 'eviction_storm' || kind === 'drift' ? 'warn' : 'info', kind, {
        model: record.model,
        ...fields,
        ...client,
      })
    },
  }
}

function decisionFields({ model, verdict, omitted }: LogRecord & { kind: 'decision' }, hash: (id: string) => string) {
  const { suspicious, action, proposed, detections, errors, client } = verdict
  return {
    model,
    ...(client.id === '' ? {} : { client: hash(client.id) }),
    suspicious,
    action,
    proposed,
    evidence: round(client.evidence),
    detectors: detections.map(({ detector, suspicious, score, threshold }) => {
      return { detector, suspicious, score: round(score), threshold }
    }),
    ...(errors.length === 0 ? {} : { errors: errors.map(({ code, path }) => ({ code, path })) }),
    ...(omitted === 0 ? {} : { omitted }),
  }
}

function round(value: number): number {
  return Number(value.toPrecision(6))
}

/** What a failure says. The stack is told of bugs only: the library's own errors say enough. */
export function describeError(thrown: unknown): Readonly<Record<string, unknown>> {
  if (isMonitorError(thrown)) return { code: thrown.code, message: thrown.message }
  if (!(thrown instanceof Error)) return { message: String(thrown) }
  return { message: thrown.message, stack: thrown.stack }
}
