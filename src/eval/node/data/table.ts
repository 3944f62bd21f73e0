/** Texts and rows with their labels from a CSV file. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { hint, MonitorError, type Row } from '../../../core/index.ts'
import { parseRecord } from '../../../embed/index.ts'
import { hashOf } from '../files.ts'
import { type Dataset, NO_SHAPE } from './dataset.ts'

export interface TableOptions {
  /** The column whose text is the input. Default: none, and the input is the row without its label. */
  readonly column?: string
  /** Default: the last column. */
  readonly labelColumn?: string
  /** Names of the classes in the order of the model. Default: the labels are numbers, else names in alphabetical order. */
  readonly classes?: readonly string[]
}

/** A CSV file as it is: the columns' names, and the fields of each record. Throws `bad_config`. */
export function readCsv(path: string): { readonly header: string[]; readonly records: string[][] } {
  const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '')
  try {
    const [header, ...records] = recordsOf(text).map(parseRecord)
    if (header === undefined || records.length === 0) {
      throw new MonitorError('bad_config', 'must have a header and at least one record')
    }
    const odd = records.findIndex(({ length }) => length !== header.length)
    if (odd === -1) return { header, records }
    const message = `record ${odd + 1} must have ${header.length} fields like the header, got ${records[odd]!.length}`
    throw new MonitorError('bad_config', message)
  } catch (cause) {
    throw new MonitorError('bad_config', (cause as Error).message, path, { cause })
  }
}

/** The records of a text: an end of line inside quotes ends none, and blank lines are none. */
function recordsOf(text: string): string[] {
  const records: string[] = []
  let [from, isQuoted] = [0, false]
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted
    if (at < text.length && (text[at] !== '\n' || isQuoted)) continue
    const record = text.slice(from, at).replace(/\r$/, '')
    if (record !== '') records.push(record)
    from = at + 1
  }
  return records
}

/** Throws `bad_config`. */
export function readTable(path: string, options: TableOptions): Dataset<'text'> | Dataset<'tabular'> {
  const { header, records } = readCsv(path)
  const { column, labelColumn = header.at(-1)! } = options
  const labelAt = placeOf(labelColumn, header, '--label-column')
  const labels = labelsOf(
    records.map((record) => record[labelAt]!),
    options.classes,
    path,
  )
  const common = { name: basename(path), shape: NO_SHAPE, hash: hashOf(readFileSync(path), JSON.stringify(options)) }
  if (column !== undefined) {
    const at = placeOf(column, header, '--column')
    const items = records.map((record, i) => ({ input: record[at]!, label: labels[i]! }))
    return { ...common, kind: 'text', items }
  }
  const rows = rowsOf(header, records, labelAt)
  return { ...common, kind: 'tabular', items: rows.map((input, i) => ({ input, label: labels[i]! })) }
}

function placeOf(name: string, header: readonly string[], option: string): number {
  const at = header.indexOf(name)
  if (at !== -1) return at
  throw new MonitorError('bad_config', `the file has no column '${name.slice(0, 60)}'; ${hint(name, header)}`, option)
}

function labelsOf(names: readonly string[], classes: readonly string[] | undefined, path: string): number[] {
  if (classes === undefined && names.every((name) => /^\d+$/.test(name))) return names.map(Number)
  const order = classes ?? [...new Set(names)].sort((a, b) => (a < b ? -1 : 1))
  return names.map((name) => {
    const label = order.indexOf(name)
    if (label !== -1) return label
    throw new MonitorError('bad_config', `the label '${name.slice(0, 60)}' is none of the classes`, path)
  })
}

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** A column is of numbers if every cell that is not empty is one. An empty cell is null. */
function rowsOf(header: readonly string[], records: readonly string[][], labelAt: number): Row[] {
  const isNumber = header.map((_, k) => records.every((record) => record[k] === '' || NUMBER.test(record[k]!)))
  return records.map((record) =>
    Object.fromEntries(
      header.flatMap((name, k) => {
        if (k === labelAt) return []
        const cell = record[k]!
        return [[name, cell === '' ? null : isNumber[k] ? Number(cell) : cell]]
      }),
    ),
  )
}
