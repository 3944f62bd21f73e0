/** Tables on the terminal, in bench/results and in reports. */
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'

const root = new URL('../../', import.meta.url)

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

export function machine() {
  return `${os.cpus()[0]?.model ?? 'unknown'}, ${os.availableParallelism()} cores, Node ${process.version}`
}

const line = (cells) => `| ${cells.join(' | ')} |`
const toTable = ([head, ...rows]) => [line(head), line(head.map(() => '---')), ...rows.map(line)]

/**
 * @param report `{ name, title, intro, table, rows, isKept }`: `table` begins with its head; kept ones lie in
 *   bench/results, others in reports.
 */
export function writeReport({ name, title, intro, table, rows, isKept }) {
  const date = new Date().toISOString()
  const goals = rows
    .filter(({ goal }) => goal !== undefined)
    .map((row) => [row.name, `${row.value.toFixed(2)} ${row.unit}`, String(row.goal), row.met ? 'yes' : '**no**'])
  const lines = [
    title,
    '',
    `${date.slice(0, 10)} · ${intro[0]}`,
    ...intro.slice(1),
    ...toTable(table),
    '',
    ...toTable([['goal', 'measured', 'wanted', 'met'], ...goals]),
    '',
  ]
  console.log(lines.join('\n'))
  write(`${isKept ? 'bench/results' : 'reports'}/${name}.md`, lines.join('\n'))
  const revision = process.env['GITHUB_SHA'] ?? 'working tree'
  write(`reports/${name}.json`, `${JSON.stringify({ revision, date, machine: machine(), rows }, null, 2)}\n`)
}

/** Writes a file of the repository. */
export function write(path, content) {
  const file = new URL(path, root)
  mkdirSync(new URL('.', file), { recursive: true })
  writeFileSync(file, content)
}
