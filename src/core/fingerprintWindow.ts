/** The last fingerprints of a stream, and how often each occurs among them. */
import { refuse } from './checkers.ts'
import { MonitorError } from './errors.ts'
import { readList, readText } from './state.ts'
import type { PlainData } from './types.ts'

/** The longest fingerprint accepted, in characters. */
export const MAX_FINGERPRINT = 256

/** A window that learns a fingerprint and says how many of the remembered ones equal it, itself included. */
export interface FingerprintWindow {
  readonly size: number
  /** Learns, after the oldest has left if the window is full, then counts. */
  count(fingerprint: string): number
  /** Throws `bad_query` if the window cannot hold such a fingerprint. */
  check(fingerprint: unknown): string
  /** Different fingerprints in the window. */
  unique(): number
  /** How often the most frequent one occurs; 0 when empty. O(size), or O(size²) with a Hamming radius. */
  highest(): number
  /** Oldest first. */
  save(): PlainData
  read(state: PlainData): () => void
  clear(): void
  bytes(): number
}

/** Equality of fingerprints: a list in arrival order and a table of counts. O(1) a query. */
export function createExactWindow(capacity: number): FingerprintWindow {
  let ring: string[] = []
  let oldest = 0
  let characters = 0
  let counts = new Map<string, number>()

  return {
    get size() {
      return ring.length
    },
    count,
    check,
    unique: () => counts.size,
    highest,
    save,
    read,
    clear,
    bytes,
  }

  function count(fingerprint: string): number {
    if (ring.length < capacity) {
      ring.push(fingerprint)
    } else {
      forget(ring[oldest]!)
      ring[oldest] = fingerprint
      oldest = (oldest + 1) % capacity
    }
    characters += fingerprint.length
    const n = (counts.get(fingerprint) ?? 0) + 1
    counts.set(fingerprint, n)
    return n
  }

  function forget(fingerprint: string): void {
    characters -= fingerprint.length
    const left = counts.get(fingerprint)! - 1
    if (left === 0) counts.delete(fingerprint)
    else counts.set(fingerprint, left)
  }

  function check(fingerprint: unknown): string {
    const ok = typeof fingerprint === 'string' && fingerprint.length > 0 && fingerprint.length <= MAX_FINGERPRINT
    if (!ok) refuse('bad_query', `must be a string of 1 … ${MAX_FINGERPRINT} characters`, fingerprint, 'fingerprint')
    return fingerprint
  }

  function highest(): number {
    let most = 0
    for (const n of counts.values()) if (n > most) most = n
    return most
  }

  function save(): PlainData {
    return [...ring.slice(oldest), ...ring.slice(0, oldest)]
  }

  function read(state: PlainData): () => void {
    const saved = readList(state, 'state.fingerprints', capacity, (v, path) => readText(v, path, MAX_FINGERPRINT))
    if (saved.includes('')) throw new MonitorError('bad_snapshot', 'must not hold an empty one', 'state.fingerprints')
    return () => {
      clear()
      for (const fingerprint of saved) count(fingerprint)
    }
  }

  function clear(): void {
    ring = []
    oldest = 0
    characters = 0
    counts = new Map()
  }

  // A short string costs about its characters and a header; a table entry about five words.
  function bytes(): number {
    return characters + 24 * ring.length + 40 * counts.size
  }
}

const HEX_64 = /^[0-9a-f]{16}$/

/**
 * Equality up to `radius` differing bits of 64: a plain scan over two words per entry, which beats any index up to
 * windows of several thousand. O(size) a query.
 */
export function createHammingWindow(capacity: number, radius: number): FingerprintWindow {
  let words = new Uint32Array(0)
  let size = 0
  let oldest = 0

  return {
    get size() {
      return size
    },
    count,
    check,
    unique,
    highest,
    save,
    read,
    clear,
    bytes,
  }

  function count(fingerprint: string): number {
    const full = size === capacity
    if (!full) grow()
    const slot = full ? oldest : size++
    if (full) oldest = (oldest + 1) % capacity
    words[2 * slot] = Number.parseInt(fingerprint.slice(0, 8), 16)
    words[2 * slot + 1] = Number.parseInt(fingerprint.slice(8), 16)
    return near(slot)
  }

  function near(slot: number): number {
    const high = words[2 * slot]!
    const low = words[2 * slot + 1]!
    let n = 0
    for (let i = 0; i < size; i++) if (bits(words[2 * i]! ^ high) + bits(words[2 * i + 1]! ^ low) <= radius) n++
    return n
  }

  function grow(): void {
    if (2 * size < words.length) return
    const larger = new Uint32Array(2 * Math.min(capacity, Math.max(16, words.length)))
    larger.set(words)
    words = larger
  }

  function check(fingerprint: unknown): string {
    if (typeof fingerprint !== 'string' || !HEX_64.test(fingerprint)) {
      refuse(
        'bad_query',
        'must be 16 lower-case hex digits (a 64-bit hash) when a radius is set',
        fingerprint,
        'fingerprint',
      )
    }
    return fingerprint
  }

  function unique(): number {
    return new Set(list()).size
  }

  function highest(): number {
    let most = 0
    for (let slot = 0; slot < size; slot++) most = Math.max(most, near(slot))
    return most
  }

  function list(): string[] {
    return Array.from({ length: size }, (_, age) => {
      const slot = (oldest + age) % size
      return hex(words[2 * slot]!) + hex(words[2 * slot + 1]!)
    })
  }

  function read(state: PlainData): () => void {
    const saved = readList(state, 'state.fingerprints', capacity, (v, path) => readText(v, path, MAX_FINGERPRINT))
    const odd = saved.find((fingerprint) => !HEX_64.test(fingerprint))
    if (odd !== undefined) refuse('bad_snapshot', 'must be 64-bit hashes', odd, 'state.fingerprints')
    return () => {
      clear()
      for (const fingerprint of saved) count(fingerprint)
    }
  }

  function save(): PlainData {
    return list()
  }

  function clear(): void {
    words = new Uint32Array(0)
    size = 0
    oldest = 0
  }

  function bytes(): number {
    return 8 * size
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}

/** Number of bits set in a 32-bit word (Warren, Hacker's Delight, figure 5-2). */
function bits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
