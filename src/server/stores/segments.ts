/**
 * The form of a log's files. Each begins with the number of its first entry in its name; entries stand one behind the other:
 *
 *     length u32 · the same with all bits turned · the entry
 *
 * The length is there twice so that a damaged one is not taken for an entry that was cut short.
 */
import { MonitorError } from '../../core/index.ts'
import { numberOf, positionOf } from '../../edge/index.ts'

const HEAD = 8
const PREFIX = 'log-'

export interface Segment {
  readonly file: string
  /** Number of its first entry. */
  readonly first: number
}

/** Those among the names of a folder, in order. */
export function segmentsOf(names: readonly string[]): Segment[] {
  const mine = names.filter((name) => /^log-\d{16}$/.test(name)).sort()
  return mine.map((file) => ({ file, first: numberOf(file.slice(PREFIX.length)) }))
}

/** The one that begins with the entry of this number. */
export function segmentAt(first: number): Segment {
  return { file: PREFIX + positionOf(first), first }
}

/** Entries as they stand in a file. */
export function frame(entries: readonly Uint8Array[]): Buffer {
  const size = entries.reduce((sum, { length }) => sum + HEAD + length, 0)
  const framed = Buffer.allocUnsafe(size)
  let at = 0
  for (const bytes of entries) {
    framed.writeUInt32LE(bytes.length, at)
    framed.writeUInt32LE(~bytes.length >>> 0, at + 4)
    framed.set(bytes, at + HEAD)
    at += HEAD + bytes.length
  }
  return framed
}

/** The entries of a file, and where the whole ones end: behind that only a cut one may stand. Throws `bad_snapshot`. */
export function parse(content: Buffer, { file, first }: Segment): { entries: Uint8Array<ArrayBuffer>[]; end: number } {
  const entries: Uint8Array<ArrayBuffer>[] = []
  let at = 0
  while (at + HEAD <= content.length) {
    const length = content.readUInt32LE(at)
    if (~length >>> 0 !== content.readUInt32LE(at + 4)) {
      if (content.subarray(at).every((byte) => byte === 0)) break // room that was never written, after a power cut
      const place = `${file}, byte ${at}, entry ${positionOf(first + entries.length)}`
      throw new MonitorError('bad_snapshot', 'is damaged; take the folder from a copy, or move it away', place)
    }
    if (at + HEAD + length > content.length) break
    entries.push(new Uint8Array(content.subarray(at + HEAD, at + HEAD + length)))
    at += HEAD + length
  }
  return { entries, end: at }
}
