/** The numbers of a panel in words: what the picture shows, for everybody. */
import { element } from '../elements.ts'
import type { Course, CourseLine } from './course.ts'
import { formatted } from './format.ts'
import { seriesVariable, stepVariable } from './palette.ts'

export interface Words {
  readonly root: HTMLElement
  /** Tells the newest values, or those at the index of a time that is pointed at. */
  tell(pointed?: number): void
}

/** Made for the lines that the course has now. */
export function wordsOf(course: Course): Words {
  if (course.spec.kind === 'heatmap') return sentence(course)
  return course.spec.kind === 'number' ? bigNumbers(course) : legend(course)
}

/** The newest values as a sentence. */
export function inWords(course: Course): string {
  const { spec, title, lines } = course
  if (spec.kind === 'heatmap') return mostCommon(course)
  const parts = lines.map((line) => `${line.name} ${wordFor(course, latest(line))}`)
  return `${title}, latest: ${parts.join(', ')}`
}

function latest({ values }: CourseLine): number | null {
  return values.at(-1) ?? null
}

/** Touches nothing where it is the same: what somebody has selected stays selected. */
function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

function sentence(course: Course): Words {
  const root = element('p', { class: 'op-said' })
  return { root, tell: () => setText(root, mostCommon(course)) }
}

function mostCommon({ lines }: Course): string {
  const counts = lines.map((line) => latest(line) ?? 0)
  const most = Math.max(0, ...counts)
  if (most === 0) return 'No scores in the last seconds.'
  const at = counts.indexOf(most)
  const below = at === 0 ? 'at most' : `between ${lines[at - 1]!.name} and`
  return `Most scores of the last seconds: ${below} ${lines[at]!.name}.`
}

function wordFor({ spec }: Course, value: number | null): string {
  const words = spec.kind === 'number' ? spec.words : undefined
  return (value === null ? undefined : words?.[value]) ?? formatted(value, spec.unit)
}

function bigNumbers(course: Course): Words {
  const { spec, lines } = course
  const { steps, lines: asked = [] } = spec.kind === 'number' ? spec : {}
  const isNamed = asked.some(([legend]) => legend.includes('{{')) // as in Grafana
  const shown = lines.map((line) => ({ line, big: element('strong', { class: 'op-big' }) }))
  const parts = shown.map(({ line, big }) => element('span', {}, big, isNamed ? ` ${line.name}` : null))
  return {
    root: element('p', { class: 'op-said' }, ...parts),
    tell() {
      for (const { line, big } of shown) {
        const value = latest(line)
        setText(big, wordFor(course, value))
        big.style.setProperty('--op-colour', `var(${stepVariable(value, steps)})`)
      }
    },
  }
}

/** The series with their newest and largest values. */
function legend({ spec, lines }: Course): Words {
  const when = element('th', { scope: 'col' })
  const rows = lines.map((line, index) => {
    const swatch = element('span', { class: line.isLimit ? 'op-swatch op-dashed' : 'op-swatch', 'aria-hidden': 'true' })
    const named = spec.kind === 'graph' ? spec.colours?.[line.name] : undefined
    swatch.style.setProperty('--op-colour', `var(${seriesVariable(index, named)})`)
    const [now, most] = [element('td'), element('td')]
    const row = element('tr', {}, element('th', { scope: 'row' }, swatch, line.name), now, most)
    return { line, now, most, row }
  })
  const head = element(
    'tr',
    {},
    element('th', { scope: 'col' }, 'series'),
    when,
    element('th', { scope: 'col' }, 'max'),
  )
  return {
    root: element(
      'table',
      { class: 'op-legend' },
      element('thead', {}, head),
      element('tbody', {}, ...rows.map(({ row }) => row)),
    ),
    tell(pointed) {
      setText(when, pointed === undefined ? 'last' : 'there')
      for (const { line, now, most } of rows) {
        setText(now, formatted(pointed === undefined ? latest(line) : line.values[pointed], spec.unit))
        const known = line.values.filter((value) => value !== null)
        setText(most, known.length === 0 ? '–' : formatted(Math.max(...known), spec.unit))
      }
    },
  }
}
