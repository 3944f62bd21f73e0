/** The sessions of the attack, one line each: when the alarm came, and when the attack succeeded. */
import { drawing, element } from '../elements.ts'
import type { Figures, Race } from './figures.ts'

const WIDTH = 420
const LINE = 13
const [LEFT, RIGHT, TOP, BOTTOM] = [8, 16, 8, 34]

/** Heading, drawing and its key. */
export function raceChart({ races, caught }: Figures, budget: number): Element[] {
  const height = TOP + BOTTOM + LINE * races.length
  const x = (query: number) => LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(query)) / Math.log(budget)
  const late = races.filter(({ isCaught, alarm }) => !isCaught && alarm < Infinity).length
  const never = races.filter(({ alarm }) => alarm === Infinity).length
  const label = `Of ${races.length} attacks ${caught.count} are caught in time, ${late} too late, ${never} never.`
  const root = drawing('svg', {
    class: 'tr-races',
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: 'img',
    'aria-label': label,
  })
  for (const query of ticks(budget)) {
    root.append(
      drawing('line', { class: 'tr-grid', x1: x(query), x2: x(query), y1: TOP, y2: height - BOTTOM }),
      drawing('text', { x: x(query), y: height - BOTTOM + 14, 'text-anchor': 'middle' }, String(query)),
    )
  }
  root.append(drawing('text', { x: WIDTH - RIGHT, y: height - 4, 'text-anchor': 'end' }, 'query, on a log scale'))
  for (const [i, race] of races.entries()) root.append(...line(race, { x, y: TOP + LINE * (i + 0.5), budget }))
  return [
    element('h3', {}, 'Each attack: alarm and success'),
    root,
    element(
      'p',
      { class: 'hint tr-key' },
      mark('tr-alarm', '●'),
      'alarm in time ',
      mark('tr-late', '○'),
      'alarm too late ',
      mark('tr-success', '✕'),
      'the attack succeeds',
    ),
    element('p', { class: 'hint' }, label),
  ]
}

function mark(name: string, sign: string): HTMLElement {
  return element('span', { class: name, 'aria-hidden': 'true' }, `${sign} `)
}

interface Place {
  readonly x: (query: number) => number
  readonly y: number
  readonly budget: number
}

function line({ alarm, success, isCaught }: Race, { x, y, budget }: Place): SVGElement[] {
  const end = x(Math.min(success, budget))
  const parts: SVGElement[] = [drawing('line', { class: 'tr-course', x1: LEFT, x2: end, y1: y, y2: y })]
  if (alarm < Infinity) {
    if (isCaught) parts.push(drawing('line', { class: 'tr-saved', x1: x(alarm), x2: end, y1: y, y2: y }))
    parts.push(drawing('circle', { class: isCaught ? 'tr-alarm' : 'tr-late', cx: x(alarm), cy: y, r: 4.5 }))
  }
  if (success < Infinity) {
    const arm = 4
    const d = `M${end - arm},${y - arm}l${2 * arm},${2 * arm}m0,${-2 * arm}l${-2 * arm},${2 * arm}`
    parts.push(drawing('path', { class: 'tr-success', d }))
  }
  return parts
}

function ticks(budget: number): number[] {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((query) => query <= budget)
}
