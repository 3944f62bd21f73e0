/** The notebooks, cell by cell in a Deno kernel: the same outputs as those that are stored, and no error. */
import { describe, expect, test } from 'vitest'
import { notebookNames, readNotebook, runNotebook } from '../scripts/notebooks.mjs'

describe.each(notebookNames().map((name) => [name]))('the notebook %s', (name) => {
  const stored = readNotebook(name)
  const outputs = stored.cells.flatMap((cell) => cell.outputs ?? [])

  test('gives the outputs that are stored', { timeout: 180_000 }, async () => {
    const { cells } = await runNotebook(name)
    for (const [i, cell] of cells.entries()) {
      expect(cell.outputs, `cell ${i + 1}; if that is right, 'node scripts/notebooks.mjs ${name}' stores it`).toEqual(
        stored.cells[i]!.outputs,
      )
    }
    expect(cells).toEqual(stored.cells)
  })

  test('has results and a plot, and no error', () => {
    expect(outputs.filter(({ output_type }) => output_type === 'error')).toEqual([])
    expect(outputs.some(({ output_type }) => output_type === 'stream')).toBe(true)
    expect(outputs.some(({ data }) => data !== undefined && 'image/svg+xml' in data)).toBe(true)
  })
})
