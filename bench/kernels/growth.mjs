/** How the cost of a query grows with the window: time per query, fitted by a power of the size. */
import { createRandom } from '../embed/random.mjs'
import { median } from '../server/report.mjs'
import { inTurns } from './measure.mjs'
import { measureMemory } from './memory.mjs'

const WIDTH = 384
const SEED = 20261130

/** @returns curves `{ name, points: [{ size, min, median, max }], exponent }` of times in ns; the first one also with `memory`. */
export function measureGrowth({ inside, plain, largest, timing }) {
  const sizes = [100, 1000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest)
  const small = { ...timing, warmUpMs: Math.min(timing.warmUpMs, 200) }
  const curves = {}
  for (const size of sizes) {
    const subjects = {
      'similarity, with kernels': search(inside, size),
      // Twenty times the time: not at the largest size.
      ...(size <= 100_000 ? { 'similarity, plain JavaScript': search(plain, size) } : {}),
      'hashes within a radius, with kernels': hashes(inside, size),
      ...(size <= 100_000 ? { 'hashes within a radius, plain JavaScript': hashes(plain, size) } : {}),
      repetition: repetition(inside, size),
    }
    const times = inTurns(subjects, small)
    for (const [name, list] of Object.entries(times)) {
      curves[name] ??= []
      curves[name].push({ size, min: Math.min(...list), median: median(list), max: Math.max(...list) })
    }
  }
  const grown = Object.entries(curves).map(([name, points]) => ({ name, points, exponent: exponentOf(points) }))
  const large = sizes.filter((size) => size >= Math.min(10_000, largest))
  grown[0].memory = large.map((size) => ({ size, ...measureMemory(size) }))
  return grown
}

/** One question, then the query takes the place of the oldest. */
function search(core, size) {
  const { next } = createRandom(SEED, size)
  const novel = () => Float32Array.from({ length: WIDTH }, () => next() - 0.5)
  const ring = new core.VectorRing(size)
  const few = Array.from({ length: Math.min(size, 5000) }, novel)
  for (let i = 0; i < size; i++) ring.push(few[i % few.length])
  const pool = Array.from({ length: 64 }, novel)
  let at = 0
  return () => {
    const query = pool[at++ & 63]
    const { index } = ring.nearest(query)
    ring.push(query)
    return index
  }
}

function hashes(core, size) {
  const { next } = createRandom(SEED, size)
  const word = () => Math.floor(2 ** 32 * next()) | 0
  const rows = new core.HashRows(size)
  for (let slot = 0; slot < size; slot++) rows.set(slot, word(), word())
  const pool = Array.from({ length: 256 }, () => [word(), word()])
  let at = 0
  return () => {
    const [low, high] = pool[at++ & 255]
    rows.set(at % size, low, high)
    return rows.within(size, low, high, 8)
  }
}

function repetition(core, size) {
  const detector = core.createDetector('repetition', { maxHistorySize: size })
  let serial = 0
  const next = () => detector.process({ fingerprint: (serial++).toString(16).padStart(8, '0').repeat(8) }).score
  for (let i = 0; i < size; i++) next()
  return next
}

/** Of a straight line through the logarithms, by least squares. */
function exponentOf(points) {
  const [xs, ys] = [points.map(({ size }) => Math.log(size)), points.map((point) => Math.log(point.median))]
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length
  const [x0, y0] = [mean(xs), mean(ys)]
  const above = xs.reduce((sum, x, i) => sum + (x - x0) * (ys[i] - y0), 0)
  return above / xs.reduce((sum, x) => sum + (x - x0) ** 2, 0)
}
