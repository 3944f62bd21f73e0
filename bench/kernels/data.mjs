/** Seeded vectors and pictures. */
import { createRandom } from '../embed/random.mjs'

/**
 * Unit vectors as embeddings have them: clusters around a common mean, with a spectrum that falls as a power. Of `queries`
 * every other one is a near-duplicate of a row, at a cosine of about 0.96.
 */
export function clustered({ count, queries, width, seed }) {
  const { normal, below } = createRandom(seed)
  const spectrum = Float64Array.from({ length: width }, (_, i) => (i + 1) ** -0.5)
  const draw = (scale) => Float64Array.from(spectrum, (s) => scale * s * normal())
  const mean = draw(0.5)
  const centres = Array.from({ length: 2000 }, () => draw(0.85))
  const novel = () => {
    const centre = centres[below(centres.length)]
    return unit(spectrum.map((s, i) => mean[i] + centre[i] + 0.65 * s * normal()))
  }
  const rows = Array.from({ length: count }, novel)
  const near = () => {
    const row = rows[below(rows.length)]
    return unit(Float64Array.from(row, (v) => v + (0.29 / Math.sqrt(width)) * normal()))
  }
  return { rows, novel: Array.from({ length: queries }, novel), near: Array.from({ length: queries }, near) }
}

function unit(v) {
  let sum = 0
  for (const x of v) sum += x * x
  const length = Math.sqrt(sum)
  return Float32Array.from(v, (x) => x / length)
}

/** A picture of waves and a little noise, in red, green and blue. */
export function waves(seed, width, height) {
  const { next } = createRandom(seed, width)
  const [a, b] = [1 + 9 * next(), 1 + 9 * next()]
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => 127 + 80 * Math.sin(i / 97 / a) + 30 * Math.cos(i / b) + 10 * next(),
  )
  return { data, width, height, channels: 3 }
}
