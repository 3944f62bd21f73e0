/** The configuration of the server: one plain object, checked as a whole before anything starts. */
import { checkNumber, checkObject, createRegistry, isPlainObject, MonitorError, refuse } from '../../core/index.ts'
import type { ClientsConfig, MonitorCalibration, MonitoredDetector, PolicyConfig } from '../../core/monitor/index.ts'
import { createMonitorEngine } from '../../embed/index.ts'
import { checkLimits, type LimitsConfig, type ServerLimits } from './limits.ts'
import { checkState, type StateConfig, type StateInput } from './state.ts'
import { checkSecret, checkText } from './text.ts'

/** One watched model: a monitor of its own. */
export interface ModelConfig {
  /** 1 … 64 letters, digits, `_`, `.`, `-`; the `model` label of its metrics. */
  readonly name: string
  readonly detectors: readonly (string | MonitoredDetector)[]
  readonly clients?: ClientsConfig
  readonly policy?: PolicyConfig
  /** The record that `monitaur calibrate --config` wrote; in a file, the name of its file, relative to that one. */
  readonly calibration?: MonitorCalibration
  /** Where the record came from. */
  readonly calibrationFile?: string
  /** When its thresholds were calibrated, as an ISO date. Told as an age in the metrics. Default: the date of the record. */
  readonly calibratedAt?: string
}

/** What a file may say. Everything is optional. */
export interface ServerConfigInput {
  readonly host?: string
  readonly port?: number
  readonly token?: string
  readonly cors?: readonly string[]
  /** For one model, called `default`; not beside `models`. */
  readonly detectors?: ModelConfig['detectors']
  readonly clients?: ClientsConfig
  readonly policy?: PolicyConfig
  readonly calibration?: ModelConfig['calibration']
  readonly calibratedAt?: string
  readonly models?: readonly ModelConfig[]
  readonly limits?: LimitsConfig
  readonly state?: StateInput
  readonly log?: Partial<LogConfig>
  readonly metrics?: { readonly otlp?: Partial<OtlpConfig> }
}

/** The complete configuration in force. */
export interface ServerConfig {
  /** Address to listen on. Default 127.0.0.1; any other needs a token. */
  readonly host: string
  /** 0 … 65 535; 0 takes a free one. Default 8000. */
  readonly port: number
  /** What the operator's routes ask for, at least 16 characters. Without one they answer on loopback only. */
  readonly token?: string
  /** Origins whose pages may read the answers, such as `https://example.org`; `*` for all. Default none. */
  readonly cors: readonly string[]
  readonly models: readonly ModelConfig[]
  readonly limits: ServerLimits
  readonly state: StateConfig
  readonly log: LogConfig
  readonly metrics: { readonly otlp?: OtlpConfig }
}

export interface LogConfig {
  /** Which decisions get a line. Default `suspicious`. */
  readonly decisions: 'all' | 'suspicious' | 'none'
  /** Most lines of decisions a second; the next line tells how many were left out. Default 10. */
  readonly maxPerSecond: number
  /** Key of the hash that stands for a client's id, at least 16 characters. Default: a new one at each start. */
  readonly key?: string
}

export interface OtlpConfig {
  /** Where metrics are pushed to, such as `http://collector:4318/v1/metrics`. */
  readonly url: string
  /** Default 60. */
  readonly everySeconds: number
}

/** What the reference server runs: one window for everybody, whatever the client's name. */
const DEFAULT_DETECTORS: ModelConfig['detectors'] = [
  { name: 'confidence', mode: 'entropy', threshold: 0.8, scope: 'global' },
]
const DEFAULT_MODEL = 'default'
const MAX_MODELS = 64

const KEYS = ['host', 'port', 'token', 'cors', 'limits', 'state', 'log', 'metrics', 'models'] as const
const MODEL_KEYS = ['detectors', 'clients', 'policy', 'calibration', 'calibrationFile', 'calibratedAt'] as const
const NAME = /^[\w.-]{1,64}$/

