/**
 * Fingerprints that are SHA-256 hashes, 64 lower-case hex digits, kept as eight words each in arrays of numbers: a third of
 * the memory of the strings, and nothing that a garbage collector would have to move about as they come and go.
 *
 * Equal hashes share one place, with the number of their occurrences; a chain of places leads from each bucket of a hash
 * table. So a query costs O(1), however often it is repeated.
 */
const WORDS = 8
const NONE = -1
const LEAST_ROOM = 4

/**
 * The last hashes of a stream, and how often each occurs among them. Everything lies in one array, since an array costs more
 * than the few hashes of a client that has asked little: the places in the order of arrival (a ring once the window is full);
 * by place the occurrences, the next place of the bucket or of the free ones, and the words; the first place of each bucket.
 */
export class PackedWindow {
  readonly #capacity: number
  #data = new Int32Array(0)
  /** Hashes that there is room for: a power of two, or the window. */
  #room = 0
  #oldest = 0
  #size = 0
  /** Places ever taken, and the first of those given back. */
  #places = 0
  #free = NONE

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  /** Learns the hash that was read, after the oldest has left if the window is full, then counts: the hash itself is among them. */
  push(): number {
    if (this.#size === this.#capacity) this.#leave()
    else if (this.#size === this.#room) this.#grow()
    let place = this.#find()
    if (place === NONE) place = this.#enter()
    this.#data[(this.#oldest + this.#size) % this.#room] = place
    this.#size++
    return ++this.#data[this.#room + place]!
  }

  /** How often the hash that was read occurs. */
  count(): number {
    if (this.#size === 0) return 0
    const place = this.#find()
    return place === NONE ? 0 : this.#data[this.#room + place]!
  }

  clear(): void {
    this.#data = new Int32Array(0)
    this.#room = 0
    this.#oldest = 0
    this.#size = 0
    this.#places = 0
    this.#free = NONE
  }

  /** Oldest first. */
  list(): string[] {
    return Array.from({ length: this.#size }, (_, age) => {
      const start = this.#wordsOf(this.#data[(this.#oldest + age) % this.#room]!)
      return Array.from(this.#data.subarray(start, start + WORDS), hex).join('')
    })
  }

  /** Of what is remembered, not of the spare room. */
  bytes(): number {
    return 4 * this.#size * (3 + WORDS + 1)
  }

  #leave(): void {
    const place = this.#data[this.#oldest]!
    this.#oldest = (this.#oldest + 1) % this.#room
    this.#size--
    if (--this.#data[this.#room + place]! === 0) this.#unlink(place)
  }

  /** The place of the hash in {@link wanted}. */
  #find(): number {
    const data = this.#data
    let place = data[this.#bucketOf(wanted[0]!)]!
    while (place !== NONE && !this.#isAt(place)) place = data[this.#nextOf(place)]!
    return place
  }

  #isAt(place: number): boolean {
    const start = this.#wordsOf(place)
    for (let i = 0; i < WORDS; i++) if (this.#data[start + i] !== wanted[i]) return false
    return true
  }

  /** A place for the hash in {@link wanted}, without occurrences yet. */
  #enter(): number {
    let place = this.#free
    if (place === NONE) place = this.#places++
    else this.#free = this.#data[this.#nextOf(place)]!
    this.#data.set(wanted, this.#wordsOf(place))
    this.#data[this.#room + place] = 0
    this.#link(place)
    return place
  }

  #link(place: number): void {
    const bucket = this.#bucketOf(this.#data[this.#wordsOf(place)]!)
    this.#data[this.#nextOf(place)] = this.#data[bucket]!
    this.#data[bucket] = place
  }

  #unlink(place: number): void {
    const data = this.#data
    let link = this.#bucketOf(data[this.#wordsOf(place)]!)
    while (data[link] !== place) link = this.#nextOf(data[link]!)
    data[link] = data[this.#nextOf(place)]!
    data[this.#nextOf(place)] = this.#free
    this.#free = place
  }

  #nextOf(place: number): number {
    return 2 * this.#room + place
  }

  #wordsOf(place: number): number {
    return 3 * this.#room + WORDS * place
  }

  #bucketOf(word: number): number {
    const buckets = this.#data.length - (3 + WORDS) * this.#room // a power of two
    return (3 + WORDS) * this.#room + (word & (buckets - 1))
  }

  /** Twice the room, up to the window: so far nothing has left, and all places are taken in the order of arrival. */
  #grow(): void {
    const [before, old] = [this.#data, this.#room]
    const room = Math.min(this.#capacity, Math.max(LEAST_ROOM, 2 * old))
    const buckets = 1 << (32 - Math.clz32(room - 1))
    this.#data = new Int32Array((3 + WORDS) * room + buckets).fill(NONE, (3 + WORDS) * room)
    this.#room = room
    this.#data.set(before.subarray(0, old))
    this.#data.set(before.subarray(old, 2 * old), room)
    this.#data.set(before.subarray(3 * old, (3 + WORDS) * old), 3 * room)
    for (let place = 0; place < this.#places; place++) this.#link(place)
  }
}

/** The words of the hash that is looked for: filled by {@link readHash}, used at once. */
const wanted = /* @__PURE__ */ new Int32Array(WORDS)

/**
 * Reads a hash for the next call of a {@link PackedWindow}, which takes it from here. False for what is no 64 lower-case
 * hex digits.
 */
export function readHash(fingerprint: string): boolean {
  if (fingerprint.length !== 8 * WORDS) return false
  let wrong = 0
  for (let i = 0; i < WORDS; i++) {
    let word = 0
    for (let k = 8 * i; k < 8 * i + 8; k++) {
      const code = fingerprint.charCodeAt(k)
      const isLetter = code >> 6
      const digit = code - 48 - 39 * isLetter
      // A letter lies in 10 … 15, a figure in 0 … 9: anything else sets the sign of one of these.
      wrong |= -(code >> 7)
      wrong |= isLetter === 0 ? digit | (9 - digit) : (digit - 10) | (15 - digit)
      word = (word << 4) | digit
    }
    wanted[i] = word
  }
  return wrong >= 0
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
