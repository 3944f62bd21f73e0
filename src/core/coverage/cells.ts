/**
 * The answer space in cells: the predicted class, and in which part of 0 … 1 the margin to the second class lies. Where there
 * are more cells than 4096, a hash lets some share a place, so that memory stays small.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { finish32 } from '../hash.ts'
import { exp, log } from '../math.ts'
import { checkProbabilities, checkScores, softmax } from '../probability.ts'

const MOST_CELLS = 4096

/** Where an answer lies. */
export interface CellOptions {
  /** Where one part of the margin ends and the next begins: up to 31 rising numbers between 0 and 1. */
  readonly edges: readonly number[]
  readonly outputs: 'probabilities' | 'logits'
}

/** Tenths. */
export const TENTHS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

export function checkEdges(value: unknown, path: string): number[] {
  if (!Array.isArray(value) || value.length > 31) {
    refuse('bad_config', 'must be a list of at most 31 rising numbers between 0 and 1', value, path)
  }
  let before = 0
  return (value as unknown[]).map((edge, i) => {
    before = checkNumber(edge, { min: before + 1e-9, max: 1 }, `${path}[${i}]`)
    return before
  })
}

/** What the model gave, checked: at least two classes. Throws `bad_query`. */
export function checkAnswer(given: ArrayLike<number>, outputs: CellOptions['outputs'], path: string): void {
  if (outputs === 'logits') checkScores(given, path)
  else if (checkProbabilities(given, path) === 0) refuse('bad_query', 'must have a sum above 0', 0, path)
  if (given.length < 2) refuse('bad_query', 'must have at least two classes', given.length, path)
}

/** The number of cells for so many classes. */
export function cellsOf(classes: number, { edges }: Pick<CellOptions, 'edges'>): number {
  return Math.min(classes * (edges.length + 1), MOST_CELLS)
}

/** The cell of a checked answer. The first of equally likely classes counts; an edge belongs to the part above it. */
export function cellOf(answer: ArrayLike<number>, { edges, outputs }: CellOptions): number {
  const { best, margin } = marginOfTop(answer, outputs)
  const cell = best * (edges.length + 1) + partOf(margin, edges)
  return answer.length * (edges.length + 1) <= MOST_CELLS ? cell : (finish32(cell) >>> 0) % MOST_CELLS
}

/** How many edges a margin has reached. */
export function partOf(margin: number, edges: readonly number[]): number {
  let part = 0
  for (let i = 0; i < edges.length; i++) if (margin >= edges[i]!) part++
  return part
}

/** The likeliest class of a checked answer, the first of equals, and by which share of the sum it leads. */
export function marginOfTop(
  answer: ArrayLike<number>,
  outputs: CellOptions['outputs'],
): { readonly best: number; readonly margin: number } {
  const p = outputs === 'logits' ? softmax(answer) : answer
  let best = 0
  let second = -Infinity
  let sum = p[0]!
  for (let i = 1; i < p.length; i++) {
    sum += p[i]!
    if (p[i]! > p[best]!) {
      second = p[best]!
      best = i
    } else if (p[i]! > second) second = p[i]!
  }
  return { best, margin: (p[best]! - second) / sum }
}

/** Cells that so many queries would cover on average, each falling into any of `cells` alike. */
export function evenCoverage(cells: number, queries: number): number {
  return cells * missing(1 / cells, queries)
}

/** The same for queries that fall into the cells in proportion to these counts, whose sum is above 0. */
export function profiledCoverage(counts: readonly number[], queries: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.reduce((sum, count) => sum + missing(count / total, queries), 0)
}

/** 1 − (1 − share)^queries */
function missing(share: number, queries: number): number {
  return 1 - exp(queries * log(1 - share))
}
