/** The three inputs and the tabs in front of them. */
import type { Row } from '../src/core/index.ts'
import { KINDS, type Kind } from './config.ts'
import { button, byId } from './elements.ts'
import { ROWS, SENTENCES } from './samples/words.ts'
import type { Item } from './session.ts'

/** Hands a query on. */
export type Send = (query: Pick<Item, 'kind' | 'input' | 'excerpt'>) => void

/** Tabs after the ARIA pattern: arrow keys move, the tab key leaves. Gives what selects one from outside. */
export function setUpTabs(): (kind: Kind) => void {
  const tabs = KINDS.map((kind) => byId(`tab-${kind}`))
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener('click', () => select(KINDS[i]!))
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
      const next = { Home: 0, End: tabs.length - 1 }[event.key] ?? (step === undefined ? undefined : i + step)
      if (next === undefined) return
      event.preventDefault()
      const place = (next + tabs.length) % tabs.length
      select(KINDS[place]!)
      tabs[place]!.focus()
    })
  }
  return select

  function select(kind: Kind): void {
    for (const [i, tab] of tabs.entries()) {
      const isIt = KINDS[i] === kind
      tab.setAttribute('aria-selected', String(isIt))
      tab.tabIndex = isIt ? 0 : -1
      byId(`panel-${KINDS[i]}`).hidden = !isIt
    }
  }
}

/** The text box: Enter sends, and the text stays, so that one letter of it can be changed. */
export function setUpText(send: Send): void {
  const box = byId<HTMLTextAreaElement>('text')
  byId('text-form').addEventListener('submit', (event) => {
    event.preventDefault()
    sendText()
  })
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    sendText()
  })
  for (const [i, { label, text }] of SENTENCES.entries()) {
    const choose = () => {
      box.value = text
      sendText()
    }
    byId('sentences').append(button(label, choose, { title: text, 'data-testid': `sentence-${i}` }))
  }

  function sendText(): void {
    send(textQuery(box.value))
    box.focus()
  }
}

export function textQuery(text: string): Parameters<Send>[0] {
  return { kind: 'text', input: text, excerpt: text.length > 240 ? `${text.slice(0, 240)}…` : text }
}

/** The form of a row. An empty field is an empty cell. */
export function setUpRow(send: Send): void {
  const form = byId<HTMLFormElement>('row-form')
  let nudges = 0
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    send(rowQuery(readRow(form)))
  })
  byId('nudge').addEventListener('click', () => {
    writeRow(form, nudged(readRow(form), nudges++))
    send(rowQuery(readRow(form)))
  })
  for (const [i, { label, row }] of ROWS.entries()) {
    const choose = () => {
      writeRow(form, row)
      send(rowQuery(row))
    }
    byId('rows').append(button(label, choose, { 'data-testid': `row-${i}` }))
  }
}

export function rowQuery(row: Row): Parameters<Send>[0] {
  const cells = Object.entries(row).map(([name, cell]) => `${name}: ${cell === null ? 'empty' : cell}`)
  return { kind: 'tabular', input: row, excerpt: cells.join(' · ') }
}

/** The row with one of its numbers up by about a hundredth: each time the next one. */
export function nudged(row: Row, turn: number): Row {
  const columns = Object.keys(row).filter((name) => typeof row[name] === 'number')
  const column = columns[(turn + 1) % Math.max(1, columns.length)]
  if (column === undefined) return row
  const value = row[column] as number
  return { ...row, [column]: Math.round((value * 1.01 + (value === 0 ? 1 : 0)) * 10) / 10 }
}

function fieldsOf(form: HTMLFormElement): HTMLInputElement[] {
  return [...form.querySelectorAll('input')]
}

function readRow(form: HTMLFormElement): Row {
  return Object.fromEntries(fieldsOf(form).map((field) => [field.name, cellOf(field)]))
}

function cellOf({ type, value, checked, valueAsNumber }: HTMLInputElement): Row[string] {
  if (type === 'checkbox') return checked
  if (value === '') return null
  return type === 'number' ? valueAsNumber : value
}

function writeRow(form: HTMLFormElement, row: Row): void {
  for (const field of fieldsOf(form)) {
    const cell = row[field.name] ?? null
    if (field.type === 'checkbox') field.checked = cell === true
    else field.value = cell === null ? '' : String(cell)
  }
}
