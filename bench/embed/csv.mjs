/** Reads CSV files of the data folder (RFC 4180: quotes, doubled quotes, line ends inside quotes). */
import { readFileSync } from 'node:fs'
import { dataFile } from './datasets.mjs'

/** The records of a file as objects, column name to text. */
export function readTable(path) {
  const [names, ...records] = parse(readFileSync(dataFile(path), 'utf8'))
  return records.map((fields) => Object.fromEntries(names.map((name, i) => [name, fields[i] ?? ''])))
}

function parse(text) {
  const records = []
  let fields = []
  let at = 0
  while (at < text.length) {
    const { field, end } = text[at] === '"' ? quoted(text, at) : plain(text, at)
    fields.push(field)
    at = end + 1
    if (text[end] === ',') continue
    if (text[end] === '\r') at++
    records.push(fields)
    fields = []
  }
  return records
}

function plain(text, start) {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end++
  return { field: text.slice(start, end), end }
}

function quoted(text, start) {
  let end = start + 1
  while (end < text.length && (text[end] !== '"' || text[end + 1] === '"')) end += text[end] === '"' ? 2 : 1
  return { field: text.slice(start + 1, end).replaceAll('""', '"'), end: end + 1 }
}
