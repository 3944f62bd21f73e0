/** MNIST from the test data: the digits and the network that reads them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Labelled, Picture, Victim } from '../../src/eval/index.ts'
import { dataDir, hasData } from '../tools/data.ts'

const MODEL = 'models/image/mnist/mnist.onnx'
const IMAGES = 'images/mnist/t10k-images-0-1000.idx3-ubyte'
const LABELS = 'images/mnist/t10k-labels-0-1000.idx1-ubyte'
const SIDE = 28
const SIZE = SIDE * SIDE

export const missing: readonly string[] = [MODEL, IMAGES, LABELS].filter((file) => !hasData(file))

/** The first 1000 test digits. */
export function digits(): Labelled<Picture>[] {
  const pixels = readFileSync(join(dataDir(), IMAGES)).subarray(16)
  const labels = readFileSync(join(dataDir(), LABELS)).subarray(8)
  return Array.from(labels, (label, n) => {
    const input = Float64Array.from(pixels.subarray(n * SIZE, (n + 1) * SIZE), (v) => v / 255)
    return { input, label }
  })
}

/** It takes one digit at a time, 0 … 255. */
export async function mnist(): Promise<Victim<'image'>> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const options = { logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1 } as const
  const network = await InferenceSession.create(join(dataDir(), MODEL), options)
  return { name: 'mnist', hash: '', kind: 'image', classes: 10, answer }

  async function answer(pictures: readonly Picture[]): Promise<Float32Array[]> {
    const answers: Float32Array[] = []
    for (const picture of pictures) {
      const data = Float32Array.from(picture, (v) => 255 * v)
      const input = new Tensor('float32', data, [1, 1, SIDE, SIDE])
      const output = await network.run({ [network.inputNames[0]!]: input })
      answers.push(Float32Array.from(output[network.outputNames[0]!]!.data as Float32Array))
    }
    return answers
  }
}