/** Checks a configuration and fills its gaps. Throws `bad_config`, the path naming the place in the file. */
export function checkConfig(given: unknown): ServerConfig {
  const input = checkObject(given, [...KEYS, ...MODEL_KEYS], '')
  const host = input['host'] === undefined ? '127.0.0.1' : checkText(input['host'], 'host', 255)
  const port = checkNumber(input['port'] ?? 8000, { min: 0, max: 65_535, integer: true }, 'port')
  const limits = checkLimits(input['limits'] as LimitsConfig | undefined, 'limits')
  const token = input['token'] === undefined ? {} : { token: checkSecret(input['token'], 'token') }
  return {
    host,
    port,
    ...token,
    cors: checkOrigins(input['cors'] ?? [], 'cors'),
    models: checkModels(input, limits),
    limits,
    state: checkState(input['state'] ?? {}),
    log: checkLog(input['log'] ?? {}),
    metrics: checkMetrics(input['metrics'] ?? {}),
  }
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function checkModels(input: Readonly<Record<string, unknown>>, limits: ServerLimits): readonly ModelConfig[] {
  const single = MODEL_KEYS.filter((key) => input[key] !== undefined)
  const { models } = input
  if (models === undefined) {
    const own = Object.fromEntries(single.map((key) => [key, input[key]]))
    return [checkModel({ detectors: DEFAULT_DETECTORS, ...own, name: DEFAULT_MODEL }, '', limits)]
  }
  if (single.length > 0) {
    throw new MonitorError('bad_config', "must stand inside each of 'models' when there are models", single[0]!)
  }
  if (!Array.isArray(models) || models.length < 1 || models.length > MAX_MODELS) {
    refuse('bad_config', `must be a list of 1 … ${MAX_MODELS} models`, models, 'models')
  }
  const checked = models.map((model: unknown, i) => checkModel(model, `models[${i}]`, limits))
  const twice = checked.findIndex(({ name }, i) => checked.findIndex((other) => other.name === name) !== i)
  if (twice === -1) return checked
  throw new MonitorError(
    'bad_config',
    `'${checked[twice]!.name}' is the name of another model`,
    `models[${twice}].name`,
  )
}

function checkModel(given: unknown, path: string, limits: ServerLimits): ModelConfig {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  const model = checkObject(given, ['name', ...MODEL_KEYS], path)
  const { name, detectors, clients, policy, calibration, calibrationFile } = model
  if (typeof name !== 'string' || !NAME.test(name)) {
    refuse('bad_config', 'must be 1 … 64 letters, digits, _ . or -', name, at('name'))
  }
  const checked = {
    name,
    detectors: withLimits(detectors, limits, at('detectors')),
    ...(clients === undefined ? {} : { clients: clients as ClientsConfig }),
    ...(policy === undefined ? {} : { policy: policy as PolicyConfig }),
    ...(calibration === undefined ? {} : { calibration: calibration as MonitorCalibration }),
    ...(typeof calibrationFile === 'string' ? { calibrationFile } : {}),
  }
  try {
    createMonitorEngine(monitorOf(checked))
  } catch (thrown) {
    throw relocated(thrown, path)
  }
  const calibratedAt = model['calibratedAt'] ?? checked.calibration?.date ?? undefined
  return calibratedAt === undefined
    ? checked
    : { ...checked, calibratedAt: checkDate(calibratedAt, at('calibratedAt')) }
}

/** The part of a model's configuration that its monitor takes. */
export function monitorOf({ detectors, clients, policy, calibration }: Omit<ModelConfig, 'calibratedAt'>) {
  return {
    detectors,
    ...(clients === undefined ? {} : { clients }),
    ...(policy === undefined ? {} : { policy }),
    ...(calibration === undefined ? {} : { calibration }),
  }
}

/** The detectors with the server's limits where they name none of their own. */
function withLimits(detectors: unknown, { maxPixels, maxBodyBytes }: ServerLimits, path: string) {
  if (!Array.isArray(detectors)) refuse('bad_config', 'must be a list of detectors', detectors, path)
  const registry = createRegistry()
  return detectors.map((given: unknown, i): MonitoredDetector => {
    const detector = typeof given === 'string' ? { name: given } : given
    if (!isPlainObject(detector)) refuse('bad_config', 'must be a name or { name, … }', given, `${path}[${i}]`)
    registry.find(detector['name'], `${path}[${i}].name`)
    const own = detector['limits']
    const limits = { maxPixels, maxBytes: maxBodyBytes, ...(isPlainObject(own) ? own : {}) }
    return {
      ...detector,
      limits: own === undefined || isPlainObject(own) ? limits : own,
    } as unknown as MonitoredDetector
  })
}

/** An error of the monitor, its path as in the file: `monitor.detectors[0].threshold` is `detectors[0].threshold` there. */
function relocated(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof MonitorError)) return thrown
  const message = thrown.path === '' ? thrown.message : thrown.message.slice(thrown.path.length + 2)
  const inside = thrown.path.replace(/^monitor\./, '')
  return new MonitorError(thrown.code, message, path === '' ? inside : `${path}.${inside}`, { cause: thrown })
}

function checkLog(given: unknown): LogConfig {
  const {
    decisions = 'suspicious',
    maxPerSecond = 10,
    key,
  } = checkObject(given, ['decisions', 'maxPerSecond', 'key'], 'log')
  if (decisions !== 'all' && decisions !== 'suspicious' && decisions !== 'none') {
    refuse('bad_config', "must be 'all', 'suspicious' or 'none'", decisions, 'log.decisions')
  }
  checkNumber(maxPerSecond, { min: 1, max: 1e6, integer: true }, 'log.maxPerSecond')
  const lines = { decisions, maxPerSecond: maxPerSecond as number } as const
  return key === undefined ? lines : { ...lines, key: checkSecret(key, 'log.key') }
}

function checkMetrics(given: unknown): ServerConfig['metrics'] {
  const { otlp } = checkObject(given, ['otlp'], 'metrics')
  if (otlp === undefined) return {}
  const { url, everySeconds = 60 } = checkObject(otlp, ['url', 'everySeconds'], 'metrics.otlp')
  const text = checkText(url, 'metrics.otlp.url', 2048)
  if (!/^https?:\/\//.test(text)) refuse('bad_config', 'must be an http or https address', text, 'metrics.otlp.url')
  return {
    otlp: { url: text, everySeconds: checkNumber(everySeconds, { min: 1, max: 86_400 }, 'metrics.otlp.everySeconds') },
  }
}

function checkOrigins(given: unknown, path: string): readonly string[] {
  if (!Array.isArray(given)) refuse('bad_config', 'must be a list of origins', given, path)
  for (const [i, origin] of given.entries()) {
    const isOrigin = typeof origin === 'string' && (origin === '*' || /^https?:\/\/[^/\s]+$/.test(origin))
    if (!isOrigin)
      refuse('bad_config', "must be an origin such as 'https://example.org', or '*'", origin, `${path}[${i}]`)
  }
  return given as string[]
}

function checkDate(value: unknown, path: string): string {
  // One that is none has no text.
  const text = value instanceof Date && Number.isFinite(value.getTime()) ? value.toISOString() : value
  if (typeof text === 'string' && Number.isFinite(Date.parse(text))) return text
  return refuse('bad_config', 'must be a date such as 2026-11-24T12:00:00Z', value, path)
}
