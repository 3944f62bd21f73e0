/** Who asks, and when. */
import type { ClientSpec, Kind } from '../../types.ts'
import { askingBy, type Wrapped, wrap } from './wrap.ts'

export interface Sybil {
  /** Default 10. */
  readonly accounts: number
  /** `turns`: one after the other · `blocks`: each its part of the budget, in a row · `random`. Default `turns`. */
  readonly order: 'turns' | 'blocks' | 'random'
}

/** One attacker behind several accounts. Fillers go through them as well. */
export function sybil<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<Sybil> = {},
): Wrapped<K, Config, 'sybil', Sybil> {
  return wrap(attack, {
    name: 'sybil',
    settings: { accounts: 10, order: 'turns', ...settings },
    summary: 'asked from several accounts',
    oracle(oracle, { budget }, { accounts, order }) {
      let asked = 0
      return askingBy(oracle, (input, how) => oracle.ask(input, { ...how, account: accountOf(asked++) }))

      function accountOf(n: number): number {
        if (order === 'random') return oracle.random.whole(accounts)
        if (order === 'turns') return n % accounts
        return Math.min(Math.floor((n * accounts) / budget), accounts - 1)
      }
    },
  })
}

export interface SlowDrip {
  /** Between two queries, ms. Default one hour. */
  readonly everyMs: number
}

/** So slow that the monitor forgets. */
export function slowDrip<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<SlowDrip> = {},
): Wrapped<K, Config, 'slowDrip', SlowDrip> {
  return wrap(attack, {
    name: 'slowDrip',
    settings: { everyMs: 3_600_000, ...settings },
    summary: 'with long pauses between the queries',
    oracle(oracle, _task, { everyMs }) {
      let asked = 0
      return askingBy(oracle, (input, how) => oracle.ask(input, { ...how, timeMs: ++asked * everyMs }))
    },
  })
}

/** Questions that depend on no answer of each other are asked in random order. */
export function shuffledBatches<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
): Wrapped<K, Config, 'shuffledBatches', object> {
  return wrap(attack, {
    name: 'shuffledBatches',
    settings: {},
    summary: 'batches are asked in random order',
    oracle(oracle) {
      const askAll: typeof oracle.askAll = async (inputs, how) => {
        const order = oracle.random.shuffled([...inputs.keys()])
        const inOrder = order.map((i) => inputs[i]!)
        const asked = await oracle.askAll(inOrder, how)
        const answers = [...asked]
        for (const [n, i] of order.entries()) answers[i] = asked[n]!
        return answers
      }
      return Object.assign(askingBy(oracle, oracle.ask), { askAll })
    },
  })
}
