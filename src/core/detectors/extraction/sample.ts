/**
 * The distinct queries of a client that its surrogates learn: a sample of all it has ever asked, in bounded memory. A query is
 * kept while its hash is among the smallest, so that the sample is uniform over distinct queries, the same for every order
 * of them, and needs no dice (a "bottom-k" sample). New ones wait until there are enough to be worth learning anew.
 */
import { elementType, refuse } from '../../checkers.ts'
import { placeOf } from '../../sorted.ts'
import { readNumber, readState } from '../../state.ts'
import type { PlainData } from '../../types.ts'
import { type Example, hashOf, MOST_COLUMNS } from './example.ts'

/** Learning anew waits for this part of the sample in new examples, within these limits. */
const PART = 8
const LEAST_NEW = 8
const MOST_NEW = 48
/** Beyond the numbers of an example: its hash, its label, where it ends. */
const OVERHEAD = 12
/** Of an example that waits, an object of its own. */
const WAITING = 160
const ANY_HASH = 0x100000000

/** Examples one behind the other, in the order of their hashes. */
interface Examples {
  readonly hashes: Uint32Array
  readonly labels: Uint32Array
  /** Where the values of each end. */
  readonly ends: Uint32Array
  readonly values: Float32Array
}

const NONE: Examples = /* @__PURE__ */ flatten([])

export class Sample {
  readonly #maxBytes: number
  #learned = NONE
  readonly #waiting = new Map<number, Example>()
  #waitingBytes = 0
  /** Hashes from here on are not kept. */
  #limit = ANY_HASH

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Examples that surrogates learn from. */
  get learned(): number {
    return this.#learned.hashes.length
  }

  get size(): number {
    return this.learned + this.#waiting.size
  }

  /** Without what the surrogates take. */
  get bytes(): number {
    return this.#learned.values.byteLength + OVERHEAD * this.learned + this.#waitingBytes
  }

  /** What is known of a query's answer. */
  labelOf(hash: number): number | undefined {
    const waiting = this.#waiting.get(hash)
    if (waiting !== undefined) return waiting.label
    const { hashes, labels } = this.#learned
    const place = placeOf(hashes, hashes.length, hash)
    return hashes[place] === hash ? labels[place] : undefined
  }

  /** Copies an example, if it is one to keep. True if the surrogates have to learn anew. */
  push(example: Example): boolean {
    if (example.hash >= this.#limit) return false
    if (!this.#waiting.has(example.hash)) this.#waitingBytes += bytesOf(example) + WAITING
    this.#waiting.set(example.hash, { hash: example.hash, label: example.label, values: example.values.slice() })
    if (this.#waiting.size < enoughFor(this.learned)) return false
    this.#takeIn()
    return true
  }

  /** The examples to learn from, as views, in the order of their hashes: that of chance. */
  examples(): Example[] {
    return viewsOf(this.#learned)
  }

  save(): PlainData {
    const { labels, ends, values } = this.#learned
    return {
      learned: { labels: labels.slice(), ends: ends.slice(), values: values.slice() },
      waiting: saveList([...this.#waiting.values()]),
      limit: this.#limit,
    }
  }

  /** Throws `bad_snapshot`. */
  static read(
    state: PlainData,
    { maxBytes, key, classes }: { maxBytes: number; key: number; classes: number },
  ): Sample {
    const fields = readState(state, ['learned', 'waiting', 'limit'])
    const sample = new Sample(maxBytes)
    const limit = readNumber(fields['limit'], 'state.sample.limit', { max: ANY_HASH })
    const learned = readExamples(fields['learned']!, 'state.sample.learned', { key, classes, limit })
    const isInOrder = learned.every(({ hash }, i) => i === 0 || learned[i - 1]!.hash < hash)
    if (!isInOrder)
      refuse('bad_snapshot', 'must be in order, from a detector with the same key', learned, 'state.sample.learned')
    const bytes = learned.reduce((sum, example) => sum + bytesOf(example), 0)
    if (bytes > maxBytes) refuse('bad_snapshot', `must take at most ${maxBytes} bytes`, bytes, 'state.sample.learned')
    sample.#learned = flatten(learned)
    sample.#limit = limit
    const waiting = readExamples(fields['waiting']!, 'state.sample.waiting', { key, classes, limit })
    const isTooMany = waiting.length >= enoughFor(learned.length)
    if (isTooMany) refuse('bad_snapshot', 'must be fewer than are learned at once', waiting, 'state.sample.waiting')
    for (const example of waiting) {
      if (sample.#waiting.has(example.hash)) refuse('bad_snapshot', 'must be distinct', waiting, 'state.sample.waiting')
      sample.push(example)
    }
    return sample
  }

  #takeIn(): void {
    const old = viewsOf(this.#learned).filter(({ hash }) => !this.#waiting.has(hash))
    const all = [...old, ...this.#waiting.values()].sort((a, b) => a.hash - b.hash)
    let bytes = 0
    let kept = 0
    for (; kept < all.length; kept++) {
      bytes += bytesOf(all[kept]!)
      if (bytes > this.#maxBytes) break
    }
    this.#limit = all[kept]?.hash ?? this.#limit
    this.#learned = flatten(all.slice(0, kept))
    this.#waiting.clear()
    this.#waitingBytes = 0
  }
}

function enoughFor(learned: number): number {
  return Math.min(Math.max(LEAST_NEW, learned / PART), MOST_NEW)
}

function bytesOf({ values }: Example): number {
  return values.byteLength + OVERHEAD
}

function flatten(list: readonly Example[]): Examples {
  const values = new Float32Array(list.reduce((sum, { values: own }) => sum + own.length, 0))
  const ends = new Uint32Array(list.length)
  let end = 0
  for (const [i, { values: own }] of list.entries()) {
    values.set(own, end)
    end += own.length
    ends[i] = end
  }
  const hashes = Uint32Array.from(list, ({ hash }) => hash)
  return { hashes, labels: Uint32Array.from(list, ({ label }) => label), ends, values }
}

function viewsOf({ hashes, labels, ends, values }: Examples): Example[] {
  return Array.from(hashes, (hash, i) => {
    return { hash, label: labels[i]!, values: values.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!) }
  })
}

/** The hashes follow from the rest. */
function saveList(list: readonly Example[]): PlainData {
  const { labels, ends, values } = flatten(list)
  return { labels, ends, values }
}

function readExamples(
  state: PlainData,
  path: string,
  { key, classes, limit }: { key: number; classes: number; limit: number },
): Example[] {
  const fields = readState(state, ['labels', 'ends', 'values'])
  const [labels, ends] = [fields['labels'] as Uint32Array, fields['ends'] as Uint32Array]
  const values = fields['values'] as Float32Array
  const isList =
    elementType(labels) === 'Uint32Array' &&
    elementType(ends) === 'Uint32Array' &&
    elementType(values) === 'Float32Array' &&
    labels.length === ends.length &&
    labels.every((label) => label < classes) &&
    ends.every((end, i) => end - (ends[i - 1] ?? 0) >= 1 && end - (ends[i - 1] ?? 0) <= MOST_COLUMNS) &&
    (ends.at(-1) ?? 0) === values.length &&
    values.every(Number.isFinite)
  if (!isList) refuse('bad_snapshot', `must be rows with classes below ${classes}`, state, path)
  return Array.from(labels, (label, i) => {
    const own = values.slice(ends[i - 1] ?? 0, ends[i])
    const hash = hashOf(own, key)
    if (hash >= limit) refuse('bad_snapshot', 'must be rows that are kept, of a detector with the same key', hash, path)
    return { hash, label, values: own }
  })
}
