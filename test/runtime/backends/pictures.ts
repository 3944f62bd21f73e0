/** The stream that every backend gets: pictures of our own, and copies of some of them. Exact arithmetic only. */
import type { Pixels } from 'monitaur'
import { random } from '../../tools/random.ts'

const SIDE = 96

/** `count` pictures of soft squares on a slope, then a copy of every second one, noisier and darker. */
export function pictureStream(count: number): Pixels[] {
  const next = random(20_261_125)
  const originals = Array.from({ length: count }, () => picture(next))
  return [...originals, ...originals.filter((_, i) => i % 2 === 0).map((original) => copyOf(original, next))]
}

function picture(next: () => number): Pixels {
  const data = new Uint8Array(SIDE * SIDE * 3)
  const slopes = [next(), next(), next()].map((slope) => 2 * slope - 1)
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / 3)
    data[i] = clamp(128 + slopes[i % 3]! * ((at % SIDE) - Math.floor(at / SIDE)))
  }
  for (let k = 0; k < 12; k++) square(data, next)
  return { data, width: SIDE, height: SIDE, channels: 3 }
}

function square(data: Uint8Array, next: () => number): void {
  const [left, top, side] = [next() * SIDE, next() * SIDE, 6 + next() * 30].map(Math.floor) as [number, number, number]
  const colour = [next() * 256, next() * 256, next() * 256].map(Math.floor)
  for (let y = top; y < Math.min(top + side, SIDE); y++) {
    for (let x = left; x < Math.min(left + side, SIDE); x++) data.set(colour, 3 * (y * SIDE + x))
  }
}

function copyOf({ data, ...shape }: Pixels, next: () => number): Pixels {
  return { ...shape, data: (data as Uint8Array).map((value) => clamp(0.9 * value + 10 * (next() - 0.5))) }
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)))
}
