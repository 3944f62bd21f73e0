/** The sets to begin with: what they are made of, what they keep, and that they tell an attack from honest clients. */
import { describe, expect, test } from 'vitest'
import { createMonitor, listDetectors, recommended, type Use } from '../src/index.ts'
import { answer, climb, planeOf } from './following/clients.ts'
import { random } from './tools/random.ts'

const planeOfPictures = planeOf(3072)
const USES: readonly Use[] = ['image-classifier', 'tabular-api', 'text-api', 'llm']

const QUERIES: Readonly<Record<Use, (n: number) => object>> = {
  'image-classifier': (n) => {
    const next = random(n)
    const data = Uint8Array.from({ length: 3072 }, () => 256 * next())
    return { input: { data, width: 32, height: 32, channels: 3 }, modelOutput: [0.7, 0.2, 0.1] }
  },
  'tabular-api': (n) => ({ input: { age: 20 + (n % 60), income: 1000 * n, city: `c${n}` }, modelOutput: [0.3, 0.7] }),
  'text-api': (n) => ({ input: `question ${n} about card ${(7 * n) % 100} and nothing else`, modelOutput: [0.9, 0.1] }),
  llm: (n) => ({ input: `write a poem about ${n} trees and ${(n * n) % 77} birds` }),
}

describe.each(USES)('%s', (use) => {
  test('makes a monitor that honest queries do not trouble, within the bytes that are said', async () => {
    const monitor = createMonitor({
      detectors: recommended(use),
      policy: { mode: 'enforce', throttleAt: 2, suspendAt: 4 },
    })
    for (let n = 0; n < 150; n++) {
      const { action } = await monitor.inspect({ ...QUERIES[use](n), client: 'one', timeMs: 10_000 * n } as never)
      expect(action).toBe('allow')
    }
    const { clients } = await monitor.describe()
    expect(clients.bytes).toBeGreaterThan(500)
    expect(clients.bytes).toBeLessThan(128 * 1024)
    const costs = listDetectors().filter(({ name }) => recommended(use).some((one) => one.name === name))
    expect(costs).toHaveLength(recommended(use).length)
    expect(costs.reduce((sum, { cost }) => sum + (cost?.microseconds ?? Infinity), 0)).toBeLessThan(500)
  })

  test('gives a list of its own each time', () => {
    expect(recommended(use)).toEqual(recommended(use))
    expect(recommended(use)).not.toBe(recommended(use))
    expect(recommended(use)[0]).not.toBe(recommended(use)[0])
  })
})

test('suspends who searches downhill, and nobody else', async () => {
  const monitor = createMonitor({
    detectors: recommended('image-classifier'),
    policy: { mode: 'enforce', throttleAt: 2, suspendAt: 4 },
  })
  const suspended = new Set<string>()
  for (const [n, { x, isAttack }] of climb(4, 3072, 250).entries()) {
    const [a, b] = answer(x, planeOfPictures)
    const p = 1 / (1 + Math.exp(b - a))
    const client = isAttack ? 'attacker' : `visitor ${n % 7}`
    const pixels = { data: Uint8Array.from(x, (v) => Math.round(255 * v)), width: 32, height: 32, channels: 3 as const }
    const { action } = await monitor.inspect({ input: pixels, modelOutput: [p, 1 - p], client, timeMs: 10_000 * n })
    if (action === 'suspend') suspended.add(client)
  }
  expect([...suspended]).toEqual(['attacker'])
})

test('names the words it knows', () => {
  expect(() => recommended('images' as Use)).toThrow(/image-classifier.*llm/)
})
