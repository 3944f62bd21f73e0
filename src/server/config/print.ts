/** The configuration in force, as a file that gives the same one again. Secrets are left out. */
import { stringify } from 'yaml'
import type { ModelConfig, ServerConfig } from './config.ts'

/** As YAML, or as JSON. */
export function printConfig(
  { token, log, state, models, ...rest }: ServerConfig,
  { json }: { readonly json: boolean },
): string {
  const { key, ...lines } = log
  const { redis, secret, ...places } = state
  const kept = redis === undefined ? places : { ...places, redis: withoutSecrets(redis) }
  const shown = { ...rest, models: models.map(withFileName), state: kept, log: lines }
  if (json) return `${JSON.stringify(shown, null, 2)}\n`
  const notes = [
    ...(token === undefined ? [] : ['# token: is set, and not shown']),
    ...(key === undefined ? [] : ['# log.key: is set, and not shown']),
    ...(secret === undefined ? [] : ['# state.secret: is set, and not shown']),
    ...(redis === undefined ? [] : ['# state.redis.secret, and a password in its url: are set, and not shown']),
  ]
  return `${[...notes, ''].join('\n')}${stringify(shown)}`
}

function withoutSecrets({ secret: _, url, ...redis }: NonNullable<ServerConfig['state']['redis']>): object {
  const address = new URL(url)
  address.username = ''
  address.password = ''
  return { url: address.href, ...redis }
}

/** A record by the name of its file, if it has one. */
function withFileName({ calibration, calibrationFile, ...model }: ModelConfig): object {
  const shown = calibrationFile ?? calibration
  return shown === undefined ? model : { ...model, calibration: shown }
}
