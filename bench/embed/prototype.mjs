/**
 * The hand-made features of the prototype, from the recipe that came with its projection: edges (gradients in 16
 * directions, 4 × 4 cells), an 8 × 8 layout of colours, low frequencies; then a linear projection to 128 numbers. For
 * comparison only.
 */
import { core } from './library.mjs'
import { toUnit } from './networks.mjs'
import { readNpz } from './npz.mjs'

const SIDE = 64
const CELLS = 4
const BINS = 16

/** Makes pixels → unit vector of 128 numbers, with the projection of a file. */
export function createPrototypeProjection(file) {
  const { mu, V } = readNpz(file)
  const [rows, columns] = V.shape
  const [down, across] = V.isColumnMajor ? [1, rows] : [columns, 1]
  return (picture) => {
    const features = featuresOf(core.thumbnail(picture))
    const projected = new Float64Array(columns)
    for (let i = 0; i < rows; i++) {
      const value = features[i] - mu.data[i]
      for (let k = 0; k < columns; k++) projected[k] += value * V.data[i * down + k * across]
    }
    return toUnit(projected)
  }
}

function featuresOf(planes) {
  const [red, green, blue] = planes
  const mix = (r, g, b) => red.map((value, i) => r * value + g * green[i] + b * blue[i])
  const luma = mix(0.299, 0.587, 0.114)
  const chroma = [mix(-0.168736, -0.331264, 0.5), mix(0.5, -0.418688, -0.081312)]
  return [...unit(edges(soften(luma))), ...unit(interleave(planes.map(layout))), ...unit(waves(luma, chroma))]
}

function unit(values) {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) + 1e-8
  return Array.from(values, (value) => value / length)
}

const BLUR = [-3, -2, -1, 0, 1, 2, 3].map((k) => Math.exp(-(k * k) / 2))
const BLUR_TOTAL = BLUR.reduce((a, b) => a + b)

/** Gaussian blur of σ 1. */
function soften(plane) {
  return pass(pass(plane, 1, 0), 0, 1)
}

function pass(source, stepX, stepY) {
  const out = new Float64Array(source.length)
  for (let i = 0; i < out.length; i++) {
    const x = i % SIDE
    const y = (i - x) / SIDE
    let sum = 0
    for (let k = -3; k <= 3; k++) sum += BLUR[k + 3] * source[clamp(y + k * stepY) * SIDE + clamp(x + k * stepX)]
    out[i] = sum / BLUR_TOTAL
  }
  return out
}

function clamp(place) {
  return Math.min(Math.max(place, 0), SIDE - 1)
}

function edges(luma) {
  const sums = new Float64Array(CELLS * CELLS * BINS)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const dx = luma[y * SIDE + clamp(x + 1)] - luma[y * SIDE + clamp(x - 1)]
      const dy = luma[clamp(y + 1) * SIDE + x] - luma[clamp(y - 1) * SIDE + x]
      addEdge(sums, x, y, Math.hypot(dx, dy), (Math.atan2(dy, dx) / (2 * Math.PI) + 1) * BINS)
    }
  }
  return sums.map(Math.sqrt)
}

/** Shared among the four nearest cells and the two nearest directions. */
function addEdge(sums, x, y, strength, direction) {
  const bin = Math.floor(direction)
  const part = direction - bin
  const column = ((x + 0.5) * CELLS) / SIDE - 0.5
  const row = ((y + 0.5) * CELLS) / SIDE - 0.5
  for (let k = 0; k < 4; k++) {
    const c = Math.floor(column) + (k & 1)
    const r = Math.floor(row) + (k >> 1)
    if (c < 0 || c >= CELLS || r < 0 || r >= CELLS) continue
    const share = strength * (1 - Math.abs(column - c)) * (1 - Math.abs(row - r))
    const base = (r * CELLS + c) * BINS
    sums[base + (bin % BINS)] += share * (1 - part)
    sums[base + ((bin + 1) % BINS)] += share * part
  }
}

/** Averages of squares, to side × side. */
function average(plane, side) {
  const step = SIDE / side
  const sums = new Float64Array(side * side)
  plane.forEach((value, i) => {
    sums[Math.floor(i / SIDE / step) * side + Math.floor((i % SIDE) / step)] += value / (step * step)
  })
  return sums
}

/** Red, green and blue of one place side by side. */
function interleave(lists) {
  return lists[0].flatMap((_, i) => lists.map((list) => list[i]))
}

function layout(plane) {
  const small = average(plane, 8)
  const mean = small.reduce((a, b) => a + b) / small.length
  return Array.from(small, (value) => value - mean)
}

function waves(luma, chroma) {
  const bright = spectrum(average(luma, 32), 8).map((value, i) => value * (Math.floor(i / 8) + (i % 8)))
  return [...bright, ...chroma.flatMap((plane) => spectrum(average(plane, 32), 3))]
}

/** The kept × kept lowest frequencies of a 32 × 32 plane, orthonormal. */
function spectrum(plane, kept) {
  const lines = Array.from({ length: 32 }, (_, y) => frequencies(plane.subarray(32 * y, 32 * y + 32), kept))
  const out = new Array(kept * kept)
  for (let u = 0; u < kept; u++) {
    const column = frequencies(
      lines.map((line) => line[u]),
      kept,
    )
    for (let v = 0; v < kept; v++) out[v * kept + u] = column[v]
  }
  return out
}

const COSINES = Array.from({ length: 8 }, (_, u) =>
  Float64Array.from(
    { length: 32 },
    (_, x) => Math.sqrt((u === 0 ? 1 : 2) / 32) * Math.cos((Math.PI * (x + 0.5) * u) / 32),
  ),
)

function frequencies(values, kept) {
  return COSINES.slice(0, kept).map((cosines) => cosines.reduce((sum, cosine, x) => sum + cosine * values[x], 0))
}
