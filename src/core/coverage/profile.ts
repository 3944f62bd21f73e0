/** What honest answers look like, as `coverage` wants it told. */
import { refuse } from '../checkers.ts'
import { type CellOptions, cellOf, cellsOf, checkAnswer, checkEdges, TENTHS } from './cells.ts'

/**
 * How many of these answers lie in each cell: the option `benign` of `coverage`, for which `edges` and `outputs` must be the
 * same. Take them from many honest clients, a few from each. Throws `bad_query` for an empty list, a bad answer, or
 * answers of unequal length; `bad_config`.
 */
export function coverageProfile(
  answers: readonly ArrayLike<number>[],
  { edges = TENTHS, outputs = 'probabilities' }: Partial<CellOptions> = {},
): number[] {
  const options = { edges: checkEdges(edges, 'edges'), outputs }
  const classes = answers[0]?.length ?? refuse('bad_query', 'must not be empty', answers, 'answers')
  const counts = new Array<number>(cellsOf(classes, options)).fill(0)
  for (const [i, answer] of answers.entries()) {
    checkAnswer(answer, outputs, `answers[${i}]`)
    if (answer.length !== classes) {
      refuse('bad_query', `must have ${classes} numbers like the first`, answer.length, `answers[${i}]`)
    }
    counts[cellOf(answer, options)]!++
  }
  return counts
}
