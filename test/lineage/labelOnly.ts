/** Attacks that look at labels alone. A network ends when a wrong answer lies near the source. */
import { cut, largest, SIZE } from './target.ts'
import type { Network } from './watched.ts'

/** RayS: the signs of a direction are flipped block by block; the radius along it is found by bisection to 1e-3. */
export async function rays(network: Network): Promise<void> {
  const { x: source, label } = network.source
  const whole = Math.sqrt(SIZE)
  const isWrong = async (signs: Float64Array, radius: number) => {
    const answer = await network.ask(source.map((v, i) => cut(v + (radius / whole) * signs[i]!)))
    return largest(answer) !== label
  }
  let direction = new Float64Array(SIZE).fill(1)
  let radius = whole
  for (let r = 1; r <= 10; r++) if (await isWrong(direction, r * whole)) break
  for (let level = 0; ; level++) {
    const width = Math.max(1, Math.ceil(SIZE / 2 ** level))
    for (let from = 0; from < SIZE; from += width) {
      const tried = direction.map((sign, i) => (i >= from && i < from + width ? -sign : sign))
      if (!(await isWrong(tried, radius))) continue
      let [low, high] = [0, radius]
      while (high - low > 1e-3) {
        const middle = (low + high) / 2
        if (await isWrong(tried, middle)) high = middle
        else low = middle
      }
      radius = high
      direction = tried
    }
  }
}

/** HopSkipJump, L∞: to the boundary, an estimate of its slope there, a step, and back to the boundary. */
export async function hopSkipJump(network: Network): Promise<void> {
  const { x: source, label } = network.source
  const theta = 1 / (SIZE * SIZE)
  const isWrong = async (x: Float64Array) => largest(await network.ask(x)) !== label
  const distance = (x: Float64Array) => x.reduce((most, v, i) => Math.max(most, Math.abs(v - source[i]!)), 0)
  const toBoundary = async (x: Float64Array) => {
    let [low, high] = [0, distance(x)]
    const within = (size: number) => x.map((v, i) => Math.min(Math.max(v, source[i]! - size), source[i]! + size))
    const enough = Math.min(high * theta, theta)
    while (high - low > enough) {
      const middle = (low + high) / 2
      if (await isWrong(within(middle))) high = middle
      else low = middle
    }
    return within(high)
  }
  let x = source.map(() => network.next())
  while (!(await isWrong(x))) x = source.map(() => network.next())
  let before = distance(x)
  x = await toBoundary(x)
  for (let t = 1; ; t++) {
    const delta = t === 1 ? 0.1 : SIZE * theta * before
    const slope = await slopeAt(network, x, delta, Math.floor(100 * Math.sqrt(t)))
    let step = distance(x) / Math.sqrt(t)
    let tried = x
    do {
      tried = x.map((v, i) => cut(v + step * Math.sign(slope[i]!)))
      step /= 2
    } while (!(await isWrong(tried)))
    before = distance(tried)
    x = await toBoundary(tried)
  }
}

async function slopeAt(network: Network, x: Float64Array, delta: number, count: number): Promise<Float64Array> {
  const probes = Array.from({ length: count }, () => {
    const u = x.map(() => 2 * network.next() - 1)
    const norm = Math.sqrt(u.reduce((sum, v) => sum + v * v, 0))
    return x.map((v, i) => cut(v + (delta * u[i]!) / norm))
  })
  const answers = await network.askAll(probes)
  const signs = answers.map((l) => (largest(l) === network.source.label ? -1 : 1))
  const mean = signs.reduce((sum, v) => sum + v, 0) / count
  const slope = new Float64Array(SIZE)
  for (const [n, probe] of probes.entries()) {
    const weight = Math.abs(mean) === 1 ? mean : signs[n]! - mean
    for (let i = 0; i < SIZE; i++) slope[i]! += (weight * (probe[i]! - x[i]!)) / delta
  }
  return slope
}
