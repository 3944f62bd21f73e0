/**
 * What lies in Redis or on a disk can be read by whoever has the secret, and by nobody else: AES-256-GCM. Each process draws a salt, which
 * with the secret makes a key of its own, and counts its nonces, so that no pair is ever used twice, however long the log.
 *
 *     version 1 byte · salt 16 · counter 8 · tag 16 · what is sealed
 *
 * The name of the place is authenticated as well: an entry moved to another log is refused.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { MonitorError } from '../core/index.ts'

const VERSION = 1
const SALT = 16
const COUNTER = 8
const TAG = 16
const HEADER = 1 + SALT + COUNTER + TAG
/** Keys of writers that are kept at hand. */
const MAX_KEYS = 1000
const DIGITS = 32

export interface Seal {
  /** Bytes that are added. */
  readonly overhead: number
  seal(bytes: Uint8Array): Buffer
  /** Throws `bad_snapshot`, `path` naming the place. */
  open(sealed: Uint8Array, path: string): Uint8Array<ArrayBuffer>
  /** A name that nobody without the secret gets back from: HMAC-SHA-256, 128 bits of it. */
  nameOf(text: string): string
}

/** The seal of one place. */
export function createSeal(secret: string, place: string): Seal {
  const salt = randomBytes(SALT)
  const aad = Buffer.from(place)
  const nameKey = keyOf(secret, aad, 'names')
  const keys = new Map<string, Buffer>()
  let count = 0n

  function keyFor(of: Buffer): Buffer {
    const name = of.toString('latin1')
    const known = keys.get(name)
    if (known !== undefined) return known
    const key = keyOf(secret, of, 'entries')
    keys.set(name, key)
    if (keys.size > MAX_KEYS) keys.delete(keys.keys().next().value as string)
    return key
  }

  return {
    overhead: HEADER,
    seal(bytes) {
      const nonce = Buffer.alloc(12)
      nonce.writeBigUInt64BE(++count, 12 - COUNTER)
      const cipher = createCipheriv('aes-256-gcm', keyFor(salt), nonce).setAAD(aad)
      const inside = [cipher.update(bytes), cipher.final()]
      return Buffer.concat([Buffer.of(VERSION), salt, nonce.subarray(12 - COUNTER), cipher.getAuthTag(), ...inside])
    },
    open(given, path) {
      const sealed = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
      if (sealed.length < HEADER || sealed[0] !== VERSION) throw damaged(path)
      const nonce = Buffer.alloc(12)
      sealed.copy(nonce, 12 - COUNTER, 1 + SALT, 1 + SALT + COUNTER)
      const decipher = createDecipheriv('aes-256-gcm', keyFor(sealed.subarray(1, 1 + SALT)), nonce)
      decipher.setAAD(aad).setAuthTag(sealed.subarray(HEADER - TAG, HEADER))
      try {
        return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(HEADER)), decipher.final()]))
      } catch (cause) {
        throw damaged(path, cause)
      }
    },
    nameOf: (text) => createHmac('sha256', nameKey).update(text).digest('hex').slice(0, DIGITS),
  }
}

function keyOf(secret: string, salt: Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, `monitaur ${use}`, 32))
}

function damaged(path: string, cause?: unknown): MonitorError {
  const remedy = 'give the secret that it was written with, the same to all replicas'
  const message = `is damaged, sealed with another secret, or not sealed at all; ${remedy}`
  return new MonitorError('bad_snapshot', message, path, { cause })
}
