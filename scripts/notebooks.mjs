/**
 * Runs the notebooks in a Deno kernel, cell by cell, and stores what comes of it: `node scripts/notebooks.mjs [name …]`.
 * `runNotebook` is what the test uses to compare.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startKernel } from './notebooks/kernel.mjs'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'notebooks')

export function notebookNames() {
  return readdirSync(folder).flatMap((file) => (file.endsWith('.ipynb') ? [file.replace('.ipynb', '')] : []))
}

export function readNotebook(name) {
  return JSON.parse(readFileSync(join(folder, `${name}.ipynb`), 'utf8'))
}

/** The notebook as a run from top to bottom leaves it. An error ends the run, and is the last output. */
export async function runNotebook(name) {
  const kernel = await startKernel({ deno: join(root, 'node_modules/.bin/deno'), folder })
  try {
    const notebook = readNotebook(name)
    let count = 0
    for (const cell of notebook.cells.filter(({ cell_type }) => cell_type === 'code')) {
      cell.execution_count = ++count
      cell.outputs = (await kernel.execute(cell.source.join(''))).map(asStored)
      if (cell.outputs.some(({ output_type }) => output_type === 'error')) break
    }
    return notebook
  } finally {
    kernel.stop()
  }
}

/** Texts are lists of lines, as notebooks have them. */
function asStored(output) {
  if (output.output_type === 'stream') return { ...output, text: linesOf(output.text) }
  if (output.data === undefined) return output
  const data = Object.entries(output.data).map(([type, value]) => {
    const isText = typeof value === 'string' && type !== 'image/png'
    return [type, isText ? linesOf(value) : value]
  })
  return { ...output, data: Object.fromEntries(data) }
}

function linesOf(text) {
  return text.split(/(?<=\n)/)
}

if (process.argv[1] === import.meta.filename) {
  const names = process.argv.slice(2)
  for (const name of names.length > 0 ? names : notebookNames()) {
    const notebook = await runNotebook(name)
    writeFileSync(join(folder, `${name}.ipynb`), `${JSON.stringify(notebook, null, 1)}\n`)
    const outputs = notebook.cells.flatMap(({ outputs = [] }) => outputs)
    console.log(`${name}: ${outputs.length} outputs`)
    for (const { ename, evalue, traceback } of outputs.filter(({ output_type }) => output_type === 'error')) {
      console.log(`${ename}: ${evalue}\n${traceback.join('\n')}`)
      process.exitCode = 1
    }
  }
}
