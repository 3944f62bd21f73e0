/** What the test of the backends (test/runtime/backends) left in `reports/backends.json`: our network elsewhere. */
import { existsSync, readFileSync } from 'node:fs'

const FILE = new URL('../../reports/backends.json', import.meta.url)

/** Rows `{ backend, ms?, difference? }`; none where the test has not run. */
export function readBackends() {
  return existsSync(FILE) ? toBackends(JSON.parse(readFileSync(FILE, 'utf8')).rows) : []
}

/** From rows in the common form, whose names are a backend, a colon, and what was measured; others are passed over. */
export function toBackends(rows) {
  const backends = new Map()
  for (const { name, value } of rows) {
    const [, backend, what] = /^(.*): (ms a picture|largest difference of a number)$/.exec(name) ?? []
    if (backend === undefined) continue
    const found = backends.get(backend) ?? { backend }
    backends.set(backend, { ...found, [what === 'ms a picture' ? 'ms' : 'difference']: value })
  }
  return [...backends.values()]
}
