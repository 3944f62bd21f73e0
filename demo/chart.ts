/**
 * Score over queries, drawn as SVG. One stop of the tab key; the arrow keys walk from query to query and the numbers are
 * its value, so that a screen reader speaks them.
 */
import { KINDS, type Kind, NOUN, type Settings } from './config.ts'
import { byId, drawing, element } from './elements.ts'
import { type Layout, layoutOf, limitsOf, mostShown, type Point, pointsOf } from './scale.ts'
import type { Judged } from './session.ts'
import { describe, nameOf, numbers } from './wording.ts'

/** Of the small numbers beside the lines, in pixels. */
const LINE_HEIGHT = 12

export interface Chart {
  draw(judged: readonly Judged[], settings: Settings): void
}

/** The chart; `onPick` is told the number of a query that was clicked. */
export function createChart(onPick: (number: number) => void): Chart {
  const box = byId('chart')
  const readout = byId('readout')
  let judged: readonly Judged[] = []
  let settings: Settings | undefined
  let layout: Layout | undefined
  let shown: readonly Judged[] = []
  /** The place looked at; none: the newest. */
  let chosen: number | undefined

  box.tabIndex = 0
  box.setAttribute('role', 'slider')
  box.setAttribute('aria-label', 'Chart of scores by query; arrow keys move from query to query, Enter shows its card')
  legend()
  new ResizeObserver(redraw).observe(box)
  box.addEventListener('pointermove', (event) => choose(placeOf(event)))
  box.addEventListener('pointerleave', () => choose(undefined))
  box.addEventListener('blur', () => choose(undefined))
  box.addEventListener('click', (event) => pick(placeOf(event)))
  box.addEventListener('keydown', onKey)

  return {
    draw(nextJudged, nextSettings) {
      judged = nextJudged
      settings = nextSettings
      chosen = undefined
      redraw()
    },
  }

  function placeOf(event: MouseEvent): number | undefined {
    return shown.length === 0 ? undefined : layout?.atX(event.clientX - box.getBoundingClientRect().left)
  }

  function choose(place: number | undefined): void {
    if (place === chosen) return
    chosen = place
    redraw()
  }

  function pick(place: number | undefined): void {
    const one = place === undefined ? undefined : shown[place]
    if (one !== undefined) onPick(one.item.number)
  }

  function onKey(event: KeyboardEvent): void {
    const last = shown.length - 1
    const at = chosen ?? last
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1, Home: 0, End: last }[
      event.key
    ]
    if (event.key === 'Enter') pick(at)
    else if (next !== undefined) choose(Math.min(Math.max(next, 0), last))
    else return
    event.preventDefault()
  }

  function redraw(): void {
    if (settings === undefined || box.clientWidth === 0) return
    shown = judged.slice(-mostShown(box.clientWidth))
    const points = pointsOf(shown)
    const most = Math.max(settings.repeats, ...points.filter(({ pane }) => pane === 'times').map(({ score }) => score))
    layout = layoutOf(box.clientWidth, shown.length, most)
    box.replaceChildren(plot(shown, points, settings, layout, chosen))
    tell()
  }

  function tell(): void {
    const at = chosen ?? shown.length - 1
    const one = shown[at]
    const text = one === undefined ? 'No queries yet.' : inNumbers(one)
    readout.textContent = text
    box.setAttribute('aria-valuemin', String(shown[0]?.item.number ?? 0))
    box.setAttribute('aria-valuemax', String(shown.at(-1)?.item.number ?? 0))
    box.setAttribute('aria-valuenow', String(one?.item.number ?? 0))
    box.setAttribute('aria-valuetext', text)
  }
}

function inNumbers(judged: Judged): string {
  const { item, outcome } = judged
  const { verdict, earlier } = describe(judged)
  const start = `#${item.number} ${NOUN[item.kind]}: ${verdict.toLowerCase()}`
  if (outcome.state === 'failed') return `${start} (${outcome.error.code})`
  const parts = outcome.verdict.detections.map((detection) => {
    const { score, threshold } = numbers(detection)
    return `${detection.detector} ${score}, threshold ${threshold}`
  })
  const near = earlier === undefined ? [] : [`nearest ${nameOf(earlier)}`]
  return [start, ...parts, ...near].join(' · ')
}

