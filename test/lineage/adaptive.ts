/** Attackers who know the rule: what they ask is a disguise of what they want to know. */
import type { Network } from './watched.ts'

/** Shows each picture changed. */
function disguised(network: Network, show: (x: Float64Array) => Float64Array): Network {
  const { source, next } = network
  return {
    source,
    next,
    whole: (count) => network.whole(count),
    noise: () => network.noise(),
    ask: (x) => network.ask(show(x)),
    askAll: (pictures) => network.askAll(pictures.map(show)),
  }
}

/** One random number of each picture is inverted: it leaves the gate, and moves the nearest neighbour. */
export function oneInverted(network: Network): Network {
  return disguised(network, (x) => {
    const at = network.whole(x.length)
    return x.with(at, 1 - x[at]!)
  })
}

/** Pictures as a file has them: 8 bits a number. */
export function eightBits(network: Network): Network {
  return disguised(network, (x) => x.map((v) => Math.round(255 * v) / 255))
}

/** After every picture that is asked by itself, the source four times. */
export function withDecoys(network: Network): Network {
  return {
    ...disguised(network, (x) => x),
    async ask(x) {
      const answer = await network.ask(x)
      for (let i = 0; i < 4; i++) await network.ask(network.source.x)
      return answer
    },
  }
}
