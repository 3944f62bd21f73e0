/** The network under attack and its pictures: ResNet-20 on CIFAR-10 from the test data. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataDir, hasData } from '../tools/data.ts'
import { normal, random } from '../tools/random.ts'

const MODEL = 'models/image/cifar10/cifar10_resnet20.onnx'
const IMAGES = 'images/cifar10/cifar10_test_0-100_per_class.bin'

export const SIDE = 32
/** Numbers of a picture: row by row, channels interleaved, 0 … 1. */
export const SIZE = SIDE * SIDE * 3

export const missing: readonly string[] = [MODEL, IMAGES].filter((file) => !hasData(file))

/** A picture to start from, correctly classified also under light noise and blur. */
export interface Source {
  readonly index: number
  readonly x: Float64Array
  readonly label: number
}

/** The logits of pictures, in their order. */
export type Target = (pictures: readonly Float64Array[]) => Promise<number[][]>

const MEAN = [0.485, 0.456, 0.406]
const DEVIATION = [0.229, 0.224, 0.225]

export async function openTarget(): Promise<Target> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const options = { logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1 } as const
  const network = await InferenceSession.create(join(dataDir(), MODEL), options)
  return async (pictures) => {
    const data = new Float32Array(pictures.length * SIZE)
    for (const [n, x] of pictures.entries()) {
      for (let i = 0; i < SIZE; i++) {
        const c = i % 3
        data[n * SIZE + c * SIDE * SIDE + (i - c) / 3] = (x[i]! - MEAN[c]!) / DEVIATION[c]!
      }
    }
    const input = new Tensor('float32', data, [pictures.length, 3, SIDE, SIDE])
    const { logits } = await network.run({ [network.inputNames[0]!]: input }, ['logits'])
    const values = logits!.data as Float32Array
    return pictures.map((_, n) => Array.from(values.subarray(10 * n, 10 * n + 10)))
  }
}

/** All 1000 pictures. */
export function readPictures(): { readonly x: Float64Array; readonly label: number }[] {
  const bytes = readFileSync(join(dataDir(), IMAGES))
  return Array.from({ length: bytes.length / (SIZE + 1) }, (_, n) => {
    const at = n * (SIZE + 1)
    const x = new Float64Array(SIZE)
    for (let i = 0; i < SIZE; i++) x[i] = bytes[at + 1 + (i % 3) * SIDE * SIDE + Math.floor(i / 3)]! / 255
    return { x, label: bytes[at]! }
  })
}

/** The pictures that the network gets right, clean and in four corrupted draws, the first `count` of them. */
export async function findSources(target: Target, count: number): Promise<Source[]> {
  const found: Source[] = []
  for (const [index, { x, label }] of readPictures().entries()) {
    if (found.length === count) break
    const next = random(index)
    const draws = [noisy(x, next, 16), noisy(x, next, 16), noisy(blurred(x, 0.5), next, 4), blurred(x, 0.5)]
    const answers = await target([x, ...draws])
    if (answers.every((l) => largest(l) === label)) found.push({ index, x, label })
  }
  return found
}

export function noisy(x: Float64Array, next: () => number, levels: number): Float64Array {
  return x.map((v) => cut(v + (levels / 255) * normal(next)))
}

/** (1 − share) · x + share · the mean over 3 × 3. */
export function blurred(x: Float64Array, share: number): Float64Array {
  return x.map((v, i) => {
    const [row, column, c] = [Math.floor(i / (SIDE * 3)), Math.floor(i / 3) % SIDE, i % 3]
    let sum = 0
    for (let r = row - 1; r <= row + 1; r++)
      for (let k = column - 1; k <= column + 1; k++) sum += x[(inside(r) * SIDE + inside(k)) * 3 + c]!
    return (1 - share) * v + (share * sum) / 9
  })
}

const inside = (at: number) => Math.min(Math.max(at, 0), SIDE - 1)

export function cut(value: number): number {
  return Math.min(Math.max(value, 0), 1)
}

export function largest(l: readonly number[]): number {
  return l.indexOf(Math.max(...l))
}

/** How far class k stands above the strongest other. */
export function gap(l: readonly number[], k: number): number {
  return l[k]! - Math.max(...l.filter((_, j) => j !== k))
}

/** ln of the probability of class k. */
export function logProbability(l: readonly number[], k: number): number {
  const most = Math.max(...l)
  return l[k]! - most - Math.log(l.reduce((sum, v) => sum + Math.exp(v - most), 0))
}
