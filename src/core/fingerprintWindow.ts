/** The last fingerprints of a stream, and how often each occurs among them. */
import { hexWord } from './hash.ts'
import { HashRows } from './hashRows.ts'
import { PackedWindow, readHash } from './packedWindow.ts'
import { Ring, RingSlots } from './ring.ts'

/** A window that learns fingerprints and says how many of the remembered ones equal a given one. */
export interface FingerprintWindow {
  readonly size: number
  /** Learns, after the oldest has left if the window is full, then counts: the fingerprint itself is among them. */
  push(fingerprint: string): number
  count(fingerprint: string): number
  /** Oldest first. */
  list(): string[]
  bytes(): number
}

/** Equality of fingerprints. Packed while all of them are hashes, as texts and rows have; O(1) a query. */
export function createExactWindow(capacity: number): FingerprintWindow {
  const hashes = new PackedWindow(capacity)
  let names: FingerprintWindow | undefined
  return {
    get size() {
      return (names ?? hashes).size
    },
    push(fingerprint) {
      if (names === undefined) {
        if (readHash(fingerprint)) return hashes.push()
        names = createNameWindow(capacity)
        for (const hash of hashes.list()) names.push(hash)
        hashes.clear()
      }
      return names.push(fingerprint)
    },
    count(fingerprint) {
      if (names !== undefined) return names.count(fingerprint)
      return readHash(fingerprint) ? hashes.count() : 0
    },
    list: () => (names ?? hashes).list(),
    bytes: () => (names ?? hashes).bytes(),
  }
}

/** Any fingerprints: a list in arrival order and a table of counts. */
function createNameWindow(capacity: number): FingerprintWindow {
  const ring = new Ring<string>(capacity)
  const counts = new Map<string, number>()
  let characters = 0

  return {
    get size() {
      return ring.items.length
    },
    push(fingerprint) {
      const left = ring.push(fingerprint)
      if (left !== undefined) add(left, -1)
      return add(fingerprint, 1)
    },
    count,
    list: () => ring.list(),
    // A short string costs about its characters and a header; a table entry about five words.
    bytes: () => characters + 24 * ring.items.length + 40 * counts.size,
  }

  function count(fingerprint: string): number {
    return counts.get(fingerprint) ?? 0
  }

  function add(fingerprint: string, times: number): number {
    const n = count(fingerprint) + times
    if (n === 0) counts.delete(fingerprint)
    else counts.set(fingerprint, n)
    characters += times * fingerprint.length
    return n
  }
}

/**
 * Equality of 64-bit hashes, given as 16 hex digits, up to `radius` differing bits: a plain scan over two words per
 * entry, which beats any index up to windows of several thousand. O(size) a query.
 */
export function createHammingWindow(capacity: number, radius: number): FingerprintWindow {
  const slots = new RingSlots(capacity)
  const hashes = new HashRows(capacity)

  return {
    get size() {
      return slots.size
    },
    push(fingerprint) {
      const high = hexWord(fingerprint, 0)
      const low = hexWord(fingerprint, 8)
      hashes.set(slots.take(), low, high)
      return hashes.within(slots.size, low, high, radius)
    },
    count: (fingerprint) => hashes.within(slots.size, hexWord(fingerprint, 8), hexWord(fingerprint, 0), radius),
    list: () =>
      Array.from({ length: slots.size }, (_, age) => {
        const slot = slots.slot(age)
        return hex(hashes.high(slot)) + hex(hashes.low(slot))
      }),
    bytes: () => 8 * slots.size,
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
