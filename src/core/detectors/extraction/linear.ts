/**
 * Multinomial logistic regression, fitted at once to a sample: numbers standardised, names as indicators that share a table
 * of weights by hash. Some passes of stochastic gradient descent with steps per weight (AdaGrad, Duchi et al. 2011), in the
 * order of the sample, so nothing is drawn.
 */
import { finish32, fold32 } from '../../hash.ts'
import { exp } from '../../math.ts'
import { largestClass } from '../lineage/margin.ts'
import { cellOf, type Example, isName, MOST_COLUMNS } from './example.ts'

/** Weights in all, and places for columns and names at most: with many classes they share places. */
const MOST_WEIGHTS = 3072
const MOST_PLACES = 512
/** Multiplications of a fit, about, and passes over the sample at most. */
const EFFORT = 800_000
const MOST_PASSES = 12
/** With many classes and columns only the first rows are learned from: as good as any, but no fewer. */
const LEAST_ROWS = 50
const RATE = 0.5
/** Standardised numbers are cut at this size. */
const CUT = 5
const SEED = 0x3c6ef372

export interface Linear {
  predict(values: ArrayLike<number>): number
}

/** The features of one row: places in the table, and the numbers that stand there. */
interface Features {
  readonly places: Uint32Array
  readonly numbers: Float64Array
}

/** @param examples At least one; their labels are 0 … classes − 1. */
export function fitLinear(examples: readonly Example[], classes: number): Linear {
  const columns = examples.reduce((most, { values }) => Math.max(most, values.length), 0)
  const places = placesFor(classes)
  const { means, scales } = standardOf(examples, columns)
  const weights = new Float32Array(places * classes)
  const logits = new Float64Array(classes)
  descend()
  const asked = noFeatures()
  return { predict }

  function predict(values: ArrayLike<number>): number {
    setFeatures(asked, values)
    return largestClass(scoresOf(asked))
  }

  function descend(): void {
    const steps = new Float64Array(weights.length)
    const affordable = Math.floor(EFFORT / (2 * (columns + 1) * classes))
    const rows = examples
      .slice(0, Math.max(affordable, LEAST_ROWS))
      .map(({ values }) => setFeatures(noFeatures(), values))
    const passes = Math.floor(affordable / rows.length)
    for (let pass = Math.min(Math.max(passes, 1), MOST_PASSES); pass > 0; pass--) {
      for (const [i, row] of rows.entries()) learn(row, examples[i]!.label, steps)
    }
  }

  function learn({ places: at, numbers }: Features, label: number, steps: Float64Array): void {
    const shares = toShares(scoresOf({ places: at, numbers }))
    for (let k = 0; k < classes; k++) {
      const error = shares[k]! - Number(k === label)
      for (let i = 0; i < at.length; i++) {
        const slope = error * numbers[i]!
        if (slope === 0) continue
        const w = at[i]! * classes + k
        steps[w]! += slope * slope
        weights[w]! -= (RATE * slope) / Math.sqrt(steps[w]!)
      }
    }
  }

  function scoresOf({ places: at, numbers }: Features): Float64Array {
    logits.fill(0)
    for (let i = 0; i < at.length; i++) {
      const from = at[i]! * classes
      const number = numbers[i]!
      for (let k = 0; k < classes; k++) logits[k]! += weights[from + k]! * number
    }
    return logits
  }

  function noFeatures(): Features {
    return { places: new Uint32Array(columns + 1), numbers: new Float64Array(columns + 1) }
  }

  /** One a column, and a constant in the last place. */
  function setFeatures(features: Features, values: ArrayLike<number>): Features {
    const { places: at, numbers } = features
    for (let column = 0; column < columns; column++) {
      const cell = cellOf(values, column)
      const number = isName(cell) ? 1 : Math.min(Math.max((cell - means[column]!) * scales[column]!, -CUT), CUT)
      numbers[column] = number
      at[column] = placeOf(column, isName(cell) ? cell * 8 : 0)
    }
    numbers[columns] = 1
    at[columns] = placeOf(columns, 0)
    return features
  }

  function placeOf(column: number, name: number): number {
    return (finish32(fold32(fold32(SEED, column), name | 0)) >>> 0) % places
  }
}

function placesFor(classes: number): number {
  return Math.max(1, Math.min(MOST_PLACES, Math.floor(MOST_WEIGHTS / classes)))
}

/** Of the weights, and of the means and deviations, at most. */
export function linearBytes(classes: number): number {
  return 4 * placesFor(classes) * classes + 16 * MOST_COLUMNS
}

/** Mean and inverse deviation of the numbers of each column; 0 for a column that is one number. */
function standardOf(examples: readonly Example[], columns: number) {
  const means = new Float64Array(columns)
  const scales = new Float64Array(columns)
  for (let column = 0; column < columns; column++) {
    const numbers = examples.map(({ values }) => cellOf(values, column)).filter((cell) => !isName(cell))
    const mean = numbers.reduce((sum, cell) => sum + cell, 0) / Math.max(numbers.length, 1)
    const squares = numbers.reduce((sum, cell) => sum + (cell - mean) * (cell - mean), 0)
    means[column] = mean
    scales[column] = squares > 0 ? Math.sqrt(numbers.length / squares) : 0
  }
  return { means, scales }
}

/** The logits, turned in place into probabilities. */
function toShares(logits: Float64Array): Float64Array {
  const most = logits.reduce((max, logit) => Math.max(max, logit), -Infinity)
  let sum = 0
  for (let k = 0; k < logits.length; k++) sum += logits[k] = exp(logits[k]! - most)
  for (let k = 0; k < logits.length; k++) logits[k]! /= sum
  return logits
}
