/** A recorded stream of queries: some clients repeat themselves, most do not. The same seed gives the same stream. */
import { random } from '../../tools/random.ts'

export interface Recorded {
  readonly client: string
  readonly id: string
  readonly input: string
  readonly modelOutput: readonly number[]
}

const WORDS = 'red green blue small large old new quick slow warm cold near far high low left right open'.split(' ')

/** So many queries of so many clients, in an order in which they come. */
export function recordedStream(queries: number, clients: number, seed: number): Recorded[] {
  const next = random(seed)
  const asked = Array.from({ length: clients }, () => 0)
  return Array.from({ length: queries }, () => {
    const who = Math.floor(next() * clients)
    const number = asked[who]!++
    const isProbing = who % 5 === 0
    const from = isProbing ? Math.floor(number / 6) : number
    const words = Array.from({ length: 6 }, (_, i) => WORDS[(who * 7 + from * 13 + i * (i + from)) % WORDS.length])
    const weights = Array.from({ length: 4 }, () => next() + 0.05)
    const sum = weights.reduce((a, b) => a + b)
    const modelOutput = weights.map((weight) => weight / sum)
    const input = `${words.join(' ')} ${from}`
    return { client: `client-${who}`, id: `${who}-${number}`, input, modelOutput }
  })
}
