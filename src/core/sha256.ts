/**
 * SHA-256 (FIPS 180-4) of short byte strings.
 *
 * Why not @noble/hashes: a text fingerprint is two blocks long, and there the
 * library's objects, views and wiping of buffers cost more than the hash. `npm run bench` shows
 * the fingerprint of a text with either. The tests compare both, and Node's own, on random inputs.
 */

// The first 32 bits of the fractional parts of the square roots of the first 8 primes and the cube roots of the first
// 64: FIPS 180-4, sections 5.3.3 and 4.2.2. Computed, with operations that IEEE 754 defines exactly, so that they are the
// same everywhere; a typed array keeps the low 32 bits of what is put in, and nothing that is put behind its end.
const INITIAL = /* @__PURE__ */ new Int32Array(8)
const ROUND = /* @__PURE__ */ new Int32Array(64)

function makeConstants(): void {
  const primes: number[] = []
  for (let n = 2; primes.length < 64; n++) {
    if (primes.some((prime) => n % prime === 0)) continue
    INITIAL[primes.length] = Math.sqrt(n) * 0x100000000
    ROUND[primes.length] = cubeRoot(n) * 0x100000000
    primes.push(n)
  }
}

/** By Newton's method, from above. */
function cubeRoot(n: number): number {
  let root = n
  for (let i = 0; i < 40; i++) root -= (root - n / (root * root)) / 3
  return root
}

/** The bit 1 and the length take 9 bytes, and up to 63 fill the block. */
export const SHA256_ROOM = 72

const BLOCK_BYTES = 64

// Working memory, kept because allocating it costs as much as a block. Every call fills it before it reads it.
const schedule = /* @__PURE__ */ new Int32Array(64)
const state = /* @__PURE__ */ new Int32Array(8)

/**
 * The state after the 64 bytes of one block, for hashing many messages that begin with it: {@link sha256Words} goes on
 * from there.
 */
export function sha256AfterBlock(block: Uint8Array): Int32Array {
  if (ROUND[0] === 0) makeConstants()
  state.set(INITIAL)
  takeBlock(block, 0)
  return state.slice()
}

/**
 * SHA-256 of the first `length` bytes as eight 32-bit words, the most significant first. The array is working memory:
 * read it before the next call. Needs {@link SHA256_ROOM} more bytes behind them, and writes there: the bit 1, zeros,
 * and the length in bits, up to the end of a block. With `after` the message begins with that block, and the bytes follow.
 */
export function sha256Words(bytes: Uint8Array, length: number, after?: Int32Array): Int32Array {
  if (ROUND[0] === 0) makeConstants()
  const end = (length + SHA256_ROOM) & -64
  bytes.fill(0, length, end)
  bytes[length] = 0x80
  const whole = after === undefined ? length : length + BLOCK_BYTES
  for (let bits = 8 * whole, i = end - 1; bits > 0; i--) {
    bytes[i] = bits
    bits = Math.floor(bits / 256)
  }
  state.set(after ?? INITIAL)
  for (let p = 0; p < end; p += BLOCK_BYTES) takeBlock(bytes, p)
  return state
}

function takeBlock(bytes: Uint8Array, from: number): void {
  for (let i = 0, p = from; i < 16; i++, p += 4) {
    schedule[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!
  }
  compress()
}

/** One block: expands the 16 words of `schedule` to 64 and folds them into `state`. */
function compress(): void {
  for (let i = 16; i < 64; i++) {
    const x = schedule[i - 15]!
    const y = schedule[i - 2]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    schedule[i] = (s0 + schedule[i - 16]! + schedule[i - 7]! + s1) | 0
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let f = state[5]!
  let g = state[6]!
  let h = state[7]!
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + ROUND[i]! + schedule[i]!) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
  state[5]! += f
  state[6]! += g
  state[7]! += h
}
