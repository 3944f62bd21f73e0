/** The drawing of a course. A picture for the eye only: the same numbers stand in words beside it. */
import uPlot from 'uplot'
import { type Course, type CourseLine, RANGE_SECONDS } from './course.ts'
import { formatted } from './format.ts'
import { colourOf, seriesVariable } from './palette.ts'

const FONT = '11px system-ui, sans-serif'
const HEIGHT = 150
const SPARK_HEIGHT = 34
/** A chart begins with so much and grows to the whole range. */
const LEAST_SECONDS = 30
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export interface Plot {
  /** Draws what the course holds now. */
  draw(): void
  /** Takes the width of its place. */
  fit(): void
  destroy(): void
}

/** Draws a course in its place; `onCursor` is told the index that is pointed at, or `undefined`. */
export function plotOf(
  course: Course,
  place: HTMLElement,
  onCursor: (index: number | undefined) => void = () => {},
): Plot {
  const { spec } = course
  const isSpark = spec.kind === 'number'
  const height = isSpark ? SPARK_HEIGHT : HEIGHT
  const width = () => Math.max(place.clientWidth, 80)
  const common = {
    legend: { show: false },
    scales: { x: { range: rangeOfTime }, y: { range: rangeOf(course) } },
    axes: isSpark ? [{ show: false }, { show: false }] : axesOf(course, place),
    cursor: cursorOf(isSpark),
    hooks: {
      setCursor: [
        ({ cursor }: uPlot) =>
          onCursor(cursor.left === undefined || cursor.left < 0 ? undefined : (cursor.idx ?? undefined)),
      ],
      ...(spec.kind === 'heatmap' ? { drawAxes: [(chart: uPlot) => paintCells(chart, course, place)] } : {}),
    },
    padding: (isSpark ? [2, 0, 2, 0] : [8, 6, 0, 0]) as uPlot.Padding,
  }
  const series = [{}, ...drawn(course).map(({ line, index }) => seriesOf(course, { line, index, place }))]
  const chart = new uPlot({ ...common, series, width: width(), height }, dataOf(course), place)
  return {
    draw: () => chart.setData(dataOf(course)),
    fit() {
      if (chart.width !== width()) chart.setSize({ width: width(), height })
    },
    destroy: () => chart.destroy(),
  }
}

/** The lines in the order of drawing: of a stack the whole first, so that each part stays visible. */
function drawn({ lines, spec }: Course): { readonly line: CourseLine; readonly index: number }[] {
  if (spec.kind === 'heatmap') return lines.slice(0, 1).map((line, index) => ({ line, index }))
  const all = lines.map((line, index) => ({ line, index }))
  return isStacked(spec) ? all.reverse() : all
}

function isStacked(spec: Course['spec']): boolean {
  return spec.kind === 'graph' && spec.isStacked === true
}

function dataOf(course: Course): uPlot.AlignedData {
  const { times, lines, spec } = course
  if (spec.kind === 'heatmap') return [times, times.map(() => null)]
  if (!isStacked(spec)) return [times, ...lines.map(({ values }) => values)]
  const sums = lines.map((_, i) => times.map((_, at) => sumAt(lines.slice(0, i + 1), at)))
  return [times, ...sums.reverse()]
}

function sumAt(lines: readonly CourseLine[], at: number): number | null {
  const known = lines.map(({ values }) => values[at] ?? null).filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0)
}

function seriesOf(
  { spec }: Course,
  { line, index, place }: { readonly line: CourseLine; readonly index: number; readonly place: HTMLElement },
): uPlot.Series {
  const named = spec.kind === 'graph' ? spec.colours?.[line.name] : undefined
  const colour = () => colourOf(place, seriesVariable(index, named))
  const base = { spanGaps: false, points: { show: false } }
  if (spec.kind === 'heatmap') return { ...base, show: false }
  if (isStacked(spec)) return { ...base, width: 1, stroke: () => colourOf(place, '--panel'), fill: colour }
  if (line.isLimit) return { ...base, stroke: colour, width: 1.5, dash: [6, 4] }
  return { ...base, stroke: colour, width: spec.kind === 'number' ? 1.5 : 1.75 }
}

function cursorOf(isSpark: boolean): uPlot.Cursor {
  if (isSpark) return { show: false }
  return { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: 'operator' } }
}

function axesOf({ spec, lines }: Course, place: HTMLElement): uPlot.Axis[] {
  const stroke = () => colourOf(place, '--soft')
  const common = { font: FONT, stroke, ticks: { show: false }, gap: 5 }
  const grid = { stroke: () => colourOf(place, '--line'), width: 1 }
  const bounds = lines.map(({ name }) => name)
  return [
    { ...common, values: (_, at) => at.map((s) => clock.format(s * 1000)), space: 80, grid: { show: false }, size: 24 },
    {
      ...common,
      grid: spec.kind === 'heatmap' ? { show: false } : grid,
      space: 28,
      size: 52,
      values: (_, at) =>
        at.map((value) => {
          if (spec.kind === 'heatmap') return bounds[value - 1] ?? ''
          return formatted(value, spec.unit)
        }),
    },
  ]
}

function rangeOfTime(_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
  const end = max ?? Date.now() / 1000
  return [end - Math.min(RANGE_SECONDS, Math.max(LEAST_SECONDS, end - (min ?? end))), end]
}

function rangeOf({ spec, lines }: Course): uPlot.Range.Function {
  if (spec.kind === 'heatmap') return () => [0, Math.max(1, lines.length)]
  const most = spec.kind === 'graph' ? spec.max : undefined
  return (_, min: number | null, max: number | null) => [
    Math.min(0, min ?? 0),
    most ?? (max !== null && max > 0 ? 1.1 * max : 1),
  ]
}

/** The cells of a heatmap: the stronger, the more. Buckets have equal heights, as they are told. */
function paintCells(chart: uPlot, { times, lines }: Course, place: HTMLElement): void {
  const { ctx } = chart
  const largest = Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)))
  if (largest === 0) return
  const step = Math.abs(chart.valToPos(1, 'x', true) - chart.valToPos(0, 'x', true))
  ctx.save()
  ctx.beginPath()
  ctx.rect(chart.bbox.left, chart.bbox.top, chart.bbox.width, chart.bbox.height)
  ctx.clip()
  ctx.fillStyle = colourOf(place, '--op-orange')
  for (const [row, { values }] of lines.entries()) {
    const top = chart.valToPos(row + 1, 'y', true)
    const height = chart.valToPos(row, 'y', true) - top
    for (const [at, value] of values.entries()) {
      if (value === null || value <= 0) continue
      ctx.globalAlpha = 0.15 + 0.85 * Math.sqrt(value / largest)
      ctx.fillRect(chart.valToPos(times[at]!, 'x', true) - step, top, step + 0.5, height)
    }
  }
  ctx.restore()
}
