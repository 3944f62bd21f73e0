/** A stream of queries of several clients for tests of hosts: repeats, near repeats, unsure answers and odd inputs. */
import type { MonitorConfig, Query } from '../../src/embed/index.ts'
import { distribution, random } from './random.ts'

/** Detectors that keep something of everything, and a policy that acts on it. */
export const WATCHED = {
  detectors: [
    { name: 'confidence', mode: 'entropy', threshold: 1.2 },
    { name: 'text_repetition', threshold: 3, maxHistorySize: 40 },
    { name: 'text_similarity', threshold: 0.9, maxHistorySize: 20 },
  ],
  clients: { maxClients: 8 },
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6, suspendForMs: 40_000, fadePerMinute: 2 },
} as const satisfies MonitorConfig

const WORDS = ['card', 'lost', 'my', 'please', 'refund', 'the', 'where', 'is', 'order', 'cancel', '日本', 'é', '🙂']

/** Queries in their order, each with a time; the clock steps back now and then. The same seed gives the same. */
export function queries(seed: number, count: number): Query[] {
  const next = random(seed)
  const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)]!
  let timeMs = 1_700_000_000_000
  const texts: string[] = []
  return Array.from({ length: count }, (_, i): Query => {
    timeMs += next() < 0.1 ? -2000 : Math.floor(3000 * next())
    const isRepeat = texts.length > 0 && next() < 0.4
    const text = isRepeat
      ? pick(texts.slice(-6))
      : Array.from({ length: 4 + Math.floor(4 * next()) }, () => pick(WORDS)).join(' ')
    texts.push(text)
    const odd = next()
    const modelOutput = odd < 0.03 ? [0.5, Number.NaN] : distribution(next, 4, next() < 0.5 ? 1 : 12)
    const input = odd > 0.97 ? '' : text
    return { input, modelOutput, client: `client ${Math.floor(11 * next() ** 2)}`, id: `q${i}`, timeMs }
  })
}
