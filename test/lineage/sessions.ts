/**
 * What clients of all kinds send to a toy model: attacks, explainers, optimisers with honest aims, and odd habits. Small
 * but faithful in what the detector sees: which points are tried, and which are gone on from.
 */
import { normal, random } from '../tools/random.ts'

export interface Sent {
  readonly x: Float64Array
  /** What the model answered: probabilities, or logits. */
  readonly l: number[]
}

export interface Setting {
  readonly seed: number
  /** Numbers of an input. */
  readonly size: number
  readonly budget: number
  readonly outputs: 'probabilities' | 'logits'
}

/** One client at its model. Everything that is asked is kept. */
class Client {
  readonly next: () => number
  readonly size: number
  readonly sent: Sent[] = []
  readonly budget: number
  readonly #outputs: Setting['outputs']
  readonly #weights: Float64Array[]
  /** How much of the answer is shown. */
  labelOnly = false
  rounded = false
  classes = 4

  constructor({ seed, size, budget, outputs }: Setting) {
    this.next = random(seed)
    this.size = size
    this.budget = budget
    this.#outputs = outputs
    this.#weights = Array.from({ length: 4 }, () => Float64Array.from({ length: size }, () => normal(this.next)))
  }

  get isDone(): boolean {
    return this.sent.length >= this.budget
  }

  logits(x: Float64Array): number[] {
    const scale = 16 / Math.sqrt(this.size)
    return this.#weights.map((w, k) => {
      let sum = 0
      for (let i = 0; i < x.length; i++) sum += w[i % this.size]! * (x[i]! - 0.5)
      return scale * sum + Math.sin(3 * sum + k)
    })
  }

  /** Asks the model; the answer is the logits, whatever is shown. */
  ask(x: Float64Array): number[] {
    const logits = this.logits(x)
    this.sent.push({ x: x.slice(), l: this.#show(logits) })
    return logits
  }

  #show(logits: number[]): number[] {
    if (this.labelOnly) return logits.map((_, k) => (k === best(logits) ? 1 : 0))
    const all = this.#outputs === 'logits' ? logits : softmax(logits)
    const shown = all.slice(0, this.classes)
    return this.rounded ? shown.map((v) => Math.round(v * 5) / 5) : shown
  }

  /** A fresh picture: blocks of eight equal numbers, with a little grain. */
  picture(): Float64Array {
    let block = 0
    return Float64Array.from({ length: this.size }, (_, i) => {
      if (i % 8 === 0) block = 0.1 + 0.8 * this.next()
      return cut(block + 0.05 * (this.next() - 0.5))
    })
  }

  whole(count: number): number {
    return Math.floor(count * this.next())
  }

  noise(deviation: number): Float64Array {
    return Float64Array.from({ length: this.size }, () => deviation * normal(this.next))
  }
}

const cut = (v: number) => Math.min(Math.max(v, 0), 1)
function softmax(logits: readonly number[]): number[] {
  const powers = logits.map((v) => Math.exp(v - Math.max(...logits)))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((v) => v / sum)
}

const best = (l: readonly number[]) => l.indexOf(Math.max(...l))
const plus = (x: Float64Array, d: Float64Array, by = 1) => x.map((v, i) => cut(v + by * d[i]!))
const within = (x: Float64Array, centre: Float64Array, ball: number) =>
  x.map((v, i) => cut(Math.min(Math.max(v, centre[i]! - ball), centre[i]! + ball)))

function gap(l: readonly number[], k: number): number {
  return l[k]! - Math.max(...l.filter((_, j) => j !== k))
}

/** Lowers (or raises, `aim` −1) the margin of the first class by estimated gradients: NES as in the matched study. */
function nes(c: Client, { pairs, sigma, step, ball, aim = 1, always = false }: NesSetting): void {
  const start = c.picture()
  let x = start
  const first = c.ask(x)
  const k = best(first)
  let lowest = aim * gap(first, k)
  while (!c.isDone) {
    const probes = Array.from({ length: pairs }, () => c.noise(sigma))
    const gradient = new Float64Array(c.size)
    for (const sign of [-1, 1]) {
      for (const probe of probes) {
        const value = sign * gap(c.ask(plus(x, probe, sign)), k)
        for (let i = 0; i < c.size; i++) gradient[i]! += value * probe[i]!
      }
    }
    const candidate = within(plus(x, gradient.map(Math.sign), -aim * step), start, ball)
    const value = aim * gap(c.ask(candidate), k)
    if (value >= lowest && !always) continue
    lowest = value
    x = candidate
  }
}

