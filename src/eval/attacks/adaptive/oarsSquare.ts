import { defineAttack } from '../../define.ts'
import type { Picture } from '../../types.ts'
import { marginLoss } from '../aims.ts'
import { type SquareConfig, shareAt, sideOf, square, striped, withSquare } from '../square.ts'
import { OARS_PAPER, type SizeSearch, smallestAnswered } from './refusals.ts'

export interface OarsSquareConfig extends SquareConfig {
  /** Of the squares a query. Default: 10 × 5 queries in [10, 100], none refused. */
  readonly countSearch: SizeSearch
  /** Of the smallest side of a square. Default: 10 × 10 queries in [1, 32], at most half refused. */
  readonly sideSearch: SizeSearch
  /** Queries refused in a row after which the attack gives up. Default 300. */
  readonly attempts: number
}

/** Square with several squares a query, none of them small, so that queries are unlike each other. */
export const oarsSquare = defineAttack({
  name: 'oars_square',
  kind: 'image',
  sees: 'probabilities',
  summary: 'Square with as many and as large squares a query as it takes not to be refused',
  paper: OARS_PAPER,
  defaults: {
    ...square.defaults,
    countSearch: { from: 10, to: 100, bisections: 10, samples: 5, refused: 0 },
    sideSearch: { from: 1, to: 32, bisections: 10, samples: 10, refused: 0.5 },
    attempts: 300,
  } as OarsSquareConfig,
  async run(oracle, task, { ball, share, countSearch, sideSearch, attempts }) {
    const { source, shape } = task
    const { random } = oracle
    const loss = marginLoss('any', task)
    const largest = sideOf(1, shape)
    let x = striped(source, shape, ball, random)
    let lowest = loss(await oracle.ask(x))
    const firstSide = sideOf(share, shape)
    const count = Math.floor(await smallestAnswered(oracle, countSearch, (n) => withSquares(Math.floor(n), firstSide)))
    const least = Math.floor(await smallestAnswered(oracle, sideSearch, (side) => withSquares(count, Math.floor(side))))
    let refusals = 0
    for (let n = 0; refusals < attempts; n++) {
      const tried = withSquares(count, Math.max(least, sideOf(shareAt(n, task.budget, share), shape)))
      const answer = await oracle.ask(tried)
      refusals = answer.refused ? refusals + 1 : 0
      const value = loss(answer)
      if (value >= lowest) continue
      x = tried
      lowest = value
    }

    function withSquares(squares: number, side: number): Picture {
      let y = x
      for (let n = 0; n < squares; n++)
        y = withSquare(y, source, { side: Math.min(side, largest), ball, shape, random })
      return y
    }
  },
})
