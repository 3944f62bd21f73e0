/** The three inputs and the tabs in front of them. */
import type { Row } from '../src/core/index.ts'
import { KINDS, type Kind } from './config.ts'
import { button, byId } from './elements.ts'
import { ROWS, SENTENCES } from './samples/words.ts'
import type { Draft } from './session.ts'

/** Hands a query on. */
export type Send = (query: Draft) => void

/** Shows what would become of a query that is being put together; undefined: there is none. */
export type Preview = (kind: Kind, draft: Draft | undefined) => void

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
export function setUpText(send: Send, preview: Preview): void {
  const box = byId<HTMLTextAreaElement>('text')
  box.addEventListener('input', () => preview('text', box.value.trim() === '' ? undefined : textQuery(box.value)))
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
    preview('text', undefined)
    send(textQuery(box.value))
    box.focus()
  }
}

export function textQuery(text: string): Draft {
  return { kind: 'text', input: text, excerpt: text.length > 240 ? `${text.slice(0, 240)}…` : text }
}

/** The form of a row. An empty field is an empty cell; a slider stands for the number beside it. */
export function setUpRow(send: Send, preview: Preview): void {
  const form = byId<HTMLFormElement>('row-form')
  let nudges = 0
  const sendRow = () => {
    preview('tabular', undefined)
    send(rowQuery(readRow(form)))
  }
  form.addEventListener('input', ({ target }) => {
    const { type, name, value, dataset } = target as HTMLInputElement
    if (type === 'range') fieldOf(form, dataset['of']!).value = value
    else if (type === 'number') moveSlider(form, name)
    preview('tabular', rowQuery(readRow(form)))
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    sendRow()
  })
  byId('nudge').addEventListener('click', () => {
    writeRow(form, nudged(readRow(form), nudges++))
    sendRow()
  })
  for (const [i, { label, row }] of ROWS.entries()) {
    const choose = () => {
      writeRow(form, row)
      sendRow()
    }
    byId('rows').append(button(label, choose, { 'data-testid': `row-${i}` }))
  }
}

export function rowQuery(row: Row): Draft {
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
  return [...form.querySelectorAll<HTMLInputElement>('input[name]')]
}

function fieldOf(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.querySelector<HTMLInputElement>(`input[name="${name}"]`)!
}

/** To the number of its column, or as near to it as it goes. */
function moveSlider(form: HTMLFormElement, name: string): void {
  const slider = form.querySelector<HTMLInputElement>(`input[data-of="${name}"]`)
  const { value } = fieldOf(form, name)
  if (slider !== null && value !== '') slider.value = value
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
    moveSlider(form, field.name)
  }
}
