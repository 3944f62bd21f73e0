/** How a state gets to a worker without a pause on either side. */
import { type InPieces, isPlainObject, type Snapshot } from '../core/index.ts'
import type { HostApi, Reply, State } from './protocol.ts'
import { untilWhole } from './serve.ts'

/** Bytes of an array that is copied in pieces, and of a piece: some milliseconds. */
const LARGE_BYTES = 4 << 20

/** A way to restore a machine's state as often as needed. */
export interface StateSender {
  /** True if it takes many turns until it is sent. */
  readonly isLarge: boolean
  send(api: HostApi, machine: string): Promise<Reply<State>>
}

/** Copies of large arrays are moved: the worker would stand still while it read one that is cloned. */
export function stateSender(snapshot: Snapshot): StateSender {
  let copy: InPieces<Snapshot> | undefined = movable(snapshot)
  const isLarge = copy.buffers.length > 0
  return { isLarge, send: (api, machine) => (isLarge ? move(api, machine) : api.restore(machine, snapshot)) }

  async function move(api: HostApi, machine: string): Promise<Reply<State>> {
    const { value, buffers, fill } = copy ?? movable(snapshot)
    copy = undefined // gone once it is sent
    await untilWhole(fill)
    return api.restore(machine, value, buffers)
  }
}

/** Plain data with its large arrays copied, piece by piece, so that the copies can be moved; the rest is as it was. */
function movable<T>(data: T): InPieces<T> {
  const copies = new Map<unknown, unknown>()
  const pieces: (() => void)[] = []
  const buffers: ArrayBuffer[] = []
  const value = copy(data) as T
  const fill = () => {
    pieces.shift()?.()
    return pieces.length === 0
  }
  return { value, buffers, fill }

  function copy(from: unknown): unknown {
    if (!copies.has(from)) copies.set(from, copyOf(from))
    return copies.get(from)
  }

  function copyOf(from: unknown): unknown {
    if (from instanceof Float32Array || from instanceof Float64Array) return copyOfFloats(from)
    if (!Array.isArray(from) && !isPlainObject(from)) return from
    const to: Record<string, unknown> | unknown[] = Array.isArray(from) ? [] : Object.create(null)
    copies.set(from, to) // before its items: it may be among them
    for (const [key, item] of Object.entries(from)) (to as Record<string, unknown>)[key] = copy(item)
    return to
  }

  function copyOfFloats(from: Float32Array | Float64Array): Float32Array | Float64Array {
    if (from.byteLength < LARGE_BYTES) return from
    const to = from instanceof Float32Array ? new Float32Array(from.length) : new Float64Array(from.length)
    const count = LARGE_BYTES / from.BYTES_PER_ELEMENT
    for (let at = 0; at < from.length; at += count) pieces.push(() => to.set(from.subarray(at, at + count), at))
    buffers.push(to.buffer as ArrayBuffer)
    return to
  }
}
