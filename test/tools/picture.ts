/** Pictures of pages for the documentation. Each carries the words that stood on the page, so that it can be told when it is old. */
import { crc32 } from 'node:zlib'

const SIGNATURE_BYTES = 8
/** Length and kind before the content of a chunk, checksum after it. */
const FRAME_BYTES = 12
const KEYWORD = 'words'
/** Not compressed; no language, no translated keyword. */
const HEAD = Buffer.from(`${KEYWORD}\0\0\0\0\0`, 'latin1')

/** A PNG with these words inside, as a text chunk before its end. */
export function withWords(png: Buffer, words: string): Buffer {
  const content = Buffer.concat([Buffer.from('iTXt', 'latin1'), HEAD, Buffer.from(words, 'utf8')])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length - 4)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(content))
  const end = png.length - FRAME_BYTES
  return Buffer.concat([png.subarray(0, end), length, content, checksum, png.subarray(end)])
}

/** The words inside a PNG; undefined where there are none. */
export function wordsIn(png: Buffer): string | undefined {
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const content = png.subarray(at + 8, at + 8 + length)
    const isOurs = png.toString('latin1', at + 4, at + 8) === 'iTXt' && content.subarray(0, HEAD.length).equals(HEAD)
    if (isOurs) return content.toString('utf8', HEAD.length)
    at += length + FRAME_BYTES
  }
  return undefined
}
