/** Writes the Grafana dashboard anew from its code: `npm run dashboard`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const path = (relative) => fileURLToPath(new URL(`../deploy/grafana/${relative}`, import.meta.url))

const { module } = await runnerImport(path('dashboard.ts'), { configFile: false })
const text = `${JSON.stringify(module.dashboard(), null, 2)}\n`
const target = path('dashboards/monitaur.json')
writeFileSync(target, text)
console.log(`${target}: ${text.length} characters`)
