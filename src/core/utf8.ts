/** UTF-8 without `TextEncoder`: the core knows no platform, and a lone surrogate must be an error, not U+FFFD. */
import { MonitorError } from './errors.ts'

/**
 * The UTF-8 bytes of a text, in a fresh array. A surrogate without its partner has no UTF-8 form and is refused:
 * replaced by U+FFFD, different queries would count as one. `path` names the text in the error.
 */
export function encodeUtf8(text: string, path = 'input'): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text))
  encodeUtf8Into(text, bytes, path)
  return bytes
}

/** Bytes that `encodeUtf8` gives for a well-formed text. */
function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    // Each half of a surrogate pair adds one byte to its own: two units, four bytes.
    length += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2
  }
  return length
}

/** Writes the UTF-8 of a text to the front of `bytes` (3 bytes per code unit always suffice) and returns the count. */
export function encodeUtf8Into(text: string, bytes: Uint8Array, path: string): number {
  const length = text.length
  let at = 0
  for (let i = 0; i < length; i++) {
    let code = text.charCodeAt(i)
    if (code < 0x80) {
      bytes[at++] = code
      continue
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6)
    } else {
      if ((code & 0xf800) === 0xd800) {
        code = pairAt(text, i++, path)
        bytes[at++] = 0xf0 | (code >> 18)
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f)
      } else {
        bytes[at++] = 0xe0 | (code >> 12)
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f)
    }
    bytes[at++] = 0x80 | (code & 0x3f)
  }
  return at
}

function pairAt(text: string, index: number, path: string): number {
  const high = text.charCodeAt(index)
  const low = text.charCodeAt(index + 1)
  if (high > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) {
    const message = `must be well-formed text, got a lone surrogate at index ${index}; repair it with text.toWellFormed()`
    throw new MonitorError('bad_query', message, path)
  }
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
}

/** Throws what `encodeUtf8` would throw for a text that is not well-formed, without encoding it. */
export function checkWellFormed(text: string, path: string): void {
  for (let i = 0; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xf800) === 0xd800) pairAt(text, i++, path)
  }
}
