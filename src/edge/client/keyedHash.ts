/** Names that stand for secrets and addresses, and from which nobody gets back without the key. */
import { refuse, sha256Hex, sha256HexAfter } from '../../core/index.ts'

/** At least 16 bytes; a text stands for its UTF-8. */
export type Secret = string | Uint8Array

/** From a text to 32 hexadecimal digits. The domain keeps equal texts of different kinds apart. */
export type KeyedHash = (domain: string, text: string) => string

const MIN_BYTES = 16
const RANDOM_BYTES = 32
/** 128 of the 256 bits. */
const DIGITS = 32
const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The first half of SHA-256 over key, domain and text. Dropping half of the digest is what makes a key in front sound
 * (Coron, Dodis, Malinaud, Puniya, CRYPTO 2005): HMAC, which needs no such care, takes twice the blocks, and this runs
 * before every request, on one block for keys and addresses of usual length. Synchronous, so that requests keep their order.
 *
 * Without a secret a random key is drawn at the first call: the names then mean something in this process alone. Throws
 * `bad_config` for a secret that is too short.
 */
export function keyedHash(secret: Secret | undefined, path: string): KeyedHash {
  let hash = secret === undefined ? undefined : sha256HexAfter(keyOf(secret, path))
  return (domain, text) => {
    // Not earlier: Cloudflare gives no random bytes outside of a request.
    hash ??= sha256HexAfter(sha256Hex(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))))
    return hash(`${domain}\n${wellFormed(text)}`).slice(0, DIGITS)
  }
}

/** With U+FFFD in place of lone surrogates, as `TextEncoder` writes them. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? decoder.decode(encoder.encode(text)) : text
}

/** 64 characters, whatever the secret's length: one block, of which SHA-256 is taken once and for all. */
function keyOf(secret: Secret, path: string): string {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    refuse('bad_config', 'must be a text or a Uint8Array', secret, path)
  }
  const bytes = typeof secret === 'string' ? encoder.encode(secret) : secret
  if (bytes.length < MIN_BYTES) {
    refuse(
      'bad_config',
      `must have ${MIN_BYTES} bytes or more, as of openssl rand -hex 16`,
      bytes.length,
      `${path}.length`,
    )
  }
  return sha256Hex(bytes)
}
