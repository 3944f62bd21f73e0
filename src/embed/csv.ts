/** One record of a CSV file (RFC 4180). Where a record ends, `readLines` knows. */
import { MonitorError } from '../core/index.ts'

const QUOTE = '"'
const COMMA = ','

/**
 * The fields of a record. A field in quotes may hold commas, ends of line and doubled quotes; a quote inside a field that
 * does not begin with one stands for itself. Throws `bad_query` for a quoted field that is not closed, or goes on after
 * its closing quote.
 */
export function parseRecord(record: string): string[] {
  const fields: string[] = []
  for (let at = 0; ; ) {
    const { field, end } = record[at] === QUOTE ? quotedField(record, at, fields.length) : plainField(record, at)
    fields.push(field)
    if (end === record.length) return fields
    at = end + 1
  }
}

interface Field {
  readonly field: string
  /** The place of the comma behind it, or of the end. */
  readonly end: number
}

function plainField(record: string, start: number): Field {
  const comma = record.indexOf(COMMA, start)
  const end = comma === -1 ? record.length : comma
  return { field: record.slice(start, end), end }
}

function quotedField(record: string, start: number, index: number): Field {
  let field = ''
  let from = start + 1
  for (;;) {
    const quote = record.indexOf(QUOTE, from)
    if (quote === -1) {
      throw new MonitorError('bad_query', `field ${index + 1} is opened by a quote and never closed`)
    }
    field += record.slice(from, quote)
    const next = record[quote + 1]
    if (next === undefined || next === COMMA) return { field, end: quote + 1 }
    if (next !== QUOTE) {
      const remedy = 'write a quote inside a quoted field twice'
      throw new MonitorError('bad_query', `field ${index + 1} goes on after its closing quote; ${remedy}`)
    }
    field += QUOTE
    from = quote + 2
  }
}