interface NesSetting {
  readonly pairs: number
  readonly sigma: number
  readonly step: number
  readonly ball: number
  readonly aim?: 1 | -1
  readonly always?: boolean
}

/** One number at a time, both ways; `accept` decides on the change of the margin. */
function simba(c: Client, accept: (change: number) => boolean): void {
  let x = c.picture()
  let value = gap(c.ask(x), 0)
  while (!c.isDone) {
    const at = c.whole(c.size)
    for (const sign of [-1, 1]) {
      const tried = x.slice()
      tried[at] = cut(x[at]! + (sign * 16) / 255)
      const change = gap(c.ask(tried), 0) - value
      if (!accept(change)) continue
      value += change
      x = tried
    }
  }
}

function square(c: Client): void {
  const start = c.picture()
  let x = start
  let value = gap(c.ask(x), 0)
  while (!c.isDone) {
    const width = 1 + c.whole(Math.ceil(c.size / 6))
    const from = c.whole(c.size - width + 1)
    const tried = x.slice()
    for (let i = from; i < from + width; i++) tried[i] = cut(start[i]! + (c.next() < 0.5 ? 8 : -8) / 255)
    const now = gap(c.ask(tried), 0)
    if (now >= value) continue
    value = now
    x = tried
  }
}

/** Labels only: to the boundary by bisection, probes around it, a step along their mean, and again. */
function hopSkipJump(c: Client): void {
  c.labelOnly = true
  const start = c.picture()
  const k = best(c.ask(start))
  const isOther = (x: Float64Array) => best(c.ask(x)) !== k
  let x = c.picture()
  while (!c.isDone && !isOther(x)) x = c.picture()
  while (!c.isDone) {
    let [low, high] = [0, 1]
    for (let i = 0; i < 8 && !c.isDone; i++) {
      const middle = (low + high) / 2
      if (isOther(start.map((v, j) => v + middle * (x[j]! - v)))) high = middle
      else low = middle
    }
    x = start.map((v, j) => v + high * (x[j]! - v))
    const mean = new Float64Array(c.size)
    for (let i = 0; i < 12 && !c.isDone; i++) {
      const probe = c.noise(4 / 255)
      const sign = isOther(plus(x, probe)) ? 1 : -1
      for (let j = 0; j < c.size; j++) mean[j]! += sign * probe[j]!
    }
    x = plus(x, mean.map(Math.sign), 6 / 255)
  }
}

/** Labels only: the radius along a direction whose signs are flipped block by block. */
function rays(c: Client): void {
  c.labelOnly = true
  const start = c.picture()
  const k = best(c.ask(start))
  let direction = new Float64Array(c.size).fill(1)
  let radius = 0.5
  for (let block = 0; !c.isDone; block++) {
    const tried = direction.slice()
    const width = Math.max(1, c.size >> (1 + (block % 4)))
    const from = c.whole(c.size)
    for (let i = from; i < Math.min(from + width, c.size); i++) tried[i] = -tried[i]!
    if (best(c.ask(plus(start, tried, radius))) === k) continue
    direction = tried
    let [low, high] = [0, radius]
    for (let i = 0; i < 6 && !c.isDone; i++) {
      const middle = (low + high) / 2
      if (best(c.ask(plus(start, direction, middle))) === k) low = middle
      else high = middle
    }
    radius = high
  }
}

