/** Which inputs the clients work on, and on which side of the split they are. */

import { largest } from '../answers.ts'
import { eightBits, moved } from '../picture.ts'
import { createRandom, seedOf } from '../random.ts'
import type { Split } from '../results.ts'
import type { InputOf, Kind, Picture, Victim } from '../types.ts'
import type { Bench } from './bench.ts'

export interface Source {
  /** Its place in the data. */
  readonly index: number
  readonly split: Split
}

export interface Sources {
  readonly sources: readonly Source[]
  /** Share of the data that the model gets right. */
  readonly accuracy: number
}

const SPLITS: readonly Split[] = ['calibration', 'heldout']
const AT_ONCE = 64
/** Under which a sturdy source keeps its label. */
const NOISE = 16 / 255
const DRAWS = 4

/**
 * The first inputs of each split that the model gets right, in an order that depends on the data's size alone: every second
 * input is held out, for every model and seed the same ones.
 */
export async function chooseSources({ plan, data }: Bench, victim: Victim): Promise<Sources> {
  const order = createRandom(seedOf('split')).shuffled([...data.items.keys()])
  const right = await rightOf(victim, data.items, order)
  const wanted = plan.splits ?? SPLITS
  const sources: Source[] = []
  for (const split of wanted) {
    const own = order.filter((index, place) => right.has(index) && SPLITS[place % 2] === split)
    let found = 0
    for (const index of own) {
      if (found === plan.sources) break
      if (plan.fragile === 'drop' && (await isFragile(victim, data.items[index]!, index))) continue
      sources.push({ index, split })
      found++
    }
  }
  return { sources, accuracy: right.size / data.items.length }
}

async function rightOf(victim: Victim, items: Bench['data']['items'], order: readonly number[]): Promise<Set<number>> {
  const right = new Set<number>()
  for (let from = 0; from < order.length; from += AT_ONCE) {
    const part = order.slice(from, from + AT_ONCE)
    const answers = await victim.answer(part.map((index) => items[index]!.input))
    for (const [n, index] of part.entries()) if (largest(answers[n]!) === items[index]!.label) right.add(index)
  }
  return right
}

/** Pictures only: nothing is known of noise on anything else. */
async function isFragile<K extends Kind>(
  victim: Victim<K>,
  { input, label }: { readonly input: InputOf[Kind]; readonly label: number },
  index: number,
): Promise<boolean> {
  if (victim.kind !== 'image') return false
  const random = createRandom(seedOf('fragile', index))
  const picture = input as Picture
  const noisy = Array.from({ length: DRAWS }, () => eightBits(moved(picture, random.normals(picture.length), NOISE)))
  const answers = await victim.answer(noisy as InputOf[K][])
  return answers.some((logits) => largest(logits) !== label)
}
