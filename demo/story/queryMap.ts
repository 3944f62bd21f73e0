/**
 * `<query-map>`: every query a dot, where the model sees it; a line to the nearest earlier query of the same user, red where
 * the two are nearly the same picture. For who does not see it, the lanes beside it say the same in words.
 */
import type { QueryEvent } from './events.ts'
import { isNear } from './near.ts'
import { cornerOf } from './place.ts'
import { shapeOf } from './shapes.ts'

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
  #queries: QueryEvent[][] = []
  #caught = new Set<number>()
  #isDue = false

  connectedCallback(): void {
    if (this.#canvas.isConnected) return
    this.#canvas.setAttribute('role', 'img')
    this.#canvas.setAttribute(
      'aria-label',
      'Map of all queries: ten corners for ten digits; every query is a dot, nearer to the digits that the model believes in',
    )
    this.append(this.#canvas)
    new ResizeObserver(() => this.#later()).observe(this)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#later())
    this.#later()
  }

  clear(): void {
    this.#queries = []
    this.#caught.clear()
    this.#later()
  }

  add(query: QueryEvent): void {
    this.#queries[query.lane] ??= []
    this.#queries[query.lane]!.push(query)
    this.#later()
  }

  markCaught(lane: number): void {
    this.#caught.add(lane)
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
    if (side === 0) return
    const scale = Math.min(devicePixelRatio, 2)
    const size = Math.round(side * scale)
    if (this.#canvas.width !== size) [this.#canvas.width, this.#canvas.height] = [size, size]
    const context = this.#canvas.getContext('2d')
    if (context === null) return
    context.setTransform(scale, 0, 0, scale, 0, 0)
    context.clearRect(0, 0, side, side)
    const colours = coloursOf(this)
    const toPixels = ([x, y]: readonly [number, number]): [number, number] => {
      const radius = side / 2 - 26
      return [side / 2 + radius * x, side / 2 + radius * y]
    }
    drawCorners(context, side, colours, toPixels)
    for (const [lane, queries = []] of this.#queries.entries()) {
      drawLines(context, queries, colours, toPixels)
      this.#drawDots(context, lane, queries, colours, toPixels)
    }
  }

  #drawDots(
    context: CanvasRenderingContext2D,
    lane: number,
    queries: readonly QueryEvent[],
    colours: Colours,
    toPixels: ToPixels,
  ): void {
    const isCaught = this.#caught.has(lane)
    for (const [i, { place }] of queries.entries()) {
      const age = queries.length - 1 - i
      const tail = Math.max(0, 1 - age / TAIL)
      const [x, y] = toPixels(place)
      context.globalAlpha = isCaught ? 0.55 + 0.45 * tail : 0.3 + 0.7 * tail
      context.fillStyle = isCaught ? colours.near : colours.lanes[lane]!
      context.fill(shapeOf(lane, x, y, 2.1 + 3.2 * tail))
    }
    context.globalAlpha = 1
    const last = queries.at(-1)
    if (last === undefined) return
    const [x, y] = toPixels(last.place)
    context.strokeStyle = isCaught ? colours.near : colours.ink
    context.lineWidth = isCaught ? 2.5 : 1.25
    context.stroke(shapeOf(lane, x, y, isCaught ? 9 : 5.3))
  }
}

type ToPixels = (place: readonly [number, number]) => [number, number]

function drawCorners(context: CanvasRenderingContext2D, side: number, colours: Colours, toPixels: ToPixels): void {
  context.strokeStyle = colours.line
  context.lineWidth = 1
  context.beginPath()
  context.arc(side / 2, side / 2, side / 2 - 26, 0, 2 * Math.PI)
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

function drawLines(
  context: CanvasRenderingContext2D,
  queries: readonly QueryEvent[],
  colours: Colours,
  toPixels: ToPixels,
): void {
  for (const query of queries) {
    const { nearest, place } = query
    if (nearest === null) continue
    const from = queries[nearest.number - 1]
    if (from === undefined) continue
    const isRed = isNear(query)
    context.strokeStyle = isRed ? colours.near : colours.line
    context.globalAlpha = isRed ? 0.5 : 0.7
    context.lineWidth = isRed ? 1.4 : 0.8
    context.beginPath()
    context.moveTo(...toPixels(from.place))
    context.lineTo(...toPixels(place))
    context.stroke()
  }
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
