/** The configuration in force, as a file that gives the same one again. Secrets are left out. */
import { stringify } from 'yaml'
import type { ServerConfig } from './config.ts'

/** As YAML, or as JSON. */
export function printConfig({ token, log, ...rest }: ServerConfig, { json }: { readonly json: boolean }): string {
  const { key, ...lines } = log
  const shown = { ...rest, log: lines }
  if (json) return `${JSON.stringify(shown, null, 2)}\n`
  const notes = [
    ...(token === undefined ? [] : ['# token: is set, and not shown']),
    ...(key === undefined ? [] : ['# log.key: is set, and not shown']),
  ]
  return `${[...notes, ''].join('\n')}${stringify(shown)}`
}
