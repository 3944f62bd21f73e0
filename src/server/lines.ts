/** Bytes to lines, in bounded memory: a line that is too long is told, dropped as it comes, and the next one is read. */
const LF = 0x0a
const CR = 0x0d
const COMMA = 0x2c
const QUOTE = 0x22
const BOM = [0xef, 0xbb, 0xbf]
/** A buffer that grew beyond this is given back after its line. */
const KEEP_BYTES = 2 ** 20

/** `number` counts physical lines from 1 and is where the line begins. */
export type Line =
  | { readonly kind: 'line'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly kind: 'too_long'; readonly number: number }

export interface LineOptions {
  /** Longest line, without its end, inclusive. */
  readonly maxBytes: number
  /** CSV: an end of line inside a quoted field belongs to the field. Default false. */
  readonly quotes?: boolean
}

/**
 * The lines of a stream, ended by LF or CRLF (or the end of the stream), without their ends; a byte order mark in front is
 * left out. `bytes` is valid until the next line is asked for.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes, quotes = false }: LineOptions,
): AsyncGenerator<Line, void, undefined> {
  const pending = new Pending(maxBytes + 1) // and a CR, which is not counted
  const ends = quotes ? new QuotedEnds() : new PlainEnds()
  let number = 1
  for await (const chunk of withoutBom(chunks)) {
    let start = 0
    while (start < chunk.length) {
      const end = ends.find(chunk, start)
      if (end === -1) {
        pending.add(chunk.subarray(start))
        break
      }
      yield toLine(pending.finish(chunk.subarray(start, end)), number, maxBytes)
      number += 1 + ends.takeInner()
      start = end + 1
    }
  }
  if (pending.isEmpty) return
  yield toLine(pending.finish(new Uint8Array(0)), number, maxBytes)
}

function toLine(bytes: Uint8Array | undefined, number: number, maxBytes: number): Line {
  if (bytes === undefined) return { kind: 'too_long', number }
  const line = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes
  return line.length > maxBytes ? { kind: 'too_long', number } : { kind: 'line', number, bytes: line }
}

/** The beginning of a line whose end is not here yet: one buffer that doubles, up to `maxBytes`. */
class Pending {
  readonly #maxBytes: number
  #buffer = new Uint8Array(0)
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length <= this.#maxBytes) {
      if (length > this.#buffer.length) this.#grow(length)
      this.#buffer.set(bytes, this.#length)
    }
    this.#length = length // counted, though it is not kept any more
  }

  /** The whole line, or nothing if it is too long; empty afterwards. */
  finish(rest: Uint8Array): Uint8Array | undefined {
    if (this.#length === 0) return rest.length <= this.#maxBytes ? rest : undefined
    this.add(rest)
    const line = this.#length <= this.#maxBytes ? this.#buffer.slice(0, this.#length) : undefined
    if (this.#buffer.length > KEEP_BYTES) this.#buffer = new Uint8Array(0)
    this.#length = 0
    return line
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(length, this.#buffer.length * 2, 4096)))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

class PlainEnds {
  find(chunk: Uint8Array, start: number): number {
    return chunk.indexOf(LF, start)
  }

  takeInner(): number {
    return 0
  }
}

/** Ends of CSV records: a quote that opens a field (RFC 4180: at its very start) hides ends of line until it is closed. */
class QuotedEnds {
  #state: 'start' | 'plain' | 'quoted' | 'closing' = 'start'
  #inner = 0

  find(chunk: Uint8Array, start: number): number {
    for (let i = start; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (this.#state === 'quoted') {
        if (byte === QUOTE) this.#state = 'closing'
        else if (byte === LF) this.#inner++
      } else if (byte === QUOTE && this.#state !== 'plain') {
        this.#state = 'quoted' // opens a field, or is the second of two
      } else if (byte === LF) {
        this.#state = 'start'
        return i
      } else {
        this.#state = byte === COMMA ? 'start' : 'plain'
      }
    }
    return -1
  }

  /** Ends of line inside the record that just ended. */
  takeInner(): number {
    const inner = this.#inner
    this.#inner = 0
    return inner
  }
}

async function* withoutBom(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Uint8Array | undefined = new Uint8Array(0)
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk
      continue
    }
    const joined: Uint8Array = new Uint8Array(head.length + chunk.length)
    joined.set(head)
    joined.set(chunk, head.length)
    head = joined
    if (head.length < BOM.length) continue
    yield BOM.every((byte, i) => head![i] === byte) ? head.subarray(BOM.length) : head
    head = undefined
  }
  if (head !== undefined) yield head // fewer than three bytes in all
}
