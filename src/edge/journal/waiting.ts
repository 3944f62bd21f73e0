/** What waits for its turn in a journal. */
import { MonitorError } from '../../core/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'
import type { LoggedEntry } from './record.ts'
import type { Outcome } from './replica.ts'

/** An entry to be written. */
export interface Waiting extends LoggedEntry {
  readonly kind: 'entry'
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly resolve: (applied: MonitorApplied) => void
  readonly reject: (thrown: unknown) => void
}

/** Something to do between two writes. */
export interface Task {
  readonly kind: 'task'
  readonly run: () => Promise<void>
}

/** A write takes at most so many entries, and about so many bytes. */
const BATCH = 512
export const BATCH_BYTES = 512 * 1024

/** Takes the entries of one write from the head of a queue. */
export function takeBatch(queue: (Waiting | Task)[]): Waiting[] {
  let count = 0
  for (let bytes = 0; count < BATCH && bytes < BATCH_BYTES; count++) {
    const next = queue[count]
    if (next?.kind !== 'entry' || (count > 0 && bytes + next.bytes.length > BATCH_BYTES)) break
    bytes += next.bytes.length
  }
  return queue.splice(0, count) as Waiting[]
}

export function entriesOf(batch: readonly Waiting[]): Uint8Array[] {
  return batch.map(({ bytes }) => bytes)
}

/** Tells whoever waits for an entry what came of it. */
export function settled(one: Waiting, outcome: Outcome): void {
  if (outcome.kind === 'applied' || outcome.kind === 'again') one.resolve(outcome.applied)
  else if (outcome.kind === 'refused') one.reject(outcome.error)
  else one.reject(new MonitorError('store_failed', 'the store gave the same entry twice', 'store'))
}
