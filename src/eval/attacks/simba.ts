import { logProbability } from '../answers.ts'
import { defineAttack } from '../define.ts'
import { projected } from '../picture.ts'
import type { Answer, Oracle, Picture, Shape, Task } from '../types.ts'
import { cosines } from './waves.ts'

export interface SimbaConfig {
  /** Change along one coordinate. Default 8/255, originally 0.2. */
  readonly step: number
  /** L∞ distance from the source that no number exceeds. Default 8/255; 1 leaves only 0 … 1, as originally. */
  readonly ball: number
  /** `both`: down and up are always asked · `first`: up only if down is no better, as originally. Default `both`. */
  readonly form: 'both' | 'first'
  /** Share of better steps that are taken: below 1, the descent is hidden among steps not taken. Default 1. */
  readonly takes: number
  /** Share of worse steps that are taken all the same. Default 0. */
  readonly upward: number
}

export interface SimbaDctConfig extends SimbaConfig {
  /** Cosines of this many frequencies a side, the lowest ones. Default 28 (of 224 pixels, in the original release). */
  readonly frequencies: number
}

/** x changed by `by` along coordinate `n`. */
type Move = (x: Picture, n: number, by: number) => Picture

const matched: SimbaConfig = { step: 8 / 255, ball: 8 / 255, form: 'both', takes: 1, upward: 0 }
const original: SimbaConfig = { ...matched, step: 0.2, ball: 1, form: 'first' }

const common = {
  kind: 'image',
  sees: 'probabilities',
  paper: 'Guo et al., ICML 2019, arXiv 1905.07121',
} as const

/** SimBA on pixels, as in the matched study: one number at a time, kept if the label's probability falls. */
export const simba = defineAttack({
  ...common,
  name: 'simba',
  summary: 'one pixel at a time, both ways, kept if the probability of the label falls',
  defaults: matched,
  run: (oracle, task, config) => descend(oracle, task, config, task.source.length, movePixel),
})

/** SimBA on pixels as published: large steps, the second way only if the first is no better. */
export const simbaOriginal = defineAttack({
  ...common,
  name: 'simba_original',
  summary: 'one pixel at a time by 0.2, the second way only if the first is no better',
  defaults: original,
  run: (oracle, task, config) => descend(oracle, task, config, task.source.length, movePixel),
})

/** SimBA along the lowest cosines of the picture instead of pixels. */
export const simbaDct = defineAttack({
  ...common,
  name: 'simba_dct',
  summary: 'one low frequency at a time by 0.2 in L2, the second way only if the first is no better',
  defaults: { ...original, frequencies: 28 } as SimbaDctConfig,
  run(oracle, task, config) {
    const { width, height, channels } = task.shape
    const [across, down] = [cosines(width, config.frequencies), cosines(height, config.frequencies)]
    const move: Move = (x, n, by) => {
      const wave = Math.floor(n / channels)
      const [u, v] = [across[wave % across.length]!, down[Math.floor(wave / across.length)]!]
      return moveWave(x, { u, v, by, channel: n % channels }, task.shape)
    }
    return descend(oracle, task, config, across.length * down.length * channels, move)
  },
})

async function descend(
  oracle: Oracle<Picture>,
  { source, label }: Task<Picture>,
  { step, ball, form, takes, upward }: SimbaConfig,
  coordinates: number,
  move: Move,
): Promise<void> {
  const { random } = oracle
  const loss = ({ logits, refused }: Answer) => (refused ? Infinity : logProbability(logits, label))
  let x = source
  let lowest = loss(await oracle.ask(x))
  const order = new Uint32Array(coordinates).map((_, i) => i)
  for (let n = 0; ; n = (n + 1) % coordinates) {
    const other = n + random.whole(coordinates - n)
    ;[order[n], order[other]] = [order[other]!, order[n]!]
    const tries = [-step, step].map((by) => projected(move(x, order[n]!, by), source, ball))
    const values = await valuesOf(tries)
    let taken = values.findIndex((value) => value < lowest)
    if (taken !== -1 && takes < 1 && random.next() >= takes) continue
    if (taken === -1 && upward > 0 && random.next() < upward) taken = values.length - 1
    if (taken === -1) continue
    x = tries[taken]!
    lowest = values[taken]!
  }

  async function valuesOf(tries: readonly Picture[]): Promise<number[]> {
    if (form === 'both') return (await oracle.askAll(tries)).map(loss)
    const first = loss(await oracle.ask(tries[0]!))
    return first < lowest ? [first] : [first, loss(await oracle.ask(tries[1]!))]
  }
}

const movePixel: Move = (x, n, by) => x.with(n, x[n]! + by)

interface Wave {
  readonly u: Float64Array
  readonly v: Float64Array
  readonly by: number
  readonly channel: number
}

function moveWave(x: Picture, { u, v, by, channel }: Wave, { width, height, channels }: Shape): Picture {
  const y = x.slice()
  for (let row = 0; row < height; row++) {
    const change = by * v[row]!
    for (let column = 0; column < width; column++) {
      y[(row * width + column) * channels + channel]! += change * u[column]!
    }
  }
  return y
}
