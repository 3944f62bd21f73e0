/** The ten lines that watch a visitor's own model as the page watches its one. */
import type { MonitorConfig } from '../../src/embed/index.ts'

/** A module with the detectors and the policy in force; `model` and `report` are the visitor's own. */
export function exampleFor({ detectors, policy = { mode: 'enforce' } }: MonitorConfig): string {
  return `import { createMonitor, monitorModel } from 'monitaur'

const monitor = createMonitor({
  detectors: ${literal(detectors)},
  policy: ${literal(policy)},
})
export const watched = monitorModel(model, monitor, {
  client: (input, user) => user, // your name for who asks
  onVerdict: (verdict) => verdict.suspicious && report(verdict),
})
`
}

/** Plain data on one line, as it is written by hand. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, one]) => one !== undefined && typeof one !== 'function')
  const named = fields.map(([key, one]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : literal(key)}: ${literal(one)}`)
  return named.length === 0 ? '{}' : `{ ${named.join(', ')} }`
}