/** Parts of one picture are replaced, always from the original: LIME, KernelSHAP, RISE, occlusion. */
function masks(
  c: Client,
  fill: (i: number, x: Float64Array) => number,
  hidden: (part: number, round: number) => boolean,
): void {
  const x = c.picture()
  c.ask(x)
  for (let round = 0; !c.isDone; round++) {
    const parts = Array.from({ length: 20 }, (_, part) => hidden(part, round))
    c.ask(x.map((v, i) => (parts[Math.floor((20 * i) / c.size)] ? fill(i, x) : v)))
  }
}

/** Edits kept half the time, whatever the model says, with a way back to what was before. */
function editing(c: Client): void {
  let x = c.picture()
  const past = [x]
  c.ask(x)
  while (!c.isDone) {
    if (past.length > 1 && c.next() < 0.2) {
      past.pop()
      x = past.at(-1)!
      c.ask(x)
      continue
    }
    const [by, noise] = [1 + 0.1 * (c.next() - 0.5), c.noise(1 / 255)]
    const tried = plus(
      x.map((v) => cut(v * by)),
      noise,
    )
    c.ask(tried)
    if (c.next() < 0.5) continue
    x = tried
    past.push(x)
  }
}

/** A tree that grows at random: any of the latest points is gone on from, so that every branch of the rule is taken. */
function tree(c: Client, drift: number): void {
  const points = [c.picture()]
  c.ask(points[0]!)
  while (!c.isDone) {
    const from = points[Math.max(0, points.length - 1 - c.whole(6))]!
    const tries = Array.from({ length: 4 }, () => plus(from, c.noise(3 / 255)))
    tries.sort((a, b) => gap(c.logits(a), 0) - gap(c.logits(b), 0))
    const x = tries[c.next() < drift ? 0 : c.whole(4)]!
    c.ask(x)
    points.push(x)
  }
}

/** The margin falls a little with each adoption, and stays where the noise puts it: alarms by M and S come one after the other. */
function staircase(c: Client, sureness: number): void {
  let x = c.picture()
  c.ask(x)
  while (!c.isDone) {
    const tries = Array.from({ length: 3 }, () => plus(x, c.noise(2 / 255)))
    for (const tried of tries) c.ask(tried)
    tries.sort((a, b) => gap(c.logits(a), 0) - gap(c.logits(b), 0))
    x = tries[c.next() < sureness ? 0 : 2]!
    c.ask(x)
  }
}

