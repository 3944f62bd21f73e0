/** The Grafana dashboard: made from code, committed, and printed by `monitaur dashboard`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { dashboard } from '../deploy/grafana/dashboard.ts'
import { type DashboardPanel, readDashboard } from './tools/promql.ts'
import { runCli } from './tools/serverCli.ts'

const file = readFileSync(new URL('../deploy/grafana/dashboards/monitaur.json', import.meta.url), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-dashboard-'))
afterAll(() => rmSync(folder, { recursive: true }))

const { panels, templating } = readDashboard()
const shown = panels.filter(({ type }) => type !== 'row')

describe('the committed file', () => {
  test('is what the code makes; if not: npm run dashboard', () => {
    expect(file).toBe(`${JSON.stringify(dashboard(), null, 2)}\n`)
  })

  test('every panel has a title of its own, a description that says how to read it, and a unit', () => {
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length)
    for (const { title, description, fieldConfig } of shown) {
      expect(description?.length, title).toBeGreaterThan(40)
      expect(fieldConfig?.defaults.unit, title).toBeTruthy()
    }
  })

  test('panels have numbers of their own, lie inside the 24 columns, and on nothing else', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Map<string, string>()
    for (const panel of panels) {
      for (const cell of cellsOf(panel)) {
        expect(taken.get(cell), `${panel.title} at ${cell}`).toBeUndefined()
        taken.set(cell, panel.title)
      }
    }
  })

  test('asks the data source that is chosen, and nothing but variables that are there', () => {
    const known = templating.list.map(({ name }) => name)
    expect(known).toEqual(['datasource', 'job', 'instance', 'model', 'detector', 'unit'])
    const used = [...file.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!)
    const unknown = used.filter(
      (name) => !known.includes(name) && !['__rate_interval', '__range', '__all'].includes(name),
    )
    expect(unknown).toEqual([])
    expect(
      [...file.matchAll(/"uid": "([^"]+)"/g)].map(([, uid]) => uid).filter((uid) => uid !== '$datasource'),
    ).toEqual(['monitaur'])
  })
})

function cellsOf({ title, gridPos: { x, y, w, h } }: DashboardPanel): string[] {
  expect(x + w, title).toBeLessThanOrEqual(24)
  return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`)
}

describe('monitaur dashboard', () => {
  test('prints the committed file', async () => {
    expect(await runCli(['dashboard'])).toEqual({ code: 0, out: file, err: '' })
  })

  test('--output writes it, over what was there, and prints nothing', async () => {
    const path = join(folder, 'board.json')
    for (let i = 0; i < 2; i++) {
      expect(await runCli(['dashboard', '--output', path])).toEqual({ code: 0, out: '', err: '' })
      expect(readFileSync(path, 'utf8')).toBe(file)
    }
  })

  test('--help names the options and the exit codes', async () => {
    const { code, out } = await runCli(['dashboard', '--help'])
    expect(code).toBe(0)
    expect(out).toMatch(/^usage: monitaur dashboard [\s\S]*--output FILE[\s\S]*exit codes: 0 done · 1 /)
  })

  test.each([
    [['dashboard', 'board.json'], 'did you mean --output board.json?'],
    [['dashboard', '--outptu', 'x'], "did you mean '--output'?"],
    [['dashboard', '--output', join(folder, 'no', 'board.json')], 'cannot be written: no such file'],
  ])('%j is refused with exit code 1 and a remedy', async (argv, message) => {
    const { code, out, err } = await runCli(argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
  })
})
