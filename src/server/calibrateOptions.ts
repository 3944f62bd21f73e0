/** The options of `monitaur calibrate`. */
import { MonitorError } from '../core/index.ts'
import { type OptionSpec, type ParsedOptions, parseOptions } from './args.ts'
import { choiceOf, detectorsOf, type NamedDetectors, numberOf, pathOf, sourceOf, textOf } from './replayOptions.ts'
import type { SourceOptions } from './source.ts'

export const CALIBRATE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  alpha: { type: 'string' },
  assurance: { type: 'string' },
  detector: { type: 'string', multiple: true },
  history: { type: 'string' },
  set: { type: 'string', multiple: true },
  scope: { type: 'string' },
  config: { type: 'string' },
  model: { type: 'string' },
  unit: { type: 'string' },
  'half-life': { type: 'string' },
  output: { type: 'string' },
  plot: { type: 'string' },
  format: { type: 'string' },
  column: { type: 'string' },
  'client-column': { type: 'string' },
  rows: { type: 'boolean' },
  'max-line-bytes': { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
}

export const CALIBRATE_HELP = `usage: monitaur calibrate <file.ndjson | file.csv | folder | -> --alpha A --output FILE
                          (--detector NAME … | --config FILE) [options]

Learns from benign queries from where on a query, or a client, is suspicious, and writes that as a
record. Choose the rate of false alarms; the thresholds follow. The file holds all queries of honest
clients over some time, in the order of their times, each with its client; lines as for replay.

promise:
  --alpha A               share of benign clients that may be taken for malicious, such as 0.001;
                          it takes at least 3/A of them, and half as many again for a monitor
  --assurance P           with this probability the promise holds for the very record that is
                          written, above 0.5 (default 0.95; for --unit query 0);
                          0: on average over records, of which this one may be worse than alpha;
                          it takes a third of the clients

what:
  --detector NAME         one: a record for this detector, its option "calibration"
                          several: a record for a monitor of them, as --config gives
  --history N, --set KEY=VALUE, --scope client|global
                          as for replay; the scope is client by default
  --config FILE           the configuration of 'monitaur serve': a record for its "calibration"
  --model NAME            of a configuration with several models
  --unit query|client     for one detector: each query counts by itself, or each client with its
                          highest score (default: client, if the first query names one)
  --half-life HOURS       for a monitor: evidence halves in this time (default 6)

reading:
  --format csv|ndjson, --column NAME, --client-column NAME, --rows, --max-line-bytes N
                          as for replay; a query without timeMs has the time of the line before it

output:
  --output FILE           the record, as JSON
  --plot FILE             a picture of the benign scores with their thresholds, as SVG
                          (default: beside the record)
  --json                  the summary as one JSON object
  --quiet                 no progress on stderr; bad lines are always told there
  -h, --help              this text

exit codes:
  0    all read, and the record is written
  1    wrong use, too few clients for alpha, or something that cannot be read or written
  2    the record is written, but some lines could not be read, or no detector could judge them
  130  interrupted; nothing is written
`

export interface CalibrateCommand {
  readonly path: string
  readonly source: SourceOptions
  readonly promise: { readonly alpha: number; readonly assurance?: number }
  /** One of the two. */
  readonly detectors: NamedDetectors | undefined
  readonly config: { readonly file: string; readonly model: string | undefined } | undefined
  readonly unit: 'query' | 'client' | undefined
  readonly halfLifeMs: number | undefined
  readonly output: string
  readonly plot: string
  readonly json: boolean
  readonly quiet: boolean
}

/** Reads the arguments; 'help' if that is what was asked for. Throws `bad_config`. */
export function readCalibrateOptions(args: readonly string[]): CalibrateCommand | 'help' {
  const parsed = parseOptions(args, CALIBRATE_OPTIONS)
  const { flags } = parsed
  if (flags.has('help')) return 'help'
  const path = pathOf(parsed, 'reads')
  const alpha = numberOf(parsed, 'alpha') ?? missing('--alpha', 'the share of benign clients, such as 0.001')
  const assurance = numberOf(parsed, 'assurance')
  const output = textOf(parsed, 'output') ?? missing('--output', 'the file for the record')
  const config = configOf(parsed)
  const detectors = config === undefined ? detectorsOf(parsed, 'client') : undefined
  const isOne = detectors?.length === 1
  const unit = choiceOf(parsed, 'unit', ['query', 'client'])
  const hours = numberOf(parsed, 'half-life', { min: 1 / 3600, max: 87_600 })
  if (unit !== undefined && !isOne) throw new MonitorError('bad_config', 'goes with exactly one --detector', '--unit')
  if (hours !== undefined && isOne)
    throw new MonitorError('bad_config', 'means nothing for one detector', '--half-life')
  return {
    path,
    source: sourceOf(parsed),
    promise: { alpha, ...(assurance === undefined ? {} : { assurance }) },
    detectors,
    config,
    unit,
    halfLifeMs: hours === undefined ? undefined : hours * 3_600_000,
    output,
    plot: textOf(parsed, 'plot') ?? `${output.replace(/\.json$/i, '')}.svg`,
    json: flags.has('json'),
    quiet: flags.has('quiet'),
  }
}

function missing(option: string, what: string): never {
  throw new MonitorError('bad_config', `is missing: ${what}`, option)
}

function configOf(parsed: ParsedOptions): CalibrateCommand['config'] {
  const file = textOf(parsed, 'config')
  const model = textOf(parsed, 'model')
  if (file === undefined) {
    if (model !== undefined) throw new MonitorError('bad_config', 'goes with --config', '--model')
    return undefined
  }
  const other = ['detector', 'history', 'set', 'scope'].find((name) => parsed.values.has(name))
  if (other === undefined) return { file, model }
  throw new MonitorError('bad_config', `stands in the way of --config, which names the detectors`, `--${other}`)
}