function plot(shown: readonly Judged[], points: readonly Point[], settings: Settings, layout: Layout, chosen?: number) {
  const { width, height, left, right } = layout
  const root = drawing('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' })
  if (chosen !== undefined) {
    const x = layout.x(chosen)
    root.append(drawing('line', { class: 'cursor', x1: x, x2: x, y1: 4, y2: height - 22 }))
  }
  for (const { pane, ticks } of layout.panes) {
    for (const tick of ticks) {
      const y = layout.y(pane, tick)
      root.append(
        drawing('line', { class: 'grid', x1: left, x2: right, y1: y, y2: y }),
        label(left - 6, y + 4, 'end', `${tick}`),
      )
    }
  }
  let free = 0
  for (const { value, kind } of limitsOf(settings)) {
    const y = layout.y('likeness', value)
    const named = Math.max(y, free)
    root.append(...limitLine(layout, { y, named, text: value.toFixed(2), kind }))
    free = named + LINE_HEIGHT
  }
  const y = layout.y('times', settings.repeats)
  root.append(...limitLine(layout, { y, named: y, text: `≥ ${settings.repeats}` }))
  for (const [pane, name] of [
    ['likeness', 'likeness to the nearest earlier query'],
    ['times', 'times seen in the last 100'],
  ] as const) {
    root.append(label(left, layout.y(pane, Infinity) - 12, 'start', name))
  }
  for (const kind of KINDS) root.append(path(points, kind, layout))
  for (const point of points) root.append(...mark(point, layout))
  const every = Math.max(1, Math.ceil(shown.length / Math.max(1, Math.floor((right - left) / 44))))
  for (const [at, { item }] of shown.entries()) {
    if (at % every === 0) root.append(label(layout.x(at), height - 6, 'middle', `#${item.number}`))
  }
  return root
}

function label(x: number, y: number, anchor: string, text: string): SVGTextElement {
  return drawing('text', { x, y, 'text-anchor': anchor }, text)
}

interface LimitLine {
  readonly y: number
  /** Where its number stands: lower, if another one is in the way. */
  readonly named: number
  readonly text: string
  readonly kind?: Kind | undefined
}

function limitLine({ left, right }: Layout, { y, named, text, kind }: LimitLine): SVGElement[] {
  const line = drawing('line', { class: `limit ${kind ?? ''}`, x1: left, x2: right, y1: y, y2: y })
  const name = label(right + 5, named + 4, 'start', text)
  name.setAttribute('class', `limit-text ${kind ?? ''}`)
  return [line, name]
}

function path(points: readonly Point[], kind: Kind, layout: Layout): SVGElement {
  const own = points.filter((point) => point.kind === kind && point.pane === 'likeness')
  const corners = own.map(({ at, score }) => `${layout.x(at)},${layout.y('likeness', score)}`)
  return drawing('polyline', { class: `path ${kind}`, points: corners.join(' ') })
}

/** A point by kind, so that colour is not all that tells them apart; a ring around it if it is suspicious. */
function mark({ kind, pane, score, suspicious, at }: Point, layout: Layout): SVGElement[] {
  const x = layout.x(at)
  const y = layout.y(pane, score)
  const stem = drawing('line', { class: `stem ${kind}`, x1: x, x2: x, y1: layout.y('times', 0), y2: y })
  return [
    ...(pane === 'times' ? [stem] : []),
    ...(suspicious ? [drawing('circle', { class: 'ring', cx: x, cy: y, r: ringOf(layout) })] : []),
    drawing('path', { class: `point ${kind}`, d: symbol(kind, x, y) }),
  ]
}

/** Smaller where queries stand close. */
function ringOf(layout: Layout): number {
  const step = layout.x(1) - layout.x(0)
  return step === 0 ? 8 : Math.min(Math.max(step / 2, 5), 8)
}

function symbol(kind: Kind, x: number, y: number): string {
  if (kind === 'text') return `M${x - 4},${y}a4,4 0 1 0 8,0a4,4 0 1 0 -8,0Z`
  if (kind === 'image') return `M${x - 3.6},${y - 3.6}h7.2v7.2h-7.2Z`
  return `M${x},${y - 4.8}l4.6,8h-9.2Z`
}

function legend(): void {
  const sample = (...shapes: SVGElement[]) =>
    drawing('svg', { viewBox: '0 0 20 20', width: 20, height: 20, 'aria-hidden': 'true' }, ...shapes)
  const point = (kind: Kind) => drawing('path', { class: `point ${kind}`, d: symbol(kind, 10, 10) })
  byId('legend').append(
    ...KINDS.map((kind) => element('li', {}, sample(point(kind)), NOUN[kind])),
    element('li', {}, sample(drawing('line', { class: 'limit', x1: 0, x2: 20, y1: 10, y2: 10 })), 'threshold'),
    element('li', {}, sample(drawing('circle', { class: 'ring', cx: 10, cy: 10, r: 7 })), 'suspicious'),
  )
}
