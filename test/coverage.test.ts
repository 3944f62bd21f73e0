/** The coverage against hand counts. */
import { describe, expect, test } from 'vitest'
import { cellOf, cellsOf, evenCoverage, profiledCoverage, TENTHS } from '../src/core/coverage/cells.ts'
import { type CoverageConfig, coverageProfile, createDetector } from '../src/core/index.ts'
import { random } from './tools/random.ts'

const options = { edges: TENTHS, outputs: 'probabilities' } as const

/** An answer of two classes whose margin is this, 0 … 1. */
function answer(margin: number, best = 0): number[] {
  const p = [(1 + margin) / 2, (1 - margin) / 2]
  return best === 0 ? p : p.reverse()
}

function detector(config: Partial<CoverageConfig> = {}) {
  return createDetector('coverage', { warmUp: 1, maxHistorySize: 4, edges: [0.5], ...config })
}

describe('the cell of an answer', () => {
  test('is its class and the tenth of its margin; an edge belongs above', () => {
    expect(cellOf([0.75, 0.25], options)).toBe(5)
    expect(cellOf([0.74, 0.26], options)).toBe(4)
    expect(cellOf([0.25, 0.75], options)).toBe(15)
    expect(cellOf([0, 0, 1], options)).toBe(29)
    expect(cellOf([1, 0, 0], options)).toBe(9)
  })

  test('of equally likely classes the first counts, with a margin of 0', () => {
    expect(cellOf([0.2, 0.4, 0.4], options)).toBe(10)
    expect(cellOf([1, 1], options)).toBe(0)
  })

  test('does not change when all shares are multiplied, and logits pass through softmax', () => {
    expect(cellOf([75, 25], options)).toBe(5)
    const logits = [Math.log(0.6), Math.log(0.1), Math.log(0.3)].map((v) => v + 7)
    expect(cellOf(logits, { ...options, outputs: 'logits' })).toBe(cellOf([0.6, 0.1, 0.3], options))
  })

  test('stays below 4096 for any number of classes', () => {
    expect(cellsOf(409, options)).toBe(4090)
    expect(cellsOf(1000, options)).toBe(4096)
    const next = random(1)
    const cells = Array.from({ length: 500 }, () => {
      const p = new Float64Array(1000)
      p[Math.floor(1000 * next())] = 1
      return cellOf(p, options)
    })
    expect(Math.max(...cells)).toBeLessThan(4096)
    // Of 500 balls in 1000 boxes 394 boxes hold one; few of them share a cell.
    expect(new Set(cells).size).toBeGreaterThan(350)
  })
})

describe('the expected coverage', () => {
  test('of 4 cells by 3 queries is 4 (1 − (3/4)³) = 2.3125', () => {
    expect(Math.abs(evenCoverage(4, 3) - 2.3125)).toBeLessThan(1e-12)
  })

  test('of a profile of 3 to 1 by 2 queries is (1 − 1/16) + (1 − 9/16) = 1.375', () => {
    expect(Math.abs(profiledCoverage([3, 1, 0], 2) - 1.375)).toBeLessThan(1e-12)
    expect(profiledCoverage([5, 0], 7)).toBe(1)
  })
})

describe('the rule', () => {
  test('the score is the covered cells by the expected ones, this query counted', () => {
    const d = detector()
    expect(d.process({ probabilities: answer(0.9) })).toMatchObject({ score: 1, suspicious: true, threshold: 0.9 })
    const second = d.process({ probabilities: answer(0.1) })
    // 2 of 4 cells; even queries cover 4 (1 − (3/4)²) = 1.75.
    expect(Math.abs(second.score - 2 / 1.75)).toBeLessThan(1e-12)
    expect(second.metadata).toMatchObject({ cell: 0, covered: 2, cells: 4, unseen: 1, historySize: 2 })
    const third = d.process({ probabilities: answer(0.2) })
    expect(third.metadata).toMatchObject({ covered: 2, unseen: 1 / 3 })
    expect(third.suspicious).toBe(false) // 2 / 2.3125 = 0.865
  })

  test('a cell is covered no longer when its last answer has left the window', () => {
    const d = detector()
    d.process({ probabilities: answer(0.9, 1) })
    for (let i = 0; i < 3; i++) d.process({ probabilities: answer(0.9) })
    expect(d.describe().details).toEqual({ classes: 2, covered: 2, cells: 4 })
    expect(d.process({ probabilities: answer(0.9) }).metadata).toMatchObject({ covered: 1, unseen: 0, historySize: 4 })
  })

  test('nothing is decided before the warm-up is over', () => {
    const d = detector({ warmUp: 3 })
    const scores = [0.9, 0.1, 0.2].map((margin) => d.process({ probabilities: answer(margin) }).score)
    expect(scores.slice(0, 2)).toEqual([0, 0])
    expect(scores[2]).toBeGreaterThan(0.8)
  })

  test('with a profile of honest answers the same cells count for more or for less', () => {
    const honest = coverageProfile([answer(0.9), answer(0.8), answer(0.9, 1), answer(0.7)], { edges: [0.5] })
    expect(honest).toEqual([0, 3, 0, 1])
    const d = detector({ benign: honest })
    d.process({ probabilities: answer(0.9) })
    const { score, threshold, suspicious, metadata } = d.process({ probabilities: answer(0.1) })
    // 2 cells where honest clients cover (1 − 1/16) + (1 − 9/16) = 1.375.
    expect(Math.abs(score - 2 / 1.375)).toBeLessThan(1e-12)
    expect([threshold, suspicious, metadata.expected]).toEqual([1.3, true, 1.375])
  })

  test('an explorer is told from a client of a few classes', () => {
    const next = random(3)
    const ask = (classes: number, sure: number) => {
      const d = createDetector('coverage')
      let last = 0
      for (let i = 0; i < 300; i++) {
        const best = Math.floor(classes * next())
        const margin = sure + (1 - sure) * next()
        const p = Array.from({ length: 10 }, (_, c) => (c === best ? margin + (1 - margin) / 10 : (1 - margin) / 10))
        last = d.process({ probabilities: p }).score
      }
      return last
    }
    expect(ask(10, 0)).toBeGreaterThan(0.9)
    expect(ask(10, 0.9)).toBeLessThan(0.2)
    expect(ask(2, 0)).toBeLessThan(0.3)
  })

  test('answers of other lengths, profiles that do not fit and bad options are refused', () => {
    const d = detector()
    d.process({ probabilities: answer(0.9) })
    expect(() => d.process({ probabilities: [1, 0, 0] })).toThrow(
      'probabilities: must have 2 numbers like the ones before',
    )
    expect(() => detector({ benign: [1, 2] }).process({ probabilities: answer(0) })).toThrow('as the profile: 2 cells')
    expect(() => detector({ benign: [0, 0] })).toThrow('coverage.benign')
    expect(() => detector({ benign: [1, -1] })).toThrow('coverage.benign[1]')
    expect(() => detector({ edges: [0.5, 0.5] })).toThrow('coverage.edges[1]')
    expect(() => detector({ warmUp: 5 })).toThrow('coverage.warmUp')
    expect(() => detector({ threshold: 0 })).toThrow('coverage.threshold')
    expect(() => coverageProfile([])).toThrow('answers: must not be empty')
    expect(() => coverageProfile([answer(0), [1]])).toThrow('answers[1]')
  })
})
