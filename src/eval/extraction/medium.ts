/** What thieves of models do differently with pictures and with rows. */
import { clip } from '../picture.ts'
import type { Random } from '../random.ts'
import { createTable } from '../tabular/table.ts'
import type { InputOf, Picture, Shape, Task } from '../types.ts'

/** Inputs as the numbers that a copy of the model learns from, 0 … 1, and back. */
export interface Medium<Input> {
  numbersOf(input: Input): Float64Array
  /** The input with every number moved by `by` up or down, and cut at 0 and 1. */
  moved(input: Input, direction: Int8Array, by: number): Input
  /** An input of which only the ranges are known. */
  uniform(random: Random): Input
  /** Pictures: normal numbers around grey. Rows: every cell as in some example of its own. */
  typical(random: Random): Input
}

export type Stolen = 'image' | 'tabular'

/** The medium of a task. Rows are scaled as the pool's are. */
export const MEDIA: { readonly [K in Stolen]: (task: Task<InputOf[K]>) => Medium<InputOf[K]> } = {
  image: ({ shape }) => pictureMedium(shape),
  tabular: ({ source, pool }) => createTable([source, ...pool.map(({ input }) => input)]),
}

/** Pictures with more pixels a side are learned from their means over blocks. */
const LARGEST_SIDE = 32
const GREY = 0.5
const GREY_DEVIATION = 0.25

function pictureMedium(shape: Shape): Medium<Picture> {
  const { width, height, channels } = shape
  const size = width * height * channels
  const block = Math.ceil(Math.max(width, height) / LARGEST_SIDE)
  const columns = Math.ceil(width / block)
  return {
    numbersOf: (picture) => (block === 1 ? picture : blockMeans(picture, shape, block)),
    moved(picture, direction, by) {
      const moved = new Float64Array(size)
      for (let i = 0; i < size; i++) moved[i] = clip(picture[i]! + by * direction[block === 1 ? i : placeOf(i)]!)
      return moved
    },
    uniform: (random) => Float64Array.from({ length: size }, random.next),
    typical: (random) => random.normals(size).map((v) => clip(GREY + GREY_DEVIATION * v)),
  }

  function placeOf(i: number): number {
    const c = i % channels
    const x = ((i - c) / channels) % width
    const y = Math.floor(i / (channels * width))
    return (Math.floor(y / block) * columns + Math.floor(x / block)) * channels + c
  }
}

function blockMeans(picture: Picture, { width, height, channels }: Shape, block: number): Float64Array {
  const columns = Math.ceil(width / block)
  const means = new Float64Array(columns * Math.ceil(height / block) * channels)
  const counts = new Float64Array(means.length)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (Math.floor(y / block) * columns + Math.floor(x / block)) * channels
      for (let c = 0; c < channels; c++, i++) {
        means[at + c]! += picture[i]!
        counts[at + c]!++
      }
    }
  }
  return means.map((sum, i) => sum / counts[i]!)
}
