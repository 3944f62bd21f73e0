/** A table as data, and as Markdown and HTML. */
import type { Share } from '../metrics.ts'

export interface Table {
  readonly title: string
  /** What to know when reading it. */
  readonly note?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => escaped(cellText(cell))).join(' | ')} |`
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(line)].join('\n')
}

export function htmlTable({ columns, rows }: Table): string {
  const head = columns.map((name) => `<th scope="col">${html(name)}</th>`).join('')
  const body = rows.map((row) => {
    const [first = '', ...rest] = row
    const cells = rest.map((cell) => `<td>${html(cellText(cell))}</td>`)
    return `<tr><th scope="row">${html(cellText(first))}</th>${cells.join('')}</tr>`
  })
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`
}

export function html(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function cellText(cell: string | number): string {
  return typeof cell === 'string' ? cell : numberText(cell)
}

/** Three significant digits; a dash for what is not known, and for never. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(3))}`
}

export function percentText(share: number): string {
  return !Number.isFinite(share) ? '–' : `${(100 * share).toFixed(1)} %`
}

/** `3/40 = 7.5 % [1.6, 20.4]` */
export function shareText({ count, of, share, interval }: Share): string {
  if (of === 0) return '–'
  const [low, high] = [interval.low, interval.high].map((end) => (100 * end).toFixed(1))
  return `${count}/${of} = ${percentText(share)} [${low}, ${high}]`
}
