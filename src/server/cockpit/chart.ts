/** What our charts have in common. They are pictures for the eye only: the same numbers stand in words beside them. */
import uPlot from 'uplot'
import { color, onScheme } from './palette.ts'

const FONT = '11px system-ui, sans-serif'

/** An axis in the colours of the page. */
export function axis(own: uPlot.Axis): uPlot.Axis {
  return {
    font: FONT,
    stroke: () => color('--soft'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
    gap: 6,
    ...own,
  }
}

export type ChartOptions = Omit<uPlot.Options, 'width' | 'height'>

/** A chart as wide as its place, also when that changes. */
export function chartIn(place: HTMLElement, height: number, options: ChartOptions, data: uPlot.AlignedData): uPlot {
  const width = () => Math.max(place.clientWidth, 120)
  const chart = new uPlot({ ...options, width: width(), height, legend: { show: false } }, data, place)
  new ResizeObserver(() => {
    if (chart.width !== width()) chart.setSize({ width: width(), height })
  }).observe(place)
  onScheme(() => chart.redraw())
  return chart
}
