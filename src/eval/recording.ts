/**
 * Sessions kept for later: the answers, and the SHA-256 of everything asked and answered. The queries, which are a hundred times
 * larger, are not kept: the same client with the same answers asks the same again.
 */
import { fromFrame, isPlainObject, MonitorError, type PlainData, toFrame } from '../core/index.ts'
import type { Outcome } from './session.ts'
import type { Asked, InputOf, Kind, Watcher } from './types.ts'

/** SHA-256, step by step: `createHash('sha256')` of Node is one. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown
  digest(encoding: 'hex'): string
}

export interface Recording {
  readonly queries: number
  readonly success: number | undefined
  readonly classes: number
  /** Those of query n begin at (n − 1) · classes. */
  readonly logits: Float32Array
  /** Hex, of all queries with their accounts and times, and all answers. */
  readonly hash: string
}

/** A watcher that writes down. It goes before any other, so that it sees what they see. */
export interface Recorder<Input> extends Watcher<Input> {
  /** Once, when the session is over. */
  finish(outcome: Pick<Outcome, 'queries' | 'success'>): Recording
}

export function createRecorder<K extends Kind>(kind: K, classes: number, sha256: Sha256): Recorder<InputOf[K]> {
  let logits = new Float32Array(64 * classes)
  let end = 0
  return {
    see(asked) {
      if (end + classes > logits.length) {
        const larger = new Float32Array(2 * logits.length)
        larger.set(logits)
        logits = larger
      }
      logits.set(asked.logits, end)
      end += classes
      for (const part of partsOf(kind, asked)) sha256.update(part)
      return undefined
    },
    finish: ({ queries, success }) => {
      return { queries, success, classes, logits: logits.slice(0, end), hash: sha256.digest('hex') }
    },
  }
}

/** The bytes of a query and its answer, lengths first. */
function partsOf(kind: Kind, { input, logits, account, timeMs, isFiller }: Asked<InputOf[Kind]>): Uint8Array[] {
  const content =
    kind === 'image'
      ? bytesOf(input as Float64Array)
      : new TextEncoder().encode(kind === 'text' ? (input as string) : JSON.stringify(input))
  const head = Float64Array.of(content.length, logits.length, account, timeMs, Number(isFiller))
  return [bytesOf(head), content, bytesOf(logits)]
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

const LETTERS = 'MTER'

/** With a checksum. */
export function recordingToBytes({ success, ...rest }: Recording): Uint8Array<ArrayBuffer> {
  return toFrame(LETTERS, { format: 1, success: success ?? null, ...rest })
}

/** Throws `bad_snapshot` for anything that is not whole. */
export function recordingFromBytes(bytes: Uint8Array): Recording {
  const tree: PlainData = fromFrame(LETTERS, bytes)
  if (isPlainObject(tree) && tree['format'] === 1) {
    const { queries, success, classes, logits, hash } = tree
    const isSound =
      typeof queries === 'number' &&
      typeof classes === 'number' &&
      logits instanceof Float32Array &&
      logits.length === queries * classes &&
      typeof hash === 'string' &&
      (success === null || typeof success === 'number')
    if (isSound) return { queries, success: success ?? undefined, classes, logits, hash }
  }
  throw new MonitorError('bad_snapshot', 'must be a recording of format 1; record the session anew')
}
