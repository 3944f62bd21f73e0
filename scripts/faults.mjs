/** Runs the tests of faults at full size, then prints what they have found, a row each. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const report = `${root}reports/faults.json`
rmSync(report, { force: true })

const { status } = spawnSync(process.execPath, [`${root}scripts/test.mjs`, 'test/faults', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, MONITAUR_FAULTS: 'full' },
})
if (existsSync(report)) {
  const { rows } = JSON.parse(readFileSync(report, 'utf8'))
  const width = Math.max(...rows.map(({ name }) => name.length))
  console.log()
  for (const { name, value, unit, goal, met } of rows) {
    const judged = met === null ? '' : met ? `  met${goal === undefined ? '' : ` (${goal})`}` : `  NOT MET (${goal})`
    console.log(`${name.padEnd(width)}  ${value}${unit === '' ? '' : ` ${unit}`}${judged}`)
  }
}
process.exit(status ?? 1)
