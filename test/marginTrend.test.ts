/** The margin trend against hand counts, a plain restatement, and its promise on streams in an order of chance. */
import { describe, expect, test } from 'vitest'
import {
  clopperPearson,
  createDetector,
  type MarginTrendConfig,
  type Observation,
  textShingles,
} from '../src/core/index.ts'
import { getDetector } from '../src/embed/index.ts'
import { normal, random } from './tools/random.ts'

const detector = (config: Partial<MarginTrendConfig> = {}) => createDetector('margin_trend', config)

/** Inputs with one number are alike, others share nothing. */
function like(input: number) {
  const next = random(input)
  const words = [...new Set(Array.from({ length: 50 }, () => Math.floor(2 ** 32 * next())))].sort((a, b) => b - a)
  return { hashes: Uint32Array.from(words.flatMap((word) => [word, 1])), windows: words.length }
}

const one = like(1)
const asked = (logit: number, shingles = one): Observation => ({ shingles, probabilities: [logit, 0] })
const logits = { outputs: 'logits' } as const

describe('the groups', () => {
  test('the first query is left out, and its class is the one that is followed', () => {
    const d = detector({ ...logits, least: 2 })
    const first = d.process(asked(-3)).metadata
    expect(first).toMatchObject({ group: null, members: 1, referenceClass: 1, margin: 3, rankP: 1, evidence: null })
    const second = d.process(asked(-1)).metadata
    expect(second).toMatchObject({ group: 1, members: 2, referenceClass: 1, margin: 1, shared: 50, evidence: null })
    // The third is the lower of two: its rank is the coin's half of the lowest.
    const third = d.process(asked(4)).metadata
    expect(third).toMatchObject({ members: 3, referenceClass: 1, margin: -4, historySize: 2 })
    expect(third.rankP).toBeGreaterThan(0)
    expect(third.rankP).toBeLessThan(0.5)
    expect(third.limit).toBeCloseTo(Math.log(100) + Math.log(2), 12)
  })

  test('25 of 50 shared hashes are no likeness, 26 are', () => {
    const d = detector(logits)
    d.process(asked(1))
    const mixed = (own: number) => {
      const words = [...new Set(Array.from({ length: own }, (_, i) => one.hashes[2 * i]!))]
      const other = Array.from({ length: 50 - own }, (_, i) => 50 - i)
      return {
        hashes: Uint32Array.from([...words, ...other].flatMap((word) => [word, word <= 50 ? 0 : 1])),
        windows: 50,
      }
    }
    expect(d.process(asked(1, mixed(25))).metadata).toMatchObject({ group: null, shared: 25 })
    expect(d.process(asked(1, mixed(26))).metadata.group).not.toBe(null)
  })

  test('what the model answers has no part in who joins', () => {
    const joined = (seed: number) => {
      const next = random(seed)
      const inputs = random(5)
      const d = detector({ ...logits, groups: 2, maxHistorySize: 6 })
      return Array.from(
        { length: 200 },
        () => d.process(asked(normal(next), like(Math.floor(5 * inputs())))).metadata.group,
      )
    }
    expect(joined(1)).toEqual(joined(2))
  })

  test('the group without a new member for longest leaves', () => {
    const d = detector({ ...logits, groups: 2 })
    const group = (input: number) => d.process(asked(1, like(input))).metadata.group
    expect([1, 1, 2, 2, 1, 3, 3, 1, 2].map(group)).toEqual([null, 1, null, 2, 1, null, 3, 1, 4])
  })

  test('each further group that is tested has to reach more: 1·2, 2·3, 3·4 over alpha', () => {
    const d = detector({ ...logits, least: 1, alpha: 0.1 })
    const limits = [1, 2, 3].map((input) => {
      d.process(asked(1, like(input)))
      return d.process(asked(1, like(input))).metadata.limit!
    })
    for (const [i, limit] of limits.entries()) expect(limit).toBeCloseTo(Math.log(10 * (i + 1) * (i + 2)), 12)
  })
})

