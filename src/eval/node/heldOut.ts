/** Inputs that a thief may not ask: what its copy is judged on, with what the model says of them. */
import { largest } from '../answers.ts'
import { createRandom, seedOf } from '../random.ts'
import type { InputOf, Kind, Labelled, Victim } from '../types.ts'

/** Of the data, at most half. */
const MOST = 300

export interface Parted<K extends Kind> {
  readonly pool: readonly Labelled<InputOf[K]>[]
  readonly heldOut: readonly Labelled<InputOf[K]>[]
}

/** The same inputs for every session on this data. */
export async function partedFor<K extends Kind>(
  victim: Victim<K>,
  items: readonly Labelled<InputOf[K]>[],
): Promise<Parted<K>> {
  const mixed = createRandom(seedOf('held out')).shuffled(items)
  const count = Math.min(MOST, Math.floor(items.length / 2))
  const heldOut = mixed.slice(0, count)
  const answers = await victim.answer(heldOut.map(({ input }) => input))
  return {
    pool: mixed.slice(count),
    heldOut: heldOut.map(({ input, label }, n) => ({ input, label, said: largest(answers[n]!) })),
  }
}
