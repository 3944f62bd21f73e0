/** The options of `monitaur serve`. */
import { createRegistry, MonitorError, refuse } from '../core/index.ts'
import { type OptionSpec, type ParsedOptions, parseOptions } from './args.ts'
import { type Overrides, VARIABLES } from './config/source.ts'

export const SERVE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  config: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  'token-file': { type: 'string' },
  state: { type: 'string' },
  journal: { type: 'string' },
  redis: { type: 'string' },
  detector: { type: 'string', multiple: true },
  threshold: { type: 'string' },
  enforce: { type: 'boolean' },
  'print-config': { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
}

const WIDTH = Math.max(...Object.keys(VARIABLES).map((name) => name.length))

export const SERVE_HELP = `usage: monitaur serve [--config FILE] [options]

The monitoring server: POST /detect takes what the reference server takes, /metrics is for
Prometheus, / shows what goes on, /openapi.json lists all routes. Without configuration it runs the
confidence detector (entropy, threshold 0.8), one window for everybody, as the reference does.

configuration (each over the one above it):
  --config FILE       YAML or JSON; thresholds and policies are read again when the file changes, or
                      on SIGHUP; a file with a mistake in it is refused, and the old one stays
  MONITAUR_…          environment, see below
  --host ADDRESS      default 127.0.0.1; any address but loopback needs a token
  --port N            default 8000; 0 takes a free one
  --token-file FILE   the token of the operator's routes, at least 16 characters
  --state FILE        remember over a restart: read at the start, written at the end and every five
                      minutes
  --journal FOLDER    remember over a crash: the features of a query are written before its answer
  --redis URL         the same in Redis, for several servers that judge as one; goes with
                      MONITAUR_REDIS_SECRET
  --detector NAME     in place of the configured ones; may be given several times
  --threshold X       its threshold, if it is the only one
  --enforce           refuse suspended clients; without it the server only tells

output:
  --print-config      print the complete configuration in force, and stop
  --json              the address, or the configuration, as JSON
  --quiet             no log lines on stderr
  -h, --help          this text

environment:
${Object.entries(VARIABLES)
  .map(([name, meaning]) => `  ${name.padEnd(WIDTH)}  ${meaning}`)
  .join('\n')}

exit codes:
  0    stopped by SIGTERM or SIGINT: everything accepted was answered, and the state is written
  1    wrong use, a configuration or a state that cannot be used, or an address that is taken
  2    stopped, but requests had to be cut off, or the state could not be written
`

export interface ServeOptions {
  readonly overrides: Overrides
  readonly printConfig: boolean
  readonly json: boolean
  readonly quiet: boolean
}

/** Reads the arguments; 'help' if that is what was asked for. Throws `bad_config`. */
export function readServeOptions(args: readonly string[]): ServeOptions | 'help' {
  const parsed = parseOptions(args, SERVE_OPTIONS)
  const { flags, positionals } = parsed
  if (flags.has('help')) return 'help'
  if (positionals.length > 0) {
    throw new MonitorError('bad_config', `takes no file; did you mean --config ${positionals[0]!.slice(0, 60)}?`)
  }
  return {
    overrides: {
      file: textOf(parsed, 'config'),
      host: textOf(parsed, 'host'),
      port: numberOf(parsed, 'port', { min: 0, max: 65_535, integer: true }),
      tokenFile: textOf(parsed, 'token-file'),
      state: textOf(parsed, 'state'),
      journal: textOf(parsed, 'journal'),
      redis: textOf(parsed, 'redis'),
      detectors: detectorsOf(parsed),
      mode: flags.has('enforce') ? 'enforce' : undefined,
    },
    printConfig: flags.has('print-config'),
    json: flags.has('json'),
    quiet: flags.has('quiet'),
  }
}

function detectorsOf(parsed: ParsedOptions): Overrides['detectors'] {
  const names = parsed.values.get('detector')
  const threshold = numberOf(parsed, 'threshold')
  if (threshold !== undefined && names?.length !== 1) {
    throw new MonitorError('bad_config', 'goes with exactly one --detector; others belong in a file', '--threshold')
  }
  const registry = createRegistry()
  for (const name of names ?? []) registry.find(name, '--detector')
  return names?.map((name) => (threshold === undefined ? { name } : { name, threshold }))
}

function textOf({ values }: ParsedOptions, name: string): string | undefined {
  return values.get(name)?.[0]
}

function numberOf(
  parsed: ParsedOptions,
  name: string,
  { min = -Infinity, max = Infinity, integer = false } = {},
): number | undefined {
  const text = textOf(parsed, name)
  if (text === undefined) return undefined
  const number = text.trim() === '' ? Number.NaN : Number(text)
  const isKind = integer ? Number.isInteger(number) : Number.isFinite(number)
  if (isKind && number >= min && number <= max) return number
  const range = min === -Infinity ? 'a number' : `a whole number in [${min}, ${max}]`
  return refuse('bad_config', `must be ${range}`, text, `--${name}`)
}