describe('the test', () => {
  test('is the mixture of power martingales over the ranks, as a list that is sorted anew', () => {
    const d = detector({ ...logits, least: 3, alpha: 0.05 })
    const next = random(8)
    const margins: number[] = []
    let capital = Array.from({ length: 9 }, () => 1)
    d.process(asked(2))
    for (let i = 0; i < 300; i++) {
      const margin = Math.round(4 * (normal(next) + 2 - i / 100)) / 4 // with ties
      const { metadata, score, suspicious } = d.process(asked(margin))
      margins.push(margin)
      const below = margins.filter((m) => m < margin).length
      const equal = margins.filter((m) => m === margin).length
      expect(metadata.rankP * margins.length).toBeGreaterThan(below)
      expect(metadata.rankP * margins.length).toBeLessThan(below + equal)
      capital = capital.map((c, k) => c * ((k + 1) / 10) * metadata.rankP ** ((k + 1) / 10 - 1))
      if (i < 2) continue
      const evidence = Math.log(capital.reduce((a, b) => a + b) / 9)
      expect(metadata.evidence!).toBeCloseTo(evidence, 8)
      expect(score).toBeCloseTo(Math.max(evidence, 0) / Math.log(40), 8)
      expect(suspicious).toBe(score >= 1)
    }
    expect(capital.reduce((a, b) => a + b)).toBeGreaterThan(1000)
  })

  test('ranks begin anew when as many margins are remembered as may be', () => {
    const d = detector({ ...logits, members: 4 })
    d.process(asked(0))
    const ranks = Array.from({ length: 9 }, (_, i) => d.process(asked(i)).metadata.rankP)
    // Rising margins: above all so far in each block of four; the first of a block is the coin itself.
    for (const at of [1, 2, 3, 5, 6, 7]) expect(ranks[at]).toBeGreaterThan((at % 4) / ((at % 4) + 1))
    expect(new Set(ranks).size).toBe(9)
  })

  test('in an order of chance at most alpha of all clients ever alarm, whoever looks at every query', () => {
    const alpha = 0.1
    const alarms = Array.from({ length: 600 }, (_, client) => {
      const d = detector({ ...logits, alpha, least: 2, key: client })
      const next = random(client)
      const inputs = random(client + 7)
      let isAlarmed = false
      for (let i = 0; i < 150; i++) {
        // Three inputs; the clean one first, with a high margin, as an explainer begins; whole margins, so ties.
        const margin = i < 3 ? 9 : Math.round(2 * normal(next))
        const input = i < 3 ? i : Math.floor(3 * inputs())
        if (d.process(asked(margin, like(input))).suspicious) isAlarmed = true
      }
      return isAlarmed
    }).filter(Boolean).length
    expect(clopperPearson(alarms, 600, 0.001).low).toBeLessThanOrEqual(alpha)
  })

  test('a margin that falls by half a deviation in a hundred queries is found, by logits, probabilities and labels', () => {
    const first = (config: Partial<MarginTrendConfig>, answer: (margin: number) => number[]) => {
      const d = detector(config)
      const next = random(4)
      for (let i = 0; i < 1000; i++) {
        const probabilities = answer(4 - i / 100 + 0.5 * normal(next))
        if (d.process({ shingles: one, probabilities }).suspicious) return i
      }
      return Infinity
    }
    const share = (margin: number) => [1 / (1 + Math.exp(-margin)), 1 / (1 + Math.exp(margin))]
    const byLogits = first(logits, (margin) => [margin, 0])
    expect(byLogits).toBeLessThan(250)
    expect(Math.abs(first({}, share) - byLogits)).toBeLessThan(3)
    // The labels tell nothing before the class is first lost, at about the 300th query.
    const byLabels = first({ outputs: 'labels' }, (margin) => [Number(margin >= 0), Number(margin < 0)])
    expect(byLabels).toBeGreaterThan(300)
    expect(byLabels).toBeLessThan(500)
  })

  test('labels: whether the class is that of the first query', () => {
    const d = detector({ outputs: 'labels' })
    const margins = [
      [1, 0],
      [9, 8],
      [-7, -3],
      [0, 1],
    ].map((probabilities) => d.process({ shingles: one, probabilities }).metadata.margin)
    expect(margins).toEqual([1, 1, 0, 0])
  })
})

test('from raw queries: the answer is read beside the input, and its lack is an error', async () => {
  const d = getDetector('margin_trend', { least: 1 })
  const input = 'How do I block the card that I lost on the way home?'
  await d.process({ input, modelOutput: [0.9, 0.1] })
  const { metadata } = await d.process({ input, modelOutput: [0.6, 0.4] })
  expect(metadata).toMatchObject({ group: 1, members: 2, shared: textShingles(input).hashes.length / 2 })
  expect(metadata.margin).toBeCloseTo(Math.log(1.5), 12)
  await expect(d.process({ input })).rejects.toThrow('modelOutput: is missing')
})

test('options out of range are refused', () => {
  expect(() => detector({ alpha: 0.6 })).toThrow('margin_trend.alpha')
  expect(() => detector({ overlap: 51 })).toThrow('margin_trend.overlap')
  expect(() => detector({ outputs: 'label' as never })).toThrow('margin_trend.outputs')
  expect(() => detector({ members: 1 })).toThrow('margin_trend.members')
})
