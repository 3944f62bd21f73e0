/** Is it the file that was meant? */

import { MonitorError, refuse, sha256Hex } from '../../core/index.ts'

/** Enough to tell a page or a pointer. */
const HEAD = 200

/** 64 hexadecimal digits, as lower case. Throws `bad_config`. */
export function checkDigest(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase()
  return refuse('bad_config', 'must be a SHA-256 of 64 hexadecimal digits', value, path)
}

/** SHA-256 as 64 lower-case hexadecimal digits; by the platform in a secure context, else by our own code. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const subtle = (globalThis as { crypto?: Crypto }).crypto?.subtle
  if (subtle === undefined) return sha256Hex(bytes)
  const own = bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
  const digest = new Uint8Array(await subtle.digest('SHA-256', own))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Checks a file against its digest, if there is one, and returns the digest. Throws `model_mismatch`, or
 * `model_unavailable` for what is plainly no model: an empty file, a web page, a pointer of Git LFS.
 */
export async function verify(bytes: Uint8Array, expected: string | undefined, shown: string): Promise<string> {
  const digest = await digestOf(bytes)
  if (digest === expected) return digest
  refuseText(bytes, shown)
  if (expected === undefined) return digest
  const remedy = 'if the new file is the right one, put its digest into sha256; if not, do not use it'
  const message = `${shown} has the SHA-256 ${digest}, expected ${expected} (${bytes.length} bytes); ${remedy}`
  throw new MonitorError('model_mismatch', message)
}

/** In place of the model: what was served, and the usual cause. */
export function htmlInstead(shown: string, how: string): MonitorError {
  const remedy = 'the path is probably wrong and the server answered with a page of its own'
  return new MonitorError('model_unavailable', `${shown} is an HTML page (${how}), not a model; ${remedy}`)
}

function refuseText(bytes: Uint8Array, shown: string): void {
  if (bytes.length === 0) throw new MonitorError('model_unavailable', `${shown} is empty`)
  const head = String.fromCharCode(...bytes.subarray(0, HEAD)).replace(/^\u00ef\u00bb\u00bf/, '') // a byte order mark
  if (/^\s*<(?:!doctype|!--|\?xml|html|head|body|script|meta|title)\b/i.test(head) || /^\s*<!--/.test(head)) {
    throw htmlInstead(shown, `it begins with ${JSON.stringify(head.trim().slice(0, 15))}`)
  }
  if (head.startsWith('version https://git-lfs.github.com/')) {
    const remedy = "run 'git lfs pull', or ask for the file behind the pointer"
    throw new MonitorError('model_unavailable', `${shown} is a Git LFS pointer, not the model; ${remedy}`)
  }
}
