/**
 * Snapshots, and other plain data, as one compact binary form: a frame.
 *
 *     offset  0        4          5          6            10             14
 *             'MTSN'   format 1   0          length u32   CRC-32 u32     payload: a tagged tree
 *
 * The four letters say what it is: 'MTSN' for a snapshot, which is the tree of { detector, version, state }.
 *
 * Numbers are little-endian. A tree is one tag byte and its content: null, false, true, an unsigned integer (LEB128), a
 * double, a string (UTF-16 units, LEB128 each), a list, an object, or a typed array with its raw elements. Reading checks every length
 * against what is left, so a hostile buffer cannot make it allocate more than its own size.
 */
import { checkObject, elementType, isPlainObject } from './checkers.ts'
import { FORMAT, fail, startOf } from './frame/format.ts'
import { FrameReader } from './frame/reader.ts'
import { FrameWriter } from './frame/writer.ts'
import type { PlainData, Snapshot } from './types.ts'

const SNAPSHOT = 'MTSN'
/** Bytes of a writer that is kept for the next frame: most are small, and as many are written as queries come. */
const MAX_SPARE = 65_536
let spare: FrameWriter | undefined

/** A snapshot as bytes: header, version, checksum, content. Throws `bad_snapshot` for what is not plain data. */
export function toBytes(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  checkObject(snapshot, ['detector', 'version', 'state'], '', 'bad_snapshot')
  const { detector, version, state } = snapshot
  return toFrame(SNAPSHOT, { detector, version, state })
}

/** Bytes back to a snapshot. Throws `bad_snapshot` for foreign, newer, truncated, lengthened or damaged bytes. */
export function fromBytes(bytes: Uint8Array): Snapshot {
  const tree = fromFrame(SNAPSHOT, bytes)
  if (!isPlainObject(tree) || typeof tree['detector'] !== 'string' || typeof tree['version'] !== 'number') {
    fail('must hold { detector, version, state }', tree)
  }
  return { detector: tree['detector'], version: tree['version'], state: tree['state'] as PlainData }
}

/** Plain data as bytes with a checksum; `letters` are four ASCII ones that name its kind. Throws `bad_snapshot` for anything else. */
export function toFrame(letters: string, value: PlainData): Uint8Array<ArrayBuffer> {
  // Taken while it is in use: a getter of what is written may write a frame of its own.
  const writer = spare ?? new FrameWriter()
  spare = undefined
  const frame = writer.frame(letters, value)
  if (writer.capacity <= MAX_SPARE) spare = writer
  return frame
}

/** The bytes of a frame of this kind back to what it holds. Throws `bad_snapshot` as {@link fromBytes} does. */
export function fromFrame(letters: string, bytes: Uint8Array): PlainData {
  if (elementType(bytes) !== 'Uint8Array') fail('must be a Uint8Array', bytes)
  const start = startOf(letters)
  for (let i = 0; i < start.length; i++) {
    if (bytes[i] === start[i]) continue
    fail(
      `must be ${letters} in format ${FORMAT}`,
      `${String.fromCharCode(...bytes.subarray(0, 4))} in format ${bytes[4]}`,
    )
  }
  return new FrameReader(bytes).frame()
}
