/** How the scores of each detector lie, in its own unit, with the threshold as a line. */
import uPlot from 'uplot'
import { type Bin, type Distribution, distribution, nameOf } from './bins.ts'
import { axis, chartIn } from './chart.ts'
import { element, setText } from './elements.ts'
import { count, score, share } from './format.ts'
import type { View } from './keyed.ts'
import { color } from './palette.ts'
import type { Scores, ScoreUnit, StatusDetector } from './wire.ts'

const HEIGHT = 132

/** What is shown of one detector: its scores of the chosen span, and how many queries they are of. */
export interface Shown {
  readonly detector: StatusDetector
  readonly scores: Scores
  readonly judged: number
  readonly suspicious: number
}

/** The chart of one detector with its sentence. */
export function scoresView({ detector }: Shown): View<Shown> {
  const place = element('div', { class: 'chart', 'aria-hidden': true })
  const sentence = element('figcaption')
  const title = element('h3', {}, detector.label)
  const unit = element('span', { class: 'hint' })
  const figure = element('figure', {}, element('div', { class: 'figure-head' }, title, unit), place, sentence)
  let draw: ((shown: Distribution, threshold: number) => void) | undefined
  return {
    element: figure,
    update({ detector, scores, judged, suspicious }) {
      const { threshold } = detector
      draw ??= createChart(place, detector.unit) // only now it has a width
      draw(distribution(scores, threshold, detector.unit), threshold)
      setText(unit, MEASURES[detector.unit])
      setText(sentence, sentenceOf(judged, suspicious, score(threshold, detector.unit)))
    },
  }
}

const MEASURES: Readonly<Record<ScoreUnit, string>> = {
  nats: 'entropy in nats',
  probability: 'probability',
  count: 'times seen',
  cosine: 'cosine to the nearest',
  nearness: '1 ÷ (1 + mean distance to the nearest)',
  matches: 'hashes shared with an earlier query',
  share: 'share of the limit',
  score: 'score',
}

function sentenceOf(judged: number, suspicious: number, threshold: string): string {
  if (judged === 0) return `No scores yet. The threshold is ${threshold}.`
  const scores = judged === 1 ? 'score' : 'scores'
  return `${count(suspicious)} of ${count(judged)} ${scores} (${share(suspicious, judged)}) reach the threshold of ${threshold}.`
}

/** Makes the chart on its first use. Counts stand on a logarithmic scale, or the few suspicious ones would vanish. */
function createChart(place: HTMLElement, unit: ScoreUnit) {
  let shown: Distribution = { bins: [], place: 0 }
  let threshold = 0
  const chart = chartIn(
    place,
    HEIGHT,
    {
      series: [{}, bars('--under'), bars('--over')],
      scales: {
        x: { time: false, range: () => [-0.5, shown.bins.length - 0.5] },
        y: { range: (_, __, max) => [0, Math.max(1.1, max * 1.15)] },
      },
      axes: [
        axis({ grid: { show: false }, size: 24, ...edges(unit, () => shown.bins) }),
        axis({ size: 40, splits: (_, __, ___, max) => POWERS.filter((power) => power <= max), values: powers }),
      ],
      cursor: { show: false },
      padding: [16, 10, 0, 0],
      hooks: { draw: [(u) => drawThreshold(u, shown.place - 0.5, score(threshold, unit))] },
    },
    [[], [], []],
  )
  return (next: Distribution, at: number) => {
    shown = next
    threshold = at
    const height = (isOver: boolean) => next.bins.map((bin) => (bin.isOver === isOver ? heightOf(bin.count) : null))
    chart.setData([next.bins.map((_, i) => i), height(false), height(true)])
  }
}

/** 0 for none, 1 for nine, 2 for ninety-nine … */
function heightOf(many: number): number {
  return Math.log10(1 + many)
}

const POWERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((power) => (power === 0 ? 0 : heightOf(10 ** power)))

function powers(_: uPlot, heights: number[]): string[] {
  const compact = new Intl.NumberFormat('en', { notation: 'compact' })
  return heights.map((height) => compact.format(Math.round(10 ** height - 1)))
}

function bars(fill: string): uPlot.Series {
  const paths = uPlot.paths.bars!({ size: [0.86, 60, 2] })
  return { paths, width: 0, fill: () => color(fill), points: { show: false } }
}

const LABEL_PX = 34

/** Whole numbers stand under their bars, other bounds between them. */
function edges(unit: ScoreUnit, bins: () => readonly Bin[]): uPlot.Axis {
  const isWhole = unit === 'count'
  return {
    splits: (u) => {
      const places = isWhole ? bins().map((_, i) => i) : bins().map((_, i) => i + 0.5)
      const every = Math.max(1, Math.ceil((places.length * LABEL_PX) / Math.max(1, u.width - 50)))
      return places.filter((_, i) => i % every === 0)
    },
    values: (_, places) =>
      places.map((place) => {
        const bin = bins()[Math.floor(place)]
        if (bin === undefined) return ''
        return isWhole ? nameOf(bin, unit) : String(bin.upTo ?? '')
      }),
  }
}

function drawThreshold(u: uPlot, at: number, text: string): void {
  const { ctx, bbox } = u
  const x = Math.round(u.valToPos(at, 'x', true))
  const ratio = uPlot.pxRatio
  ctx.save()
  ctx.strokeStyle = color('--ink')
  ctx.fillStyle = color('--ink')
  ctx.lineWidth = 1.5 * ratio
  ctx.setLineDash([4 * ratio, 3 * ratio])
  ctx.beginPath()
  ctx.moveTo(x, bbox.top - 3 * ratio)
  ctx.lineTo(x, bbox.top + bbox.height)
  ctx.stroke()
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`
  const isRight = x > bbox.left + bbox.width * 0.8
  ctx.textAlign = isRight ? 'right' : x < bbox.left + bbox.width * 0.2 ? 'left' : 'center'
  ctx.fillText(text, x, bbox.top - 6 * ratio)
  ctx.restore()
}
