/** Where the configuration comes from: a file, then the environment over it, then the command line over both. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { hint, isMonitorError, isPlainObject, MonitorError, refuse } from '../../core/index.ts'
import { reasonOf } from '../reason.ts'
import { checkConfig, type ServerConfig, type ServerConfigInput } from './config.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What the command line says. */
export interface Overrides {
  readonly file?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly tokenFile?: string | undefined
  readonly state?: string | undefined
  readonly journal?: string | undefined
  readonly redis?: string | undefined
  /** In place of the file's detectors, for one model. */
  readonly detectors?: ServerConfigInput['detectors'] | undefined
  readonly mode?: 'observe' | 'enforce' | undefined
  /** Leaves calibrations out: they are about to be made. */
  readonly withoutCalibration?: boolean
}

const PREFIX = 'MONITAUR_'

/** The variables that are read, and what each is for. */
export const VARIABLES: Readonly<Record<string, string>> = {
  MONITAUR_CONFIG: 'the file, as --config',
  MONITAUR_HOST: 'as --host',
  MONITAUR_PORT: 'as --port',
  MONITAUR_TOKEN: "the operator's token",
  MONITAUR_TOKEN_FILE: 'as --token-file',
  MONITAUR_CORS: 'origins, separated by commas',
  MONITAUR_MODE: 'observe or enforce, for every model',
  MONITAUR_STATE: 'as --state; left alone where a journal or Redis is named',
  MONITAUR_JOURNAL: 'as --journal',
  MONITAUR_STATE_SECRET: 'what the state or the journal is sealed with, at least 16 characters',
  MONITAUR_STATE_SECRET_FILE: 'the file that it stands in',
  MONITAUR_REDIS: 'as --redis',
  MONITAUR_REDIS_SECRET: 'what the log in Redis is sealed with, at least 16 characters',
  MONITAUR_REDIS_SECRET_FILE: 'the file that it stands in',
  MONITAUR_LOG: 'decisions that get a line: all, suspicious or none',
  MONITAUR_LOG_KEY: 'key of the hash that stands for a client in the log',
  MONITAUR_OTLP_URL: 'where metrics are pushed to',
}

/** The complete configuration. Throws `bad_config`. */
export async function loadConfig(overrides: Overrides, env: Env): Promise<ServerConfig> {
  const file = overrides.file ?? env['MONITAUR_CONFIG']
  const given = file === undefined ? {} : await readConfigFile(file)
  const merged = await withCalibrations(await merge(given, overrides, env), overrides, file)
  try {
    return checkConfig(merged)
  } catch (thrown) {
    if (file === undefined || !isMonitorError(thrown)) throw thrown
    throw new MonitorError(thrown.code, `${thrown.message} (in ${file}, or what stands over it)`, '', { cause: thrown })
  }
}

/** Names of variables that look like ours and are not read: slips of the pen. */
export function unknownVariables(env: Env): string[] {
  const known = Object.keys(VARIABLES)
  const strange = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.includes(name))
  return strange.map((name) => `${name}: ${hint(name, known)}`)
}

/** A YAML or JSON file as an object. Throws `bad_config`, naming the line. */
export async function readConfigFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MonitorError('bad_config', `cannot be read: ${reasonOf(cause)}`, path, { cause })
  })
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) throw new MonitorError('bad_config', `is no YAML or JSON: ${error.message}`, path)
  let value: unknown
  try {
    value = document.toJS() ?? {} // an empty file says nothing
  } catch (cause) {
    // An alias without an anchor, or many that stand for many.
    throw new MonitorError('bad_config', `is no YAML or JSON: ${(cause as Error).message}`, path, { cause })
  }
  if (!isPlainObject(value)) refuse('bad_config', 'must be an object of settings', value, path)
  return value
}