/** Every kind of session by its name. */
export const KINDS: Readonly<Record<string, (c: Client) => void>> = {
  'NES (b), small steps': (c) => nes(c, { pairs: 8, sigma: 2 / 255, step: 0.5 / 255, ball: 8 / 255 }),
  'NES (b), large steps': (c) => nes(c, { pairs: 4, sigma: 2 / 255, step: 2 / 255, ball: 8 / 255 }),
  'NES (b), always moving': (c) => nes(c, { pairs: 4, sigma: 2 / 255, step: 1 / 255, ball: 8 / 255, always: true }),
  'NES (a)': (c) => nes(c, { pairs: 12, sigma: 0.001, step: 0.01, ball: 0.05, always: true }),
  'confidence raising': (c) => nes(c, { pairs: 4, sigma: 2 / 255, step: 1 / 255, ball: 8 / 255, aim: -1 }),
  SimBA: (c) => simba(c, (change) => change < 0),
  'SimBA, blind': (c) => simba(c, () => c.next() < 0.4),
  Square: square,
  HopSkipJump: hopSkipJump,
  RayS: rays,
  staircase: (c) => staircase(c, 1),
  'staircase with missteps': (c) => staircase(c, 0.8),
  'a tree, no drift': (c) => tree(c, 0),
  'a tree, falling': (c) => tree(c, 0.9),
  'a tree under rounded answers'(c) {
    c.rounded = true
    tree(c, 0.7)
  },
  'first answers with ties'(c) {
    c.rounded = true
    while (!c.isDone) {
      const x = c.picture().map((v) => 0.45 + 0.1 * v)
      for (let i = c.whole(6); i >= 0; i--) c.ask(plus(x, c.noise(2 / 255)))
    }
  },
  shuffled(c) {
    const pictures = Array.from({ length: 40 }, () => c.picture())
    while (!c.isDone) c.ask(pictures[c.whole(40)]!)
  },
  LIME: (c) =>
    masks(
      c,
      (i, x) => x[i - (i % 20)]!,
      () => c.next() < 0.5,
    ),
  KernelSHAP: (c) =>
    masks(
      c,
      () => 0.5,
      (part, round) => (part + round) % 5 === 0 || c.next() < 0.3,
    ),
  RISE: (c) =>
    masks(
      c,
      () => 0,
      () => c.next() < 0.5,
    ),
  occlusion: (c) =>
    masks(
      c,
      () => 0.5,
      (part, round) => part === round % 20,
    ),
  'noise copies'(c) {
    const x = c.picture()
    while (!c.isDone) c.ask(plus(x, c.noise(1 / 255)))
  },
  'random walk'(c) {
    let x = c.picture()
    while (!c.isDone) {
      x = plus(x, c.noise(1).map(Math.sign), 2 / 255)
      c.ask(x)
    }
  },
  sweep(c) {
    const x = c.picture()
    for (let i = 0; !c.isDone; i++) c.ask(x.map((v) => cut(v + (((i % 60) - 30) * 0.6) / 255)))
  },
  'editing with undo': editing,
  constant(c) {
    while (!c.isDone) c.ask(new Float64Array(c.size).fill(0.5))
  },
  retries(c) {
    let x = c.picture()
    while (!c.isDone) {
      for (let i = 1 + c.whole(4); i > 0; i--) c.ask(x)
      // Less than a sixteenth of a level, a few levels, or another picture.
      const u = c.next()
      x = u < 0.3 ? plus(x, c.noise(1e-5)) : u < 0.8 ? plus(x, c.noise(1 / 255)) : c.picture()
    }
  },
  restoration(c) {
    const target = c.picture()
    let x = plus(target, c.noise(16 / 255))
    const error = (v: Float64Array) => v.reduce((sum, value, i) => sum + (value - target[i]!) ** 2, 0)
    while (!c.isDone) {
      const tries = Array.from({ length: 6 }, () => plus(x, c.noise(2 / 255)))
      for (const tried of tries) c.ask(tried)
      const nearest = tries.reduce((a, b) => (error(b) < error(a) ? b : a))
      if (error(nearest) < error(x)) x = nearest
      c.ask(x)
    }
  },
  'attack among others, with decoys'(c) {
    const first = c.picture()
    let x = first
    c.ask(x)
    while (!c.isDone) {
      const tries = Array.from({ length: 4 }, () => plus(x, c.noise(2 / 255)))
      for (const tried of tries) {
        c.ask(tried)
        if (c.next() < 0.3) c.ask(c.picture())
        if (c.next() < 0.3) c.ask(plus(first, c.noise(0.5 / 255)))
      }
      x = tries.reduce((a, b) => (gap(c.logits(b), 0) < gap(c.logits(a), 0) ? b : a))
    }
  },
  'attack with one number inverted'(c) {
    let x = c.picture()
    while (!c.isDone) {
      const tries = Array.from({ length: 5 }, () => plus(x, c.noise(2 / 255)))
      for (const tried of tries) {
        const shown = tried.slice()
        const at = c.whole(c.size)
        shown[at] = 1 - shown[at]!
        c.ask(shown)
      }
      x = tries.reduce((a, b) => (gap(c.logits(b), 0) < gap(c.logits(a), 0) ? b : a))
    }
  },
  'inputs of several lengths, answers of several classes'(c) {
    const starts = [c.size, c.size, Math.ceil(c.size / 2), 7].map((length) => c.picture().slice(0, length))
    while (!c.isDone) {
      const at = c.whole(4)
      c.classes = c.next() < 0.3 ? 3 : 4
      const noise = c.noise(3 / 255)
      const tried = starts[at]!.map((v, i) => cut(v + noise[i]!))
      c.ask(tried)
      if (c.next() < 0.5) starts[at] = tried
    }
  },
}

/** Everything that one client of a kind sends. */
export function session(kind: string, setting: Setting): readonly Sent[] {
  const client = new Client(setting)
  KINDS[kind]!(client)
  return client.sent.slice(0, setting.budget)
}
