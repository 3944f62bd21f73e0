/** Pictures that are asked otherwise than the attack means them. The answer is that of the picture asked. */
import { clip, eightBits } from '../../picture.ts'
import type { Random } from '../../random.ts'
import type { ClientSpec, Picture, Shape } from '../../types.ts'
import { askingFor, type Wrapped, wrap } from './wrap.ts'

/** One random number of each picture is inverted: it leaves the gate of a monitor that looks at the largest change. */
export function oneInverted<Config extends object>(
  attack: ClientSpec<'image', Config>,
): Wrapped<'image', Config, 'oneInverted', object> {
  return wrap(attack, {
    name: 'oneInverted',
    settings: {},
    summary: 'one number of each picture inverted',
    oracle: (oracle) =>
      askingFor(oracle, (x) => {
        const at = oracle.random.whole(x.length)
        return x.with(at, 1 - x[at]!)
      }),
  })
}

/** Pictures as a file has them. */
export function eightBitQueries<Config extends object>(
  attack: ClientSpec<'image', Config>,
): Wrapped<'image', Config, 'eightBitQueries', object> {
  return wrap(attack, {
    name: 'eightBitQueries',
    settings: {},
    summary: 'pictures rounded to 8 bits',
    oracle: (oracle) => askingFor(oracle, eightBits),
  })
}

export interface Blinding {
  /** Pixels by which a picture is moved at most, either way, edges repeated. Default 2. */
  readonly shift: number
  /** Pixels that are cut off at most, in all, before the rest is enlarged again. Default 0. */
  readonly crop: number
  /** Added to all numbers, at most, either way. Default 0.05. */
  readonly brightness: number
}

/** Each picture is cropped, shifted and brightened at random: no two queries of an attack look alike to a hash. */
export function blinded<Config extends object>(
  attack: ClientSpec<'image', Config>,
  settings: Partial<Blinding> = {},
): Wrapped<'image', Config, 'blinded', Blinding> {
  return wrap(attack, {
    name: 'blinded',
    settings: { shift: 2, crop: 0, brightness: 0.05, ...settings },
    summary: 'each picture cropped, shifted and brightened at random',
    oracle: (oracle, { shape }, chosen) => askingFor(oracle, (x) => blindedCopy(x, shape, chosen, oracle.random)),
  })
}

export function blindedCopy(x: Picture, shape: Shape, { shift, crop, brightness }: Blinding, random: Random): Picture {
  const { width, height, channels } = shape
  const cut = random.whole(crop + 1)
  const [left, top] = [0, 1].map(() => random.whole(cut + 1) + random.whole(2 * shift + 1) - shift) as [number, number]
  const added = brightness * (2 * random.next() - 1)
  const columns = sampled(width, left, cut)
  const rows = sampled(height, top, cut)
  const y = new Float64Array(x.length)
  for (let row = 0; row < height; row++) {
    const v = rows[row]!
    for (let column = 0; column < width; column++) {
      const u = columns[column]!
      for (let c = 0; c < channels; c++) {
        const upper = mix(
          x[(v.from * width + u.from) * channels + c]!,
          x[(v.from * width + u.to) * channels + c]!,
          u.share,
        )
        const lower = mix(x[(v.to * width + u.from) * channels + c]!, x[(v.to * width + u.to) * channels + c]!, u.share)
        y[(row * width + column) * channels + c] = clip(mix(upper, lower, v.share) + added)
      }
    }
  }
  return y
}

interface Sample {
  readonly from: number
  readonly to: number
  /** Of `to`. */
  readonly share: number
}

/** Where each of `size` pixels comes from, when `size − cut` of them from `first` on fill the place of all. */
function sampled(size: number, first: number, cut: number): Sample[] {
  const scale = (size - cut) / size
  return Array.from({ length: size }, (_, i) => {
    const at = Math.min(Math.max(first + (i + 0.5) * scale - 0.5, 0), size - 1)
    const from = Math.floor(at)
    return { from, to: Math.min(from + 1, size - 1), share: at - from }
  })
}

function mix(a: number, b: number, share: number): number {
  return a + share * (b - a)
}
