/** Queries whose answers nobody wants, asked so that the others stand out less. They count against the budget. */
import type { ClientSpec, Kind, Picture, Task } from '../../types.ts'
import { blend } from '../labels.ts'
import { askingBy, poolOf, type Wrapped, wrap } from './wrap.ts'

export interface Padding {
  /** Share of all queries that are inputs of the pool, from 0 to below 1. Default 0.5. */
  readonly share: number
}

/** Honest queries mixed in at random. The attacker pays 1 / (1 − share) for every answer. */
export function padded<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<Padding> = {},
): Wrapped<K, Config, 'padded', Padding> {
  return wrap(attack, {
    name: 'padded',
    settings: { share: 0.5, ...settings },
    summary: 'honest queries are mixed in',
    budget: (all, { share }) => Math.floor(all * (1 - share)),
    oracle(oracle, task, { share }) {
      const other = poolOf(oracle, task, 'padded')
      const asking = askingBy(oracle, async (input, how) => {
        while (oracle.random.next() < share) await oracle.ask(other(), { ...how, isFiller: true })
        return oracle.ask(input, how)
      })
      return Object.defineProperty(asking, 'left', { get: () => Math.floor(oracle.left * (1 - share)) })
    },
  })
}

export interface Eviction {
  /** Inputs of the pool before every query but the first. Default 100: a history of the last 100 queries is emptied. */
  readonly fillers: number
}

/** Fillers push each query out of the monitor's memory before the next. */
export function evicting<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<Eviction> = {},
): Wrapped<K, Config, 'evicting', Eviction> {
  return wrap(attack, {
    name: 'evicting',
    settings: { fillers: 100, ...settings },
    summary: 'fillers push each query out of a limited memory',
    budget: (all, { fillers }) => Math.ceil(all / (1 + fillers)),
    oracle(oracle, task, { fillers }) {
      const other = poolOf(oracle, task, 'evicting')
      let isFirst = true
      const asking = askingBy(oracle, async (input, how) => {
        if (!isFirst) await oracle.askAll(Array.from({ length: fillers }, other), { ...how, isFiller: true })
        isFirst = false
        return oracle.ask(input, how)
      })
      const left = () => (isFirst ? Math.ceil(oracle.left / (1 + fillers)) : Math.floor(oracle.left / (1 + fillers)))
      return Object.defineProperty(asking, 'left', { get: left })
    },
  })
}

export interface SourceDecoys {
  /** After every query that is asked by itself. Default 4. */
  readonly count: number
}

/** The source again and again, after every query asked by itself, as those are that an attack goes on from. */
export function decoysAtSource<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<SourceDecoys> = {},
): Wrapped<K, Config, 'decoysAtSource', SourceDecoys> {
  return wrap(attack, {
    name: 'decoysAtSource',
    settings: { count: 4, ...settings },
    summary: 'after every single query the source again',
    oracle(oracle, { source }, { count }) {
      const ask: typeof oracle.ask = async (input, how) => {
        const answer = await oracle.ask(input, how)
        await oracle.askAll(Array(count).fill(source), { ...how, isFiller: true })
        return answer
      }
      return Object.assign(askingBy(oracle, ask), { askAll: oracle.askAll })
    },
  })
}

export interface FirstDecoy {
  /**
   * `unrelated`: an input of the pool · `similar`: pictures only, the source with a picture of another class laid over it, so
   * that whoever takes the first label for the client's own takes the wrong one. Default `unrelated`.
   */
  readonly like: 'unrelated' | 'similar'
  /** Share of the other picture in a similar one, 0 … 1. Default 0.5. */
  readonly share: number
}

/** The first query is not the source. */
export function decoyFirst<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<FirstDecoy> = {},
): Wrapped<K, Config, 'decoyFirst', FirstDecoy> {
  return wrap(attack, {
    name: 'decoyFirst',
    settings: { like: 'unrelated', share: 0.5, ...settings },
    summary: 'the first query is a decoy',
    budget: (all) => all - 1,
    oracle(oracle, task, { like, share }) {
      const other = poolOf(oracle, like === 'similar' ? othersOnly(task) : task, 'decoyFirst')
      let isFirst = true
      return askingBy(oracle, async (input, how) => {
        const decoy = isFirst ? other() : undefined
        isFirst = false
        if (decoy !== undefined)
          await oracle.ask(like === 'similar' ? laidOver(decoy) : decoy, { ...how, isFiller: true })
        return oracle.ask(input, how)
      })

      function laidOver(decoy: typeof task.source): typeof task.source {
        return blend(task.source as Picture, decoy as Picture, share) as typeof task.source
      }
    },
  })
}

function othersOnly<Input>(task: Task<Input>): Task<Input> {
  return { ...task, pool: task.pool.filter(({ label }) => label !== task.label) }
}

export interface Resending {
  /** Share of all queries that repeat one of the first, from 0 to below 1. Default 0.2. */
  readonly share: number
  /** How many of the first are repeated. Default 20. */
  readonly first: number
}

/** Queries from the beginning, where the margin was large, are asked again now and then: what falls seems to rise. */
export function resending<K extends Kind, Config extends object>(
  attack: ClientSpec<K, Config>,
  settings: Partial<Resending> = {},
): Wrapped<K, Config, 'resending', Resending> {
  return wrap(attack, {
    name: 'resending',
    settings: { share: 0.2, first: 20, ...settings },
    summary: 'early queries are asked again',
    budget: (all, { share }) => Math.floor(all * (1 - share)),
    oracle(oracle, _task, { share, first }) {
      const early: (typeof _task.source)[] = []
      const asking = askingBy(oracle, async (input, how) => {
        while (early.length === first && oracle.random.next() < share) {
          await oracle.ask(oracle.random.pick(early), { ...how, isFiller: true })
        }
        if (early.length < first) early.push(input)
        return oracle.ask(input, how)
      })
      return Object.defineProperty(asking, 'left', { get: () => Math.floor(oracle.left * (1 - share)) })
    },
  })
}
