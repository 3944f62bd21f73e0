/** The options of `monitaur replay`. */
import { createRegistry, MonitorError, refuse } from '../core/index.ts'
import type { MonitorConfig } from '../embed/index.ts'
import { type OptionSpec, type ParsedOptions, parseOptions } from './args.ts'
import type { SourceOptions } from './source.ts'

export const REPLAY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  detector: { type: 'string', multiple: true },
  threshold: { type: 'string' },
  history: { type: 'string' },
  set: { type: 'string', multiple: true },
  scope: { type: 'string' },
  enforce: { type: 'boolean' },
  format: { type: 'string' },
  column: { type: 'string' },
  'client-column': { type: 'string' },
  rows: { type: 'boolean' },
  'max-line-bytes': { type: 'string' },
  'snapshot-in': { type: 'string' },
  'snapshot-out': { type: 'string' },
  'only-suspicious': { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
}

export const REPLAY_HELP = `usage: monitaur replay <file.ndjson | file.csv | folder | -> --detector NAME [options]

Runs detectors over a file of queries: one verdict per line, a summary at the end.

input:
  NDJSON    Each line is a text in quotes, or a query: { "input", "modelOutput", "embedding",
            "client", "id", "timeMs", "metadata" } (also "input_data", "model_output", "client_id"),
            or, with none of these keys, a row of a table. "image": "cat.png" in place of "input"
            reads that file; it must lie below the file's folder (for standard input: below the
            current one). Blank lines are skipped.
  CSV       A header, then rows; an empty cell is null.
  folder    Its .png, .jpg, .jpeg and .webp files, by name.
  -         Standard input.

detectors:
  --detector NAME         may be given several times
  --threshold X           the detector's threshold; with several detectors use --set
  --history N             how many queries each detector remembers
  --set KEY=VALUE         any option: JSON or a bare word; --set NAME.KEY=VALUE for one of several
  --scope client|global   one memory for each client, or one for all of them (default global)
  --enforce               also decide what to do with each query; every query is still judged

reading:
  --format csv|ndjson     default: csv for *.csv, ndjson for everything else
  --column NAME           the text of this column is the query
  --client-column NAME    this column says who asked; it is not part of the row
  --rows                  NDJSON: every object is a row, also one with keys of a query
  --max-line-bytes N      a longer line is a bad line (default 16777216)
  A query without timeMs has the time of the line before it, the first one 0: a replay gives the
  same verdicts each time.

state:
  --snapshot-in FILE      begin with this state
  --snapshot-out FILE     write the state at the end; not when interrupted

output:
  --only-suspicious       print only the suspicious queries; errors then go to stderr
  --json                  one JSON object a line: { "line", "verdict" } or { "line", "error" }, the
                          last one { "summary" }; a query that no detector could judge is suspicious
                          in its verdict, not in the summary
  --quiet                 no progress on stderr; bad lines are always told there
  -h, --help              this text

exit codes:
  0    all read
  1    wrong use, or something that cannot be read or written
  2    some lines could not be read, or no detector could judge them
  130  interrupted; the summary so far is printed
`

export interface ReplayOptions {
  readonly path: string
  readonly monitor: MonitorConfig
  readonly source: SourceOptions
  readonly snapshotIn: string | undefined
  readonly snapshotOut: string | undefined
  readonly enforce: boolean
  readonly onlySuspicious: boolean
  readonly json: boolean
  readonly quiet: boolean
}

/** Detectors as options name them. */
export type NamedDetectors = readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]

const MAX_LINE_BYTES = 16 * 2 ** 20

/** Reads the arguments; 'help' if that is what was asked for. Throws `bad_config`. */
export function readReplayOptions(args: readonly string[]): ReplayOptions | 'help' {
  const parsed = parseOptions(args, REPLAY_OPTIONS)
  if (parsed.flags.has('help')) return 'help'
  const { flags } = parsed
  const enforce = flags.has('enforce')
  return {
    path: pathOf(parsed),
    monitor: { detectors: detectorsOf(parsed), policy: { mode: enforce ? 'enforce' : 'observe' } },
    source: sourceOf(parsed),
    snapshotIn: textOf(parsed, 'snapshot-in'),
    snapshotOut: textOf(parsed, 'snapshot-out'),
    enforce,
    onlySuspicious: flags.has('only-suspicious'),
    json: flags.has('json'),
    quiet: flags.has('quiet'),
  }
}

