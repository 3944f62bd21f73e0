/** Small models to attack, and a record of what they are asked. */
import { createRandom } from '../../src/eval/random.ts'
import { type Outcome, runSession } from '../../src/eval/session.ts'
import type { Answer, Asked, ClientSpec, Picture, Shape, Task, Victim } from '../../src/eval/types.ts'

/** Two classes: class 0 as long as weights · x is below the limit. */
export function linear(weights: ArrayLike<number>, limit: number): Victim<'image'> {
  const answer = (x: Picture) => {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += weights[i]! * x[i]!
    return Float32Array.of(limit - sum, 0)
  }
  return { name: 'linear', hash: '', kind: 'image', classes: 2, answer: async (xs) => xs.map(answer) }
}

/** Says class 0 whatever it is shown. */
export const deaf: Victim<'image'> = { ...linear([], 1), answer: async (xs) => xs.map(() => Float32Array.of(1, 0)) }

/** Three classes from 24 bent features of the picture: a network with random weights, the same in every run. */
export function bent(size: number): Victim<'image'> {
  const random = createRandom(11)
  const features = Array.from({ length: 24 }, () => random.normals(size))
  const heads = Array.from({ length: 3 }, () => random.normals(24))
  const answer = (x: Picture) => {
    const hidden = features.map((w) => Math.tanh((w.reduce((sum, v, i) => sum + v * (x[i]! - 0.5), 0) * 3) / 14))
    return Float32Array.from(heads, (head) => head.reduce((sum, v, k) => sum + v * hidden[k]!, 0))
  }
  return { name: 'bent', hash: '', kind: 'image', classes: 3, answer: async (xs) => xs.map(answer) }
}

export interface Recorded extends Outcome {
  readonly asked: readonly Asked<Picture>[]
  readonly pictures: readonly Picture[]
}

export interface RecordOptions<Config extends object> {
  readonly client: ClientSpec<'image', Config>
  readonly config?: Partial<Config>
  readonly victim: Victim<'image'>
  readonly shape: Shape
  readonly source: Picture
  readonly budget: number
  readonly label?: number
  readonly seed?: number
  readonly pool?: Task<Picture>['pool']
  /** What is said instead of the model's answer. */
  readonly guard?: (asked: Asked<Picture>, before: readonly Picture[]) => Answer | undefined
}

export async function recorded<Config extends object>(options: RecordOptions<Config>): Promise<Recorded> {
  const { client, config = {}, victim, shape, source, budget, label = 0, seed = 1, pool = [], guard } = options
  const asked: Asked<Picture>[] = []
  const pictures: Picture[] = []
  const watcher = {
    see(query: Asked<Picture>) {
      const said = guard?.(query, pictures)
      asked.push(query)
      pictures.push(query.input.slice())
      return said
    },
  }
  const task = { source, label, classes: victim.classes, shape, budget, pool }
  const outcome = await runSession({ client, config, victim, task, seed, watchers: [watcher] })
  return { ...outcome, asked, pictures }
}

/** Where two pictures differ. */
export function changes(x: Picture, y: Picture): number[] {
  return [...x.keys()].filter((i) => x[i] !== y[i])
}

export function middleOf(x: Picture, y: Picture): Picture {
  return x.map((v, i) => (v + y[i]!) / 2)
}

/** L∞. */
export function farthest(x: Picture, y: Picture): number {
  return Math.max(...x.map((v, i) => Math.abs(v - y[i]!)))
}
