/** Real tables, and small changes to their rows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from '../../src/core/types.ts'
import { dataDir, hasData } from './data.ts'

/** The rows of a table of the data folder, every cell as text; none where the file is missing. Their cells have no quotes. */
export function tableOf(name: string): Record<string, string>[] {
  const file = `tabular/${name}.csv`
  if (!hasData(file)) return []
  const [head = '', ...lines] = readFileSync(join(dataDir(), file), 'utf8').trim().split(/\r?\n/)
  const names = head.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((column, i) => [column, cells[i]!]))
  })
}

/** The columns whose cells are all numbers, and the unit of the last decimal place that any cell has. */
export function unitsOf(rows: readonly Readonly<Record<string, string>>[], without?: string): Map<string, number> {
  const units = new Map<string, number>()
  for (const name of Object.keys(rows[0] ?? {})) {
    const isNumber = rows.every((row) => row[name] !== '' && Number.isFinite(Number(row[name])))
    if (!isNumber || name === without) continue
    const places = Math.max(...rows.map((row) => row[name]!.split('.')[1]?.length ?? 0))
    units.set(name, 10 ** -places)
  }
  return units
}

/** A copy with one number of the row, chosen at random, moved by 1 … 5 % or by one unit, up or down. */
export function nudged(row: Row, units: ReadonlyMap<string, number>, next: () => number): Row {
  const names = [...units.keys()]
  const name = names[Math.floor(next() * names.length)]!
  const value = Number(row[name])
  const sign = next() < 0.5 ? -1 : 1
  const byShare = next() < 0.5 && value !== 0
  const change = byShare ? Math.abs(value) * (0.01 + 0.04 * next()) : units.get(name)!
  return { ...row, [name]: value + sign * change }
}
