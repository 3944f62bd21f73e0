/** The configuration in force, as a file that gives the same one again. Secrets are left out. */
import { stringify } from 'yaml'
import type { ModelConfig, ServerConfig } from './config.ts'

/** As YAML, or as JSON. */
export function printConfig(
  { token, log, models, ...rest }: ServerConfig,
  { json }: { readonly json: boolean },
): string {
  const { key, ...lines } = log
  const shown = { ...rest, models: models.map(withFileName), log: lines }
  if (json) return `${JSON.stringify(shown, null, 2)}\n`
  const notes = [
    ...(token === undefined ? [] : ['# token: is set, and not shown']),
    ...(key === undefined ? [] : ['# log.key: is set, and not shown']),
  ]
  return `${[...notes, ''].join('\n')}${stringify(shown)}`
}

/** A record by the name of its file, if it has one. */
function withFileName({ calibration, calibrationFile, ...model }: ModelConfig): object {
  const shown = calibrationFile ?? calibration
  return shown === undefined ? model : { ...model, calibration: shown }
}
