/** The trade-off of a detector: what each threshold catches, and how many sessions of the worst workload it disturbs. */
import { button, drawing, element } from '../elements.ts'
import type { TradeOff } from './figures.ts'
import type { Scale } from './traces.ts'
import { percent, thresholdText } from './wording.ts'

const SIDE = 300
const [LEFT, TOP, BOTTOM, RIGHT] = [48, 12, 42, 14]
/** Of the worst workload: what the button beside the curve keeps. */
const BUDGET = 0.05

export interface CurveOptions {
  readonly scale: Scale
  readonly level: number
  readonly onChoose: (level: number) => void
}

/** Heading, drawing, and what stands under it. */
export function curveOf(points: readonly TradeOff[], { scale, level, onChoose }: CurveOptions): Element[] {
  const chosen = points[level]!
  const x = (share: number) => LEFT + share * (SIDE - LEFT - RIGHT)
  const y = (share: number) => SIDE - BOTTOM - share * (SIDE - TOP - BOTTOM)
  const said =
    `At ${thresholdText(scale, level)}: ${percent(chosen.caught)} % of the attacks caught, ` +
    `${percent(chosen.worst)} % of the sessions of the most disturbed workload with an alarm.`
  const root = drawing('svg', { class: 'tr-curve', viewBox: `0 0 ${SIDE} ${SIDE}`, role: 'img', 'aria-label': said })
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    root.append(
      drawing('line', { class: 'tr-grid', x1: LEFT, x2: SIDE - RIGHT, y1: y(share), y2: y(share) }),
      drawing('line', { class: 'tr-grid', x1: x(share), x2: x(share), y1: TOP, y2: SIDE - BOTTOM }),
      drawing('text', { x: LEFT - 6, y: y(share) + 4, 'text-anchor': 'end' }, `${percent(share)} %`),
      drawing('text', { x: x(share), y: SIDE - BOTTOM + 15, 'text-anchor': 'middle' }, percent(share)),
    )
  }
  const corners = points.map(({ worst, caught }) => `${x(worst)},${y(caught)}`)
  const own = points[scale.own]!
  root.append(
    drawing('text', { x: SIDE - RIGHT, y: SIDE - 6, 'text-anchor': 'end' }, 'alarms in the worst workload, %'),
    drawing('polyline', { class: 'tr-line', points: corners.join(' ') }),
    drawing('circle', { class: 'tr-own', cx: x(own.worst), cy: y(own.caught), r: 4 }),
    drawing('circle', { class: 'tr-chosen', cx: x(chosen.worst), cy: y(chosen.caught), r: 6.5 }),
  )
  const best = points.find(({ worst }) => worst <= BUDGET)!
  return [
    element('h3', {}, 'Caught against disturbed, for every threshold'),
    root,
    element('p', { class: 'hint' }, said, ' The small dot is the detector’s own threshold.'),
    button(`Most sensitive with at most ${percent(BUDGET)} % anywhere`, () => onChoose(best.level)),
  ]
}
