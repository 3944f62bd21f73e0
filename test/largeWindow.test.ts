/**
 * The largest window promised in Node: a million embeddings, oldest out, newest in. That takes a minute and 6 GB, and only
 * happens with `MONITAUR_FULL=1`; else the same with twenty thousand.
 */
import { expect, test } from 'vitest'
import { createDetector, inPieces, restoreInPieces } from '../src/core/index.ts'
import { norm } from '../src/core/rowSums.ts'
import { VectorRing } from '../src/core/vectorRing.ts'
import { random } from './tools/random.ts'

const FULL = process.env['MONITAUR_FULL'] === '1'
const SIZE = FULL ? 1_000_000 : 20_000
const WIDTH = 384
const TIME = { timeout: FULL ? 600_000 : 60_000 }

const next = random(20261201)
const vector = () => Float32Array.from({ length: WIDTH }, () => next() - 0.5)
const pool = Array.from({ length: 1009 }, vector)

/** Vector number i of the stream: a thousand kinds, of each many that differ in one number only. */
function put(i: number, out: Float32Array, at = 0): void {
  out.set(pool[i % pool.length]!, at)
  out[at + (i % WIDTH)] = Math.sin(i)
}

function vectorAt(i: number): Float32Array {
  const out = new Float32Array(WIDTH)
  put(i, out)
  return out
}

/** Comparing with every vector from number `first` on, in doubles, as the contract has it. */
function nearestOf(first: number, query: Float32Array): { index: number; cosine: number } {
  const length = norm(query)
  const row = new Float32Array(WIDTH)
  let best = { index: 0, cosine: -Infinity }
  for (let index = 0; index < SIZE; index++) {
    put(first + index, row)
    let [even, odd] = [0, 0]
    for (let i = 0; i < WIDTH; i += 2) {
      even += row[i]! * query[i]!
      odd += row[i + 1]! * query[i + 1]!
    }
    const cosine = (even + odd) / (length * norm(row))
    if (cosine > best.cosine) best = { index, cosine }
  }
  return { ...best, cosine: Math.min(best.cosine, 1) }
}

test(`${SIZE} embeddings, overwritten once and a half: exact answers, constant memory`, TIME, () => {
  const ring = new VectorRing(SIZE)
  const row = new Float32Array(WIDTH)
  let pushed = 0
  const pushUpTo = (end: number) => {
    for (; pushed < end; pushed++) {
      put(pushed, row)
      ring.push(row)
    }
  }
  const check = () => {
    for (const query of [vector(), vectorAt(pushed - 5), vectorAt(pushed - SIZE + 3)]) {
      expect(ring.nearest(query)).toEqual(nearestOf(pushed - SIZE, query))
    }
  }
  pushUpTo(SIZE)
  check()
  const [bytes, before] = [ring.bytes(), process.memoryUsage().rss]
  pushUpTo(Math.floor(2.5 * SIZE))
  expect(ring.bytes()).toBe(bytes)
  expect(ring.size).toBe(SIZE)
  // Of a small window the rest of the process would hide it.
  if (FULL) expect(process.memoryUsage().rss).toBeLessThan(before + 0.05 * bytes)
  check()
})

test(`a window of ${SIZE} embeddings is restored and saved in pieces, to the same bits`, TIME, () => {
  const rows = new Float32Array(SIZE * WIDTH)
  for (let i = 0; i < SIZE; i++) put(i, rows, i * WIDTH)
  const detector = createDetector('similarity', { maxHistorySize: SIZE })
  const state = { vectors: { dimension: WIDTH, rows }, incident: null }
  const fill = restoreInPieces(() => detector.restore({ ...detector.snapshot(), state }))
  let steps = 0
  while (!fill()) steps++
  expect(steps).toBeGreaterThan(rows.byteLength / 2 ** 20)

  const query = vector()
  const expected = nearestOf(0, query)
  const begun = inPieces(() => detector.snapshot())
  const { metadata } = detector.process({ embedding: query })
  expect(metadata).toEqual({
    mostSimilarIndex: expected.index,
    similarityScore: expected.cosine,
    historySize: SIZE,
  })
  while (!begun.fill());
  const saved = (begun.value.state as unknown as typeof state).vectors.rows
  expect(Buffer.compare(bytesOf(saved), bytesOf(rows))).toBe(0)
})

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