async function merge(given: Readonly<Record<string, unknown>>, overrides: Overrides, env: Env): Promise<object> {
  const { host, port, redis, detectors, mode } = overrides
  const tokenFile = overrides.tokenFile ?? env['MONITAUR_TOKEN_FILE']
  const token = tokenFile === undefined ? env['MONITAUR_TOKEN'] : await readSecret(tokenFile)
  const top = defined({
    host: host ?? env['MONITAUR_HOST'],
    port: port ?? portOf(env['MONITAUR_PORT']),
    token,
    cors: env['MONITAUR_CORS']?.split(',').map((origin) => origin.trim()),
    detectors,
  })
  const secretFile = env['MONITAUR_REDIS_SECRET_FILE']
  const ofRedis = {
    url: redis ?? env['MONITAUR_REDIS'],
    secret: secretFile === undefined ? env['MONITAUR_REDIS_SECRET'] : await readSecret(secretFile),
  }
  const stateSecretFile = env['MONITAUR_STATE_SECRET_FILE']
  const stateSecret = stateSecretFile === undefined ? env['MONITAUR_STATE_SECRET'] : await readSecret(stateSecretFile)
  const inside = {
    state: { ...placesOf(overrides, env), secret: stateSecret },
    log: { decisions: env['MONITAUR_LOG'], key: env['MONITAUR_LOG_KEY'] },
  }
  const merged: Record<string, unknown> = { ...given, ...top }
  for (const [key, values] of Object.entries(inside)) merged[key] = overlaid(merged[key], values)
  const url = env['MONITAUR_OTLP_URL']
  merged['state'] = withRedis(merged['state'], ofRedis)
  if (url !== undefined) merged['metrics'] = overlaid(merged['metrics'], { otlp: { url } })
  if (detectors !== undefined) delete merged['models']
  return withMode(merged, mode ?? env['MONITAUR_MODE'])
}

/** The records in place of the names of their files, which are relative to the file that names them. */
async function withCalibrations(config: object, overrides: Overrides, file: string | undefined): Promise<object> {
  const folder = file === undefined ? '.' : dirname(file)
  const read = async (model: unknown): Promise<unknown> => {
    if (!isPlainObject(model) || model['calibration'] === undefined) return model
    const { calibration, ...rest } = model
    if (overrides.withoutCalibration === true) return rest
    if (typeof calibration !== 'string') return model
    return { ...rest, calibration: await readRecord(resolve(folder, calibration)), calibrationFile: calibration }
  }
  const top = (await read(config)) as Readonly<Record<string, unknown>>
  const { models } = top
  return Array.isArray(models) ? { ...top, models: await Promise.all(models.map(read)) } : top
}

async function readRecord(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MonitorError('bad_config', `cannot be read: ${reasonOf(cause)}`, path, { cause })
  })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MonitorError('bad_config', `is no JSON: ${(cause as Error).message}`, path, { cause })
  }
}

/** The values that are there over what was given; what is no object is left for the check to refuse. */
function overlaid(given: unknown, values: Readonly<Record<string, unknown>>): unknown {
  const own = defined(values)
  if (Object.keys(own).length === 0) return given
  return given === undefined || isPlainObject(given) ? { ...given, ...own } : given
}

/** The image names a file in MONITAUR_STATE: whoever names a log means that. */
function placesOf({ state, journal, redis }: Overrides, env: Env) {
  const logOfOurs = journal ?? env['MONITAUR_JOURNAL']
  const hasLog = logOfOurs !== undefined || redis !== undefined || env['MONITAUR_REDIS'] !== undefined
  return { file: state ?? (hasLog ? undefined : env['MONITAUR_STATE']), journal: logOfOurs }
}

/** A secret alone chooses no Redis. */
function withRedis(state: unknown, values: { readonly url: string | undefined; readonly secret: string | undefined }) {
  const redis = isPlainObject(state) ? state['redis'] : undefined
  if (redis === undefined && values.url === undefined) return state
  return overlaid(state, { redis: overlaid(redis, values) })
}

function withMode(config: Record<string, unknown>, mode: string | undefined): object {
  if (mode === undefined) return config
  const { models } = config
  if (!Array.isArray(models)) return { ...config, policy: overlaid(config['policy'], { mode }) }
  const all = models.map((model: unknown) => {
    return isPlainObject(model) ? { ...model, policy: overlaid(model['policy'], { mode }) } : model
  })
  return { ...config, models: all }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,5}$/.test(text) ? Number(text) : refuse('bad_config', 'must be a number', text, 'MONITAUR_PORT')
}

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MonitorError('bad_config', `cannot be read: ${reasonOf(cause)}`, path, { cause })
  })
  return text.trim()
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
