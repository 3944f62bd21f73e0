/** What the chart shows of the log, and where: numbers only. */
import { isSimilarity, KINDS, type Kind, type Settings } from './config.ts'
import type { Judged } from './session.ts'

export interface Point {
  readonly kind: Kind
  readonly pane: 'likeness' | 'times'
  readonly score: number
  readonly suspicious: boolean
  /** Place among the queries shown. */
  readonly at: number
}

/** A dashed line: one for all kinds whose thresholds are equal. */
export interface Limit {
  readonly value: number
  /** The kind whose colour it has; undefined for several. */
  readonly kind?: Kind
}

export function pointsOf(shown: readonly Judged[]): Point[] {
  return shown.flatMap(({ item, outcome }, at) => {
    if (outcome.state === 'failed') return []
    return outcome.verdict.detections.map(({ detector, score, suspicious }): Point => {
      return { kind: item.kind, pane: isSimilarity(detector) ? 'likeness' : 'times', score, suspicious, at }
    })
  })
}

/** The thresholds of the likeness, highest first, equal ones together. */
export function limitsOf(settings: Settings): Limit[] {
  const values = [...new Set(KINDS.map((kind) => settings[kind]))].sort((a, b) => b - a)
  return values.map((value) => {
    const kinds = KINDS.filter((kind) => settings[kind] === value)
    return kinds.length === 1 ? { value, kind: kinds[0]! } : { value }
  })
}

/** Everything measured in CSS pixels. */
export interface Layout {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  x(at: number): number
  y(pane: Point['pane'], score: number): number
  /** The place nearest to a horizontal position. */
  atX(x: number): number
  readonly panes: readonly { readonly pane: Point['pane']; readonly ticks: readonly number[] }[]
}

const LEFT = 34
const RIGHT = 44
const LIKENESS = { top: 26, height: 150 }
const TIMES = { top: 208, height: 60 }
const HEIGHT = 296
/** Queries stand at least this far apart; where they do not all fit, the newest are shown. */
const CLOSEST = 9
const WIDEST = 46

export function mostShown(width: number): number {
  return Math.max(2, Math.floor((width - LEFT - RIGHT) / CLOSEST))
}

export function layoutOf(width: number, count: number, most: number): Layout {
  const room = width - LEFT - RIGHT
  const step = count < 2 ? 0 : Math.min(WIDEST, (room - 16) / (count - 1))
  const first = LEFT + 12
  const top = Math.max(3, Math.ceil(most))
  const x = (at: number) => first + at * step
  return {
    width,
    height: HEIGHT,
    left: LEFT,
    right: width - RIGHT,
    x,
    y(pane, score) {
      const { top: above, height } = pane === 'likeness' ? LIKENESS : TIMES
      const share = pane === 'likeness' ? score : score / top
      return above + height * (1 - Math.min(Math.max(share, 0), 1))
    },
    atX: (px) => (step === 0 ? 0 : Math.min(Math.max(Math.round((px - first) / step), 0), count - 1)),
    panes: [
      { pane: 'likeness', ticks: [0, 0.5, 1] },
      { pane: 'times', ticks: [0, top] },
    ],
  }
}