/** The one file to read. Throws `bad_config`. */
export function pathOf({ positionals }: ParsedOptions, verb = 'replays'): string {
  const [path, ...more] = positionals
  if (path === undefined) throw new MonitorError('bad_config', 'name a file, a folder, or - for standard input')
  if (more.length === 0) return path
  throw new MonitorError('bad_config', `${verb} one file, got ${positionals.length}: ${positionals.join(', ')}`)
}

/** How it is to be read. */
export function sourceOf(parsed: ParsedOptions): SourceOptions {
  const format = choiceOf(parsed, 'format', ['csv', 'ndjson'])
  const column = textOf(parsed, 'column')
  const clientColumn = textOf(parsed, 'client-column')
  return {
    ...(format === undefined ? {} : { format }),
    ...(column === undefined ? {} : { column }),
    ...(clientColumn === undefined ? {} : { clientColumn }),
    rows: parsed.flags.has('rows') || column !== undefined,
    maxLineBytes: numberOf(parsed, 'max-line-bytes', { min: 1, max: 2 ** 29 }) ?? MAX_LINE_BYTES,
  }
}

/** The detectors that the options name; `scope` where they name none. Throws `bad_config`. */
export function detectorsOf(parsed: ParsedOptions, otherwise = 'global'): NamedDetectors {
  const names = parsed.values.get('detector') ?? []
  if (names.length === 0) throw new MonitorError('bad_config', 'is missing: name at least one detector', '--detector')
  const registry = createRegistry()
  for (const name of names) registry.find(name, '--detector')
  const scope = choiceOf(parsed, 'scope', ['client', 'global']) ?? otherwise
  const threshold = numberOf(parsed, 'threshold')
  const history = numberOf(parsed, 'history')
  if (threshold !== undefined && names.length > 1) {
    throw new MonitorError('bad_config', `is of which detector? Use --set ${names[0]}.threshold=…`, '--threshold')
  }
  const shared = {
    scope,
    ...(threshold === undefined ? {} : { threshold }),
    ...(history === undefined ? {} : { maxHistorySize: history }),
  }
  const settings = (parsed.values.get('set') ?? []).map((text) => readSetting(text, names))
  return names.map((name) => {
    const own = settings.filter((setting) => setting.detector === name).map(({ key, value }) => [key, value])
    return { ...shared, ...Object.fromEntries(own), name }
  })
}

/** `key=value` or `name.key=value`. */
function readSetting(text: string, names: readonly string[]) {
  const [, place = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? fail(`must be key=value, got '${text}'`)
  const dot = place.indexOf('.')
  const detector = dot === -1 ? names[0]! : place.slice(0, dot)
  const key = place.slice(dot + 1)
  if (dot === -1 && names.length > 1) fail(`'${place}' is of which detector? Use --set ${detector}.${place}=…`)
  if (!names.includes(detector)) fail(`'${detector}' is none of the detectors: ${names.join(', ')}`)
  if (key === 'name') fail(`'name' is what --detector says`)
  return { detector, key, value: readValue(value) }
}

function fail(message: string): never {
  throw new MonitorError('bad_config', message, '--set')
}

export function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // a bare word
  }
}

export function textOf({ values }: ParsedOptions, name: string): string | undefined {
  return values.get(name)?.[0]
}

export function choiceOf<T extends string>(parsed: ParsedOptions, name: string, choices: readonly T[]): T | undefined {
  const text = textOf(parsed, name)
  if (text === undefined || choices.includes(text as T)) return text as T | undefined
  return refuse('bad_config', `must be ${choices.join(' or ')}`, text, `--${name}`)
}

export function numberOf(
  parsed: ParsedOptions,
  name: string,
  { min = -Infinity, max = Infinity } = {},
): number | undefined {
  const text = textOf(parsed, name)
  if (text === undefined) return undefined
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(number) && number >= min && number <= max) return number
  const range = min === -Infinity ? '' : ` in [${min}, ${max}]`
  return refuse('bad_config', `must be a number${range}`, text, `--${name}`)
}
