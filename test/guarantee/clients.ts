/** Clients of a simulation: honest ones with their habits, and attackers. */
import type { QueryEntry } from '../../src/core/monitor/index.ts'
import { random } from '../tools/random.ts'
import type { Item, Part, World } from './worlds.ts'

export interface Population {
  readonly part: Part
  /** Number of the first client: another one is another population. */
  readonly seed: number
  readonly clients: number
  /** Queries of a client at most; lengths are those of a Pareto distribution. */
  readonly longest: number
  /** Its exponent: the smaller, the heavier the tail. */
  readonly tail: number
  /** Client number i: with habits that others do not have. For populations that have changed. */
  readonly habits?: Partial<Habits>
}

/** Shares of a client's queries. */
export interface Habits {
  /** Asked again as they were, up to twenty times in a row. */
  readonly retry: number
  /** Asked again with a small change. */
  readonly near: number
  /** Begin a sweep of 5 … 20 steps. */
  readonly sweep: number
}

const DAY = 86_400_000
const START_MS = 1_790_000_000_000

/** An honest client's queries in their order. */
function honest(world: World, { part, seed, longest, tail, habits }: Population, number: number): QueryEntry[] {
  const next = random(1_000_003 * seed + number)
  for (let i = 0; i < 8; i++) next()
  const client = `${part} ${seed} ${number}`
  const count = Math.max(1, Math.min(longest, Math.floor(1.5 * (1 - next()) ** (-1 / tail))))
  const own: Habits = {
    retry: 0.05 * next() ** 3,
    near: 0.05 * next() ** 3,
    sweep: next() < 0.06 ? 0.003 : 0,
    ...habits,
  }
  const things = interests(world, part, next)
  // A few are programs, and most are people.
  const gapMs = next() < 0.3 ? 200 + 2000 * next() : 5000 + 60_000 * next()
  const entries: QueryEntry[] = []
  let timeMs = START_MS + 7 * DAY * next()
  let last: Item = things()
  let again = 0
  let sweep: { readonly from: Item; step: number; readonly steps: number } | undefined
  while (entries.length < count) {
    timeMs += -gapMs * Math.log(1 - next())
    if (next() < 0.03) timeMs += -(DAY / 4) * Math.log(1 - next())
    const item = ask()
    entries.push({ kind: 'query', client, timeMs: Math.floor(timeMs), observations: item.observations })
    last = item
  }
  return entries

  function ask(): Item {
    if (again > 0) {
      again--
      return last
    }
    if (sweep !== undefined) {
      const item = world.step(sweep.from, sweep.step++)
      if (sweep.step >= sweep.steps) sweep = undefined
      return item
    }
    const dice = next()
    if (dice < own.retry) {
      if (next() < 0.3) again = Math.floor(19 * next() ** 3)
      return last
    }
    if (dice < own.retry + own.near) return world.near(last, next)
    if (dice < own.retry + own.near + own.sweep) sweep = { from: last, step: 0, steps: 5 + Math.floor(16 * next()) }
    return things()
  }
}

/** The things that a client asks about, each once before any comes again: everything, or a few kinds. */
function interests(world: World, part: Part, next: () => number): () => Item {
  const all = world.items[part]
  const labels = [...new Set(all.map(({ label }) => label))].sort(() => next() - 0.5)
  let chosen = all
  if (next() < 0.5) {
    const wanted = new Set<string>()
    while (all.filter(({ label }) => wanted.has(label)).length < Math.min(150, all.length)) wanted.add(labels.pop()!)
    chosen = all.filter(({ label }) => wanted.has(label))
  }
  let at = Math.floor(next() * chosen.length)
  // A step that has no divisor in common with the length visits all of them.
  let step = 1 + Math.floor(next() * chosen.length)
  while (divisor(step, chosen.length) > 1) step++
  return () => {
    at = (at + step) % chosen.length
    return chosen[at]!
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}

/** All queries of a population in the order of their times. */
export function traffic(world: World, population: Population): QueryEntry[] {
  const all = Array.from({ length: population.clients }, (_, number) => honest(world, population, number)).flat()
  return all.sort((a, b) => a.timeMs - b.timeMs)
}

export const ATTACKS = ['repeats one query', 'probes around one query', 'asks what the model is unsure of'] as const
export type Attack = (typeof ATTACKS)[number]

/** An attacker's queries, one a second, with honest ones between them. */
export function attack(
  world: World,
  kind: Attack,
  { filler, count, seed }: { readonly filler: number; readonly count: number; readonly seed: number },
): { readonly entry: QueryEntry; readonly isAttack: boolean }[] {
  const next = random(77_000 + seed)
  const client = `attacker ${seed}`
  const harmless = interests(world, 'test', next)
  const base = harmless()
  const unsure = [...world.items.test].sort((a, b) => a.margin - b.margin)
  const few = unsure.slice(0, Math.ceil(unsure.length / 20))
  const sent: { readonly entry: QueryEntry; readonly isAttack: boolean }[] = []
  const send = ({ observations }: Item, isAttack: boolean) => {
    const timeMs = START_MS + 1000 * sent.length
    sent.push({ entry: { kind: 'query', client, timeMs, observations }, isAttack })
  }
  for (let i = 0; i < count; i++) {
    if (kind === ATTACKS[0]) send(base, true)
    else if (kind === ATTACKS[1]) send(world.probe(base, next), true)
    else send(few[Math.floor(next() * few.length)]!, true)
    for (let k = 0; k < filler; k++) send(harmless(), false)
  }
  return sent
}
