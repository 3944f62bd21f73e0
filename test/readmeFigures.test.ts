/** The figures of the README's table of detectors are those of the records that it names. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createRegistry } from '../src/core/index.ts'

const root = resolve(import.meta.dirname, '..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const table = /^\| name \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(textOf('README.md'))![1]!
const rows = table
  .trim()
  .split('\n')
  .map((line) => {
    const [name, , record, caught, disturbed] = line.split('|').slice(1, -1)
    return {
      name: name!.replaceAll(/[`…\s]/g, ''),
      record: /\(([^)]+)\)/.exec(record!)?.[1],
      caught: caught!.trim(),
      disturbed: disturbed!.trim(),
    }
  })

/** What the record of pictures calls them. */
const PICTURES = { answer_following: 'answer following', descent_lineage: 'lineage M' } as Record<string, string>

interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The first table of a record below a heading. */
function tableOf(record: string, heading: string): Table {
  const [, below] = textOf(record).split(`## ${heading}\n`)
  const lines = /^\|.*(?:\n\|.*)+/m.exec(below!)![0].split('\n')
  const [columns, , ...others] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('*', '').trim()),
  )
  return { columns: columns!, rows: others }
}

/** The cells of these columns in the row that begins so. */
function cellsOf({ columns, rows: all }: Table, begins: readonly string[], wanted: readonly string[]): string[] {
  const row = all.find((cells) => begins.every((start, i) => cells[i] === start))
  if (row === undefined) throw new Error(`no row begins with ${begins.join(' | ')}`)
  return wanted.map((column) => row[columns.indexOf(column)]!)
}

/** Such as `40/40`, of `kernel_shap: 40/40 = 100.0 % [91.2, 100.0]`. */
const fractionIn = (cell: string) => (cell === 'none of 20' ? '0/20' : /\d+\/\d+/.exec(cell)![0])
const largest = (fractions: readonly string[]) =>
  fractions.toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0]!

function recorded(name: string, record: string): { readonly caught: string; readonly disturbed: string } {
  const words = name.replaceAll('_', ' ')
  if (record.endsWith('cifar10.md')) {
    const column = PICTURES[name]!
    const [caught] = cellsOf(
      tableOf(record, 'Attacks caught in time'),
      ['NES, SimBA, Square together'],
      [`${column}: timely`],
    )
    const honest = tableOf(record, 'Honest clients: sessions with any alarm')
    const at = honest.columns.indexOf(column)
    return { caught: fractionIn(caught!), disturbed: largest(honest.rows.map((cells) => fractionIn(cells[at]!))) }
  }
  if (record.endsWith('cifar10-first.md')) {
    const [caught, ...worst] = cellsOf(
      tableOf(record, 'In short'),
      [words],
      ['timely / successful attacks', 'worst of E', 'worst of D', 'worst of F'],
    )
    return { caught: fractionIn(caught!), disturbed: largest(worst.map(fractionIn)) }
  }
  if (record.endsWith('extraction.md')) {
    const [caught, disturbed] = cellsOf(tableOf(record, 'In short'), ['bets'], ['50 %', 'honest clients with an alarm'])
    return { caught: `${Number(caught)} %`, disturbed: fractionIn(disturbed!) }
  }
  const attack = record.endsWith('banking77.md') ? 'prompt_mutation' : 'tabular_jbda_relu'
  const [worst, count] = cellsOf(
    tableOf(record, 'In short'),
    [/similarity|repetition/.test(name) ? `text ${words}` : words, 'own'],
    ['worst honest workload', attack],
  )
  return { caught: `${count}/20`, disturbed: fractionIn(worst!) }
}

test.each(rows.filter(({ record }) => record !== undefined))('$name: $caught caught, $disturbed disturbed', (row) => {
  expect(recorded(row.name, row.record!)).toEqual({ caught: row.caught, disturbed: row.disturbed })
})

test('every detector has its row', () => {
  const names = createRegistry()
    .listDetectors()
    .map(({ name }) => name.replace(/^(?:image|tabular|text)_/, ''))
  expect(rows.map(({ name }) => name).sort()).toEqual([...new Set(names)].sort())
})
