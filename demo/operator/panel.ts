/** One panel of the dashboard: heading, picture, and the same numbers in words. */
import { element } from '../elements.ts'
import type { Course } from './course.ts'
import { unitName } from './format.ts'
import { inWords, type Words, wordsOf } from './legend.ts'
import { type Plot, plotOf } from './plot.ts'

export interface PanelView {
  readonly course: Course
  readonly root: HTMLElement
  /** Tells what the course holds now, in words; draws it too where it can be seen. */
  update(isSeen: boolean): void
  /** Takes the width of its place. */
  fit(): void
}

let count = 0

/** The element of a panel; it stays empty until the first update. */
export function panelOf(course: Course): PanelView {
  const { spec, title } = course
  const id = `op-panel-${++count}`
  const unit = spec.kind === 'number' ? '' : unitName(spec.unit)
  const about = element(
    'details',
    { class: 'op-about' },
    element('summary', { 'aria-label': `How to read ${title}` }, element('span', { 'aria-hidden': 'true' }, 'i')),
    element('p', {}, spec.description),
  )
  const heading = element('h4', { id }, title, unit === '' ? null : element('span', { class: 'op-unit' }, ` ${unit}`))
  const body = element('div', { class: 'op-body' })
  const root = element(
    'figure',
    { class: `op-panel op-${spec.kind}`, 'aria-labelledby': id },
    element('figcaption', {}, heading, about),
    body,
  )
  root.style.setProperty('--op-columns', String(spec.width))
  const content = spec.kind === 'table' ? tableOf(course) : chartOf(course)
  const none = element('p', { class: 'op-none' }, reasonFor(course))
  return {
    course,
    root,
    update(isSeen) {
      root.classList.toggle('op-empty', !course.hasData)
      if (!course.hasData) return body.replaceChildren(none)
      if (content.root.parentNode !== body) body.replaceChildren(content.root)
      content.update(isSeen)
    },
    fit: () => content.fit(),
  }
}

interface Content {
  readonly root: HTMLElement
  update(isSeen: boolean): void
  fit(): void
}

/** Why a panel has nothing to show in a page. */
function reasonFor({ spec }: Course): string {
  const asked = 'lines' in spec ? spec.lines.map(([, expression]) => expression).join() : spec.expression
  if (/\b(?:http_requests?_|process_|nodejs_)/.test(asked)) return 'No data: measured where a server runs.'
  if (asked.includes('calibration')) return 'No data: nothing is calibrated here.'
  return 'No data yet.'
}

function chartOf(course: Course): Content {
  const place = element('div', { class: 'op-plot', role: 'img' })
  const root = element('div')
  let plot: Plot | undefined
  let words: Words | undefined
  let toldLines = 0
  let drawnLines = 0

  return {
    root,
    update(isSeen) {
      if (words === undefined || toldLines !== course.lines.length) tellAnew()
      if (isSeen) draw()
      place.setAttribute('aria-label', inWords(course))
      words!.tell()
    },
    fit: () => plot?.fit(),
  }

  /** Series have come: other words. */
  function tellAnew(): void {
    words = wordsOf(course)
    root.replaceChildren(...(course.spec.kind === 'number' ? [words.root, place] : [place, words.root]))
    toldLines = course.lines.length
  }

  /** Series have come, or it has not been seen yet: another plot. */
  function draw(): void {
    if (plot !== undefined && drawnLines === course.lines.length) {
      plot.draw()
      return
    }
    plot?.destroy()
    plot = plotOf(course, place, (index) => words!.tell(index))
    drawnLines = course.lines.length
  }
}

function tableOf(course: Course): Content {
  const columns = course.spec.kind === 'table' ? Object.values(course.spec.columns) : []
  const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)))
  const body = element('tbody')
  const table = element('table', { class: 'op-table' }, element('thead', {}, head), body)
  let shown = ''
  return {
    root: table,
    update() {
      const text = JSON.stringify(course.rows)
      if (text === shown) return
      shown = text
      body.replaceChildren(
        ...course.rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, cell)))),
      )
    },
    fit: () => {},
  }
}
