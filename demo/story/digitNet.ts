/** The digit classifier in plain TypeScript: two convolutions of 5 × 5 by 2, a layer of 48, a layer of 10. */
import { onnxWeights } from './onnxWeights.ts'

/** Answers one picture of 28 × 28, 0 … 1, with ten logits. */
export type DigitNet = (picture: ArrayLike<number>) => Float32Array

const CLASSES = 10
const HIDDEN = 48
const [FIRST, SECOND] = [8, 16]
const SIDE = 5

/** The network of `models/digits.onnx`. Throws if the file holds another one. */
export function createDigitNet(file: Uint8Array): DigitNet {
  const weights = onnxWeights(file)
  const take = (name: string, length: number): Float32Array => {
    const found = weights.get(name)
    if (found?.length !== length) throw new Error(`${name} must have ${length} numbers, came ${found?.length}`)
    return found
  }
  const [conv1, bias1] = [take('conv1.weight', FIRST * 25), take('conv1.bias', FIRST)]
  const [conv2, bias2] = [take('conv2.weight', SECOND * FIRST * 25), take('conv2.bias', SECOND)]
  const [hidden, hiddenBias] = [take('hidden.weight', HIDDEN * SECOND * 49), take('hidden.bias', HIDDEN)]
  const [out, outBias] = [take('out.weight', CLASSES * HIDDEN), take('out.bias', CLASSES)]
  return (picture) => {
    if (picture.length !== 784) throw new Error(`a digit must have 784 pixels, came ${picture.length}`)
    const one = halved(picture, { channels: 1, side: 28 }, conv1, bias1)
    const two = halved(one, { channels: FIRST, side: 14 }, conv2, bias2)
    return layer(layer(two, hidden, hiddenBias).map(positive), out, outBias)
  }
}

/** Convolution by 2 with a border of 2, and what is negative left out. */
function halved(
  input: ArrayLike<number>,
  { channels, side }: { readonly channels: number; readonly side: number },
  weights: Float32Array,
  bias: Float32Array,
): Float32Array {
  const half = side / 2
  const output = new Float32Array(bias.length * half * half)
  const padded = side + 4
  const bordered = new Float32Array(channels * padded * padded)
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        bordered[(c * padded + y + 2) * padded + x + 2] = input[(c * side + y) * side + x]!
      }
    }
  }
  const window = channels * SIDE * SIDE
  const seen = new Float32Array(window)
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      let n = 0
      for (let c = 0; c < channels; c++) {
        for (let i = 0; i < SIDE; i++) {
          const from = (c * padded + 2 * y + i) * padded + 2 * x
          for (let j = 0; j < SIDE; j++) seen[n++] = bordered[from + j]!
        }
      }
      // Four channels at a time: each number of the window is read once for all of them.
      for (let k = 0; k < bias.length; k += 4) {
        let [a, b, c, d] = [bias[k]!, bias[k + 1]!, bias[k + 2]!, bias[k + 3]!]
        for (let i = 0, from = k * window; i < window; i++, from++) {
          const value = seen[i]!
          a += weights[from]! * value
          b += weights[from + window]! * value
          c += weights[from + 2 * window]! * value
          d += weights[from + 3 * window]! * value
        }
        const at = (k * half + y) * half + x
        output[at] = positive(a)
        output[at + half * half] = positive(b)
        output[at + 2 * half * half] = positive(c)
        output[at + 3 * half * half] = positive(d)
      }
    }
  }
  return output
}

function layer(input: Float32Array, weights: Float32Array, bias: Float32Array): Float32Array {
  return bias.map((start, k) => {
    let sum = start
    const from = k * input.length
    for (let i = 0; i < input.length; i++) sum += weights[from + i]! * input[i]!
    return sum
  })
}

function positive(value: number): number {
  return Math.max(value, 0)
}
