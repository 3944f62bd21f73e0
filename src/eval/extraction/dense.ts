/** One layer of a small network, with the three kernels that training needs. Plain loops: they are where the time goes. */

export interface Dense {
  readonly inputs: number
  readonly outputs: number
  /** Row by row, one row an output. */
  readonly weights: Float64Array
  readonly bias: Float64Array
}

/** A layer of zeros, or of the given weights. */
export function createDense(
  inputs: number,
  outputs: number,
  weights: Float64Array = new Float64Array(inputs * outputs),
): Dense {
  return { inputs, outputs, weights, bias: new Float64Array(outputs) }
}

/** W x + b. */
export function apply({ inputs, outputs, weights, bias }: Dense, x: Float64Array): Float64Array {
  const y = new Float64Array(outputs)
  for (let k = 0; k < outputs; k++) {
    const row = k * inputs
    let sum = bias[k]!
    for (let i = 0; i < inputs; i++) sum += weights[row + i]! * x[i]!
    y[k] = sum
  }
  return y
}

/** Wᵀ d: what a change of the inputs does to d · y. */
export function backward({ inputs, outputs, weights }: Dense, d: Float64Array): Float64Array {
  const gradient = new Float64Array(inputs)
  for (let k = 0; k < outputs; k++) {
    const by = d[k]!
    if (by === 0) continue
    const row = k * inputs
    for (let i = 0; i < inputs; i++) gradient[i]! += by * weights[row + i]!
  }
  return gradient
}

/** W − rate · d xᵀ and b − rate · d. */
export function descend({ inputs, outputs, weights, bias }: Dense, x: Float64Array, d: Float64Array, rate: number) {
  for (let k = 0; k < outputs; k++) {
    const by = rate * d[k]!
    if (by === 0) continue
    const row = k * inputs
    for (let i = 0; i < inputs; i++) weights[row + i]! -= by * x[i]!
    bias[k]! -= by
  }
}
