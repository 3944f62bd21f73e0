/** What a line of a file means: from JSON values and table rows to queries. */
import { isUtf8 } from 'node:buffer'
import { hint, isPlainObject, MonitorError, refuse } from '../core/index.ts'
import type { Query } from '../embed/index.ts'

/** How the objects of a file are to be read. */
export interface RecordShape {
  /** The column whose text is the query. */
  readonly column?: string
  /** The column that says who asked. It is no part of the row. */
  readonly clientColumn?: string
  /** Every object is a row, whatever its keys. */
  readonly rows: boolean
}

/** A query whose image, if any, has not been read yet. */
export interface Draft {
  readonly query: Query
  readonly image?: unknown
}

/** Keys of a query and, beside them, those of the reference server's requests (`modality` is not looked at there either). */
const KEYS: Readonly<Record<string, string>> = {
  input: 'input',
  modelOutput: 'modelOutput',
  embedding: 'embedding',
  client: 'client',
  group: 'group',
  id: 'id',
  timeMs: 'timeMs',
  metadata: 'metadata',
  image: 'image',
  input_data: 'input',
  model_output: 'modelOutput',
  client_id: 'client',
  group_id: 'group',
  modality: 'modality',
}

/** The text of a line. Throws `bad_query` unless it is UTF-8. */
export function decodeLine(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new MonitorError('bad_query', 'is not valid UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

/**
 * The query of a line of NDJSON: a text, an object with keys of a query, or else a row. An object that mixes keys of a
 * query with others is refused, since it may be either. A key whose value is null counts as left out.
 */
export function draftOfJson(line: string, shape: RecordShape): Draft {
  const value = parseJson(line)
  if (typeof value === 'string') return { query: { input: value } }
  if (!isPlainObject(value)) refuse('bad_query', 'must be a query object, a row object or a text', value, '')
  const keys = Object.keys(value)
  if (shape.rows || !keys.some((key) => Object.hasOwn(KEYS, key))) return draftOfRow(value, shape)
  const other = keys.find((key) => !Object.hasOwn(KEYS, key))
  if (other === undefined) return draftOfFields(value)
  const remedy = `a row goes as { "input": { … } } or with --rows; ${hint(other, Object.keys(KEYS))}`
  throw new MonitorError('bad_query', `has keys of a query and ${JSON.stringify(other.slice(0, 60))}: ${remedy}`)
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new MonitorError('bad_query', `is not JSON: ${(cause as Error).message}`, '', { cause })
  }
}

function draftOfFields(value: Readonly<Record<string, unknown>>): Draft {
  const fields: Record<string, unknown> = {}
  for (const [key, content] of Object.entries(value)) {
    const name = KEYS[key]!
    if (content === null) continue
    if (Object.hasOwn(fields, name)) throw new MonitorError('bad_query', `is given twice, as '${name}' too`, key)
    fields[name] = content
  }
  const { image, modality: _, ...query } = fields
  if (image === undefined) return { query }
  if (Object.hasOwn(query, 'input')) throw new MonitorError('bad_query', 'must not stand beside an input', 'image')
  return { query, image }
}

/** The query of a row: the text of one column, or the row itself. */
export function draftOfRow(row: Readonly<Record<string, unknown>>, { column, clientColumn }: RecordShape): Draft {
  const who = clientColumn === undefined ? {} : { client: clientOf(cell(row, clientColumn)) }
  if (column !== undefined) return { query: { input: cell(row, column), ...who } }
  const input = Object.fromEntries(Object.entries(row).filter(([name]) => name !== clientColumn))
  return { query: { input, ...who } }
}

function cell(row: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(row, name)) return row[name]
  throw new MonitorError('bad_query', `there is no column ${JSON.stringify(name)}`)
}

function clientOf(value: unknown): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : refuse('bad_query', 'must be a text or a number', value, 'client')
}

/**
 * The row of a CSV record. Cells stay text (the detectors read numbers from it, and a schema may ask for the text); an
 * empty one is null, except in the column that is the query.
 */
export function rowOfFields(header: readonly string[], fields: readonly string[], column?: string) {
  if (fields.length !== header.length) {
    throw new MonitorError('bad_query', `must have ${header.length} fields like the header, got ${fields.length}`)
  }
  return Object.fromEntries(header.map((name, i) => [name, fields[i] === '' && name !== column ? null : fields[i]]))
}

/** The header of a CSV file, which must name each column once and those that are asked for. Throws `bad_config`. */
export function checkHeader(header: readonly string[], { column, clientColumn }: RecordShape): void {
  const twice = header.find((name, i) => header.indexOf(name) !== i)
  if (twice !== undefined)
    throw new MonitorError('bad_config', `the column ${JSON.stringify(twice)} occurs twice`, 'header')
  for (const [option, name] of Object.entries({ '--column': column, '--client-column': clientColumn })) {
    if (name === undefined || header.includes(name)) continue
    throw new MonitorError('bad_config', `the file has no such column; ${hint(name, header)}`, option)
  }
}
