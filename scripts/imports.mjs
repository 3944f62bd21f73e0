/**
 * `npm run test:imports`: the packed package, every door opened in every host; writes `reports/imports.json` and prints the
 * table. `--all` has Next too, which is installed from the registry for it and takes more than a minute.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { all: { type: 'boolean' } } })
const { status } = spawnSync(process.execPath, ['scripts/test.mjs', 'test/pack.test.ts', 'test/imports'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
  env: { ...process.env, ...(values.all && { MONITAUR_IMPORTS: 'all' }) },
})
process.exit(status ?? 1)
