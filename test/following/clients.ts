/** Streams for answer following at a model with two classes and a plane between them. */
import { normal, random } from '../tools/random.ts'

export interface Sent {
  readonly x: Float64Array
  /** Logits. */
  readonly l: readonly [number, number]
  /** False for pictures of others in between. */
  readonly isAttack: boolean
}

/** The margin of class 0 falls along this direction. */
export function planeOf(size: number): Float64Array {
  const next = random(11)
  return Float64Array.from({ length: size }, () => normal(next) / Math.sqrt(size))
}

export function answer(x: Float64Array, plane: Float64Array): readonly [number, number] {
  const height = x.reduce((sum, v, i) => sum + (v - 0.5) * plane[i]!, 0)
  return [6 - 40 * height, 0]
}

/** Random search downhill from a grey picture, small steps kept if the margin falls; every fifth query is somebody else's. */
export function climb(seed: number, size: number, count: number): Sent[] {
  const next = random(seed)
  const plane = planeOf(size)
  const shifted = (x: Float64Array, by: number) => x.map((v) => Math.min(Math.max(v + by * normal(next), 0), 1))
  let at: Float64Array = new Float64Array(size).fill(0.5)
  let margin = Infinity
  return Array.from({ length: count }, (_, i) => {
    if (i % 5 === 4) {
      const x = Float64Array.from({ length: size }, next)
      return { x, l: answer(x, plane), isAttack: false }
    }
    const x = margin === Infinity ? at.slice() : shifted(at, 0.01)
    const l = answer(x, plane)
    if (l[0] - l[1] < margin) [at, margin] = [x, l[0] - l[1]]
    return { x, l, isAttack: true }
  })
}
