/** Mixed traffic in four hosts at the same time, for an hour: nothing is lost, wrong or unhandled, and memory is flat. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { IS_FULL, runsOf } from './tools/size.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const SECONDS = runsOf(12, 3600)

test(`server, worker, workerd and Deno: ${SECONDS} seconds`, { timeout: 1000 * (120 + 2 * SECONDS) }, async () => {
  const how = ['--minutes', String(SECONDS / 60), '--reports']
  // Ends with 1 if a query was lost or an answer wrong, or anything failed unheard.
  await run(process.execPath, ['bench/soak.mjs', ...how], { cwd: root, maxBuffer: 2 ** 26 })
  const { rows } = JSON.parse(readFileSync(`${root}reports/soak-hosts.json`, 'utf8')) as { rows: Row[] }
  expect(rows.length).toBeGreaterThan(16)
  // In seconds memory grows everywhere: the code has just been compiled.
  const judged = IS_FULL ? rows : rows.filter(({ name }) => !name.includes('memory'))
  expect(judged.filter(({ met }) => !met)).toEqual([])
})

interface Row {
  readonly name: string
  readonly value: number
  readonly met: boolean
}
