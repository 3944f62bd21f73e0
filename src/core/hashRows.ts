/** 64-bit hashes in slots, and how many of them are near to a given one. */
import { bitCount } from './hash.ts'
import { type KernelMemory, openCompiled, sharedMemory } from './kernels/memory.ts'

/** From this many on it pays to copy them to the kernels, and from that many on to keep them there: see bench/kernels.mjs. */
const LEAST = 64
const LARGE = 4096

/** Hashes as two words each, low and high, by slot. It grows with the largest slot. */
export class HashRows {
  readonly #capacity: number
  #words: Int32Array = new Int32Array(0)
  /** Where many of them are kept. */
  #memory: KernelMemory | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  set(slot: number, low: number, high: number): void {
    if (2 * slot + 2 > this.#words.length) this.#grow(slot)
    this.#words[2 * slot] = low
    this.#words[2 * slot + 1] = high
  }

  #grow(slot: number): void {
    const room = Math.min(this.#capacity, 2 * slot + 4)
    const before = this.#words
    if (room > LARGE) this.#memory ??= openCompiled(8 * room)
    if (this.#memory === undefined) this.#words = new Int32Array(2 * room)
    else {
      this.#memory.reserve(8 * room)
      this.#words = this.#memory.i32
    }
    // Within a memory of the kernels they are there already.
    if (this.#memory === undefined || before.buffer.byteLength > 0) this.#words.set(before)
  }

  low(slot: number): number {
    return this.#words[2 * slot]!
  }

  high(slot: number): number {
    return this.#words[2 * slot + 1]!
  }

  /** How many of slots 0 … count − 1 differ from a hash in at most `radius` bits. */
  within(count: number, low: number, high: number, radius: number): number {
    const memory = this.#memory ?? (count >= LEAST && count <= LARGE ? sharedMemory() : undefined)
    if (memory === undefined) return this.#countPlainly(count, low, high, radius)
    if (memory !== this.#memory) memory.i32.set(this.#words)
    return memory.kernels.hammingWithin(0, count, low, high, radius)
  }

  #countPlainly(count: number, low: number, high: number, radius: number): number {
    const words = this.#words
    let found = 0
    for (let at = 0; at < 2 * count; at += 2) {
      if (bitCount(words[at]! ^ low) + bitCount(words[at + 1]! ^ high) <= radius) found++
    }
    return found
  }
}
