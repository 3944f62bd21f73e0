/** Decisions over time: areas on top of each other, a legend with the numbers, and a table for those who read one. */
import uPlot from 'uplot'
import { axis, chartIn } from './chart.ts'
import { byId, element, setText } from './elements.ts'
import { count, DECISION_NAMES, minute, rate, time } from './format.ts'
import { color } from './palette.ts'
import { byMinute, DECISIONS, type Second, stacked, type Timeline } from './timeline.ts'
import type { Policy } from './wire.ts'

const HEIGHT = 200
/** The chart begins with half a minute and grows to the whole of the timeline. */
const LEAST_SECONDS = 30

/** Makes the chart; the function shows a timeline on it. */
export function createDecisionsChart(most: number): (timeline: Timeline, policy: Policy | undefined) => void {
  const legend = createLegend()
  let seconds: readonly Second[] = []
  const chart = chartIn(byId('decisions-chart'), HEIGHT, chartOptions(most, showLegend), stacked([]))

  function showLegend(): void {
    const at = chart.cursor.idx
    const hovered = at === null || at === undefined ? undefined : seconds[at]
    legend.show(seconds, hovered)
  }

  return (timeline, policy) => {
    seconds = timeline.seconds
    chart.setData(reversed(stacked(seconds)))
    showLegend()
    setText(byId('decisions-note'), policy?.mode === 'observe' ? OBSERVE : '')
    if (byId<HTMLDetailsElement>('decisions-table').open) showTable(seconds)
  }
}

const OBSERVE = 'Observe mode: nobody is refused. Shown is what enforcement would do.'

/** The whole stack first, then always without its top, so that each colour stays visible. */
function reversed([times, ...sums]: ReturnType<typeof stacked>): uPlot.AlignedData {
  return [times, ...sums.reverse()]
}

function chartOptions(most: number, onCursor: () => void) {
  const paths = uPlot.paths.stepped!({ align: -1 })
  const area = (decision: string): uPlot.Series => {
    return { paths, width: 0, fill: () => color(`--${decision}`), points: { show: false } }
  }
  return {
    series: [{}, ...[...DECISIONS].reverse().map(area)],
    scales: {
      x: { range: (_: uPlot, min: number, max: number) => rangeOfTime(min, max, most) },
      y: { range: (_: uPlot, __: number, max: number): uPlot.Range.MinMax => [0, Math.max(4, max * 1.08)] },
    },
    axes: [
      axis({ values: (_, at) => at.map((second) => time(second * 1000)), space: 90, grid: { show: false }, size: 28 }),
      axis({ values: (_, at) => at.map((value) => rate(value)), space: 34, size: 44, incrs: WHOLE }),
    ],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    padding: [8, 28, 0, 0] as uPlot.Padding,
    hooks: { setCursor: [onCursor] },
  }
}

const WHOLE = [1, 2, 5]
  .flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power))
  .sort((a, b) => a - b)

function rangeOfTime(min: number | null, max: number | null, most: number): uPlot.Range.MinMax {
  const end = max ?? Date.now() / 1000
  return [end - Math.min(most, Math.max(LEAST_SECONDS, end - (min ?? end))), end]
}

function createLegend() {
  const values = DECISIONS.map(() => element('strong'))
  const items = DECISIONS.map((decision, i) => {
    const swatch = element('span', { class: `swatch ${decision}`, 'aria-hidden': true })
    return element('li', {}, swatch, DECISION_NAMES[decision], ' ', values[i]!)
  })
  byId('decisions-legend').append(...items)
  return {
    /** The numbers of one second, or the sums of all. */
    show(seconds: readonly Second[], hovered: Second | undefined): void {
      const counted = seconds.flatMap(({ counts }) => counts ?? [])
      for (const [i, decision] of DECISIONS.entries()) {
        const sum = hovered?.counts?.[decision] ?? counted.reduce((total, counts) => total + counts[decision], 0)
        setText(values[i]!, hovered === undefined ? count(sum) : rate(sum))
      }
      setText(byId('decisions-span'), hovered === undefined ? spanOf(seconds) : `at ${time(hovered.at * 1000)}`)
    },
  }
}

function spanOf(seconds: readonly Second[]): string {
  const [first, last] = [seconds[0], seconds.at(-1)]
  if (first === undefined || last === undefined) return 'since just now'
  return `since ${time((first.at - 1) * 1000)}`
}

function showTable(seconds: readonly Second[]): void {
  const rows = byMinute(seconds).map(({ at, counts }) => {
    const cells = DECISIONS.map((decision) => element('td', { class: 'number' }, count(counts[decision])))
    return element('tr', {}, element('th', { scope: 'row' }, minute(at * 1000)), ...cells)
  })
  byId('decisions-rows').replaceChildren(...rows)
}
