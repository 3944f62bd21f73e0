/** Streams of inputs that follow each other as attacks and as honest clients do. Each begins anew for each seed. */
import { normal, random, vector } from '../tools/random.ts'

export const SIZE = 192
const STEP = 8 / 255

type Next = () => number
type Make = (next: Next, count: number) => Float64Array[]

/** In place of a photo: a few smooth waves, so that most of the difference of two lies in few directions. */
function photo(next: Next): Float64Array {
  const waves = Array.from({ length: 6 }, () => normal(next))
  return Float64Array.from({ length: SIZE }, (_, i) =>
    waves.reduce((sum, size, k) => sum + size * Math.abs((((k + 1) * i) % SIZE) / SIZE - 0.5), 0.1 * normal(next)),
  )
}

const moved = (x: Float64Array, step: Float64Array, size: number) => x.map((value, i) => value + size * step[i]!)

/** All minus, then all plus, or in pairs; then the base moves. */
function nes(isPaired: boolean): Make {
  return (next, count) => {
    const sent: Float64Array[] = []
    let base = photo(next)
    while (sent.length < count) {
      const us = Array.from({ length: 8 }, () => vector(next, SIZE))
      const [minus, plus] = [-STEP, STEP].map((size) => us.map((u) => moved(base, u, size)))
      base = moved(base, vector(next, SIZE), STEP / 8)
      sent.push(...(isPaired ? minus!.flatMap((one, i) => [one, plus![i]!]) : [...minus!, ...plus!]), base)
    }
    return sent
  }
}

/** Each coordinate down and, if that is not kept, up. */
function simba(next: Next, count: number): Float64Array[] {
  const sent: Float64Array[] = []
  let base = photo(next)
  for (let n = 0; sent.length < count; n++) {
    const at = (7 * n) % SIZE
    for (const step of [-STEP, STEP]) {
      const tried = base.with(at, base[at]! + step)
      sent.push(tried)
      if (next() < 0.3) {
        base = tried
        break
      }
    }
  }
  return sent
}

/** A search by halves between two inputs, then probes around where it ends. */
function hopSkipJump(next: Next, count: number): Float64Array[] {
  const sent: Float64Array[] = []
  const source = photo(next)
  let far = photo(next)
  while (sent.length < count) {
    let [low, high] = [0, 1]
    for (let n = 0; n < 8; n++) {
      const middle = (low + high) / 2
      sent.push(source.map((value, i) => value + middle * (far[i]! - value)))
      if (next() < 0.5) low = middle
      else high = middle
    }
    far = sent.at(-1)!
    sent.push(...Array.from({ length: 12 }, () => moved(far, vector(next, SIZE), STEP)))
    far = moved(far, vector(next, SIZE), 4 * STEP)
  }
  return sent
}

const shuffled: Make = (next, count) => Array.from({ length: count }, () => photo(next))

function noiseCopies(next: Next, count: number): Float64Array[] {
  const x = photo(next)
  return Array.from({ length: count }, () => moved(x, vector(next, SIZE), STEP / 4))
}

/** Brightness up, inputs one after the other. */
function sweep(next: Next, count: number): Float64Array[] {
  let x = photo(next)
  return Array.from({ length: count }, (_, i) => {
    if (i % 30 === 29) x = photo(next)
    return x.map((value) => value + (i % 30) / 30)
  })
}

/** Each input once, twice or thrice. */
function retries(next: Next, count: number): Float64Array[] {
  const sent: Float64Array[] = []
  while (sent.length < count) {
    const x = photo(next)
    for (let n = 0; n <= Math.floor(3 * next()); n++) sent.push(x.slice())
  }
  return sent
}

export const ATTACKS = { 'NES, all minus first': nes(false), 'NES in pairs': nes(true), SimBA: simba, hopSkipJump }
export const UNRELATED = { shuffled, retries }
export const NEAR = { 'noise copies': noiseCopies, sweep }

/** The first `count` inputs of a stream. */
export function streamOf(make: Make, seed: number, count: number): Float64Array[] {
  return make(random(seed), count).slice(0, count)
}
