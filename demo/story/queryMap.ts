/**
 * `<query-map>`: every query a dot, where the model sees it; a line to the nearest earlier query of the same user, red where
 * the two are nearly the same picture. For who does not see it, the lanes beside it say the same in words.
 */
import type { QueryEvent } from './events.ts'
import { isNear } from './near.ts'
import { cornerOf } from './place.ts'
import { shapeOf } from './shapes.ts'

/** Between the circle and the edge, for the digits, in pixels. */
const RIM = 26
/** Dots behind the head of a lane that are drawn large: the comet's tail. */
const TAIL = 28

interface Colours {
  readonly ink: string
  readonly soft: string
  readonly line: string
  readonly near: string
  readonly lanes: readonly string[]
}

export class QueryMap extends HTMLElement {
  readonly #canvas = document.createElement('canvas')
  /** What changes no more: circle, digits and the dots behind the tails. Drawn once, so that a frame costs little. */
  readonly #ground = document.createElement('canvas')
  readonly #queries: QueryEvent[][] = []
  /** Dots of each lane that are on the ground already. */
  #settled: number[] = []
  readonly #caught = new Set<number>()
  #colours: Colours | undefined
  #isDue = false

  connectedCallback(): void {
    if (this.#canvas.isConnected) return
    this.#canvas.setAttribute('role', 'img')
    this.#canvas.setAttribute(
      'aria-label',
      'Map of all queries: ten corners for ten digits; every query is a dot, nearer to the digits that the model believes in',
    )
    this.append(this.#canvas)
    new ResizeObserver(() => this.#anew()).observe(this)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#anew())
  }

  clear(): void {
    this.#queries.length = 0
    this.#caught.clear()
    this.#anew()
  }

  add(query: QueryEvent): void {
    this.#queries[query.lane] ??= []
    this.#queries[query.lane]!.push(query)
    this.#later()
  }

  markCaught(lane: number): void {
    this.#caught.add(lane)
    this.#anew()
  }

  #anew(): void {
    this.#colours = undefined
    this.#later()
  }

  #later(): void {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => {
      this.#isDue = false
      this.#draw()
    })
  }

  #draw(): void {
    const side = Math.floor(this.clientWidth)
    const [context, ground] = [this.#canvas.getContext('2d'), this.#ground.getContext('2d')]
    if (side === 0 || context === null || ground === null) return
    const scale = Math.min(devicePixelRatio, 2)
    const toPixels: ToPixels = ([x, y]) => [side / 2 + (side / 2 - RIM) * x, side / 2 + (side / 2 - RIM) * y]
    if (this.#colours === undefined) {
      this.#colours = coloursOf(this)
      this.#settled = []
      for (const { canvas } of [context, ground]) [canvas.width, canvas.height] = [side * scale, side * scale]
      ground.setTransform(scale, 0, 0, scale, 0, 0)
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawCorners(ground, side, this.#colours, toPixels)
    }
    const colours = this.#colours
    for (const [lane, queries = []] of this.#queries.entries()) {
      const until = Math.max(0, queries.length - TAIL)
      this.#drawPart(ground, lane, [this.#settled[lane] ?? 0, until], { colours, toPixels })
      this.#settled[lane] = until
    }
    context.clearRect(0, 0, side, side)
    context.drawImage(this.#ground, 0, 0, side, side)
    for (const [lane, queries = []] of this.#queries.entries()) {
      this.#drawPart(context, lane, [this.#settled[lane]!, queries.length], { colours, toPixels })
      this.#drawHead(context, lane, { colours, toPixels })
    }
  }

  /** The queries of a lane from one place up to another. */
  #drawPart(
    context: CanvasRenderingContext2D,
    lane: number,
    [from, to]: readonly [number, number],
    { colours, toPixels }: Pens,
  ): void {
    const queries = this.#queries[lane] ?? []
    const isCaught = this.#caught.has(lane)
    for (let i = from; i < to; i++) drawLine(context, queries, i, { colours, toPixels })
    context.fillStyle = isCaught ? colours.near : colours.lanes[lane]!
    for (let i = from; i < to; i++) {
      const tail = Math.max(0, 1 - (queries.length - 1 - i) / TAIL)
      const [x, y] = toPixels(queries[i]!.place)
      context.globalAlpha = isCaught ? 0.55 + 0.45 * tail : 0.3 + 0.7 * tail
      context.fill(shapeOf(lane, x, y, 2.1 + 3.2 * tail))
    }
    context.globalAlpha = 1
  }

  #drawHead(context: CanvasRenderingContext2D, lane: number, { colours, toPixels }: Pens): void {
    const last = this.#queries[lane]?.at(-1)
    if (last === undefined) return
    const isCaught = this.#caught.has(lane)
    const [x, y] = toPixels(last.place)
    context.strokeStyle = isCaught ? colours.near : colours.ink
    context.lineWidth = isCaught ? 2.5 : 1.25
    context.stroke(shapeOf(lane, x, y, isCaught ? 9 : 5.3))
  }
}

interface Pens {
  readonly colours: Colours
  readonly toPixels: ToPixels
}

type ToPixels = (place: readonly [number, number]) => [number, number]

function drawCorners(context: CanvasRenderingContext2D, side: number, colours: Colours, toPixels: ToPixels): void {
  context.strokeStyle = colours.line
  context.lineWidth = 1
  context.beginPath()
  context.arc(side / 2, side / 2, side / 2 - RIM, 0, 2 * Math.PI)
  context.stroke()
  context.fillStyle = colours.soft
  context.font = '600 14px system-ui, sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  for (let digit = 0; digit < 10; digit++) {
    const [x, y] = cornerOf(digit)
    const [px, py] = toPixels([x, y])
    context.fillText(String(digit), px + 14 * x, py + 14 * y)
  }
}

/** To the nearest earlier query of the same lane. */
function drawLine(
  context: CanvasRenderingContext2D,
  queries: readonly QueryEvent[],
  at: number,
  { colours, toPixels }: Pens,
): void {
  const query = queries[at]!
  const from = query.nearest === null ? undefined : queries[query.nearest.number - 1]
  if (from === undefined) return
  const isRed = isNear(query)
  context.strokeStyle = isRed ? colours.near : colours.line
  context.globalAlpha = isRed ? 0.5 : 0.7
  context.lineWidth = isRed ? 1.4 : 0.8
  context.beginPath()
  context.moveTo(...toPixels(from.place))
  context.lineTo(...toPixels(query.place))
  context.stroke()
  context.globalAlpha = 1
}

function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element)
  const take = (name: string) => style.getPropertyValue(name).trim()
  return {
    ink: take('--ink'),
    soft: take('--soft'),
    line: take('--line'),
    near: take('--near'),
    lanes: [1, 2, 3, 4].map((n) => take(`--lane-${n}`)),
  }
}
