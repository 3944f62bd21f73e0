/**
 * Runs Vitest, then prints the tables of the runtimes and of the imports where they were tested, names every skipped test
 * and counts, so that nothing is left out quietly.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const report = `${root}reports/tests.json`
mkdirSync(`${root}reports`, { recursive: true })
const tables = ['runtimes', 'imports'].map((name) => `${root}reports/${name}.txt`)
for (const file of [report, ...tables]) rmSync(file, { force: true })

const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, ...args], {
  cwd: root,
  stdio: 'inherit',
})
if (!existsSync(report)) {
  console.log('\nThe tests did not run to their end.')
  process.exit(status === 0 ? 1 : (status ?? 1))
}

const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
const skipped = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ fullName }) => `${name.slice(root.length)}: ${fullName}`),
)
for (const table of tables) if (existsSync(table)) console.log(`\n${readFileSync(table, 'utf8')}`)
if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((name) => `  ${name}`).join('\n')}`)
console.log(`\n${numPassedTests} passed, ${numFailedTests} failed, ${skipped.length} skipped`)
process.exit(status ?? 1)
