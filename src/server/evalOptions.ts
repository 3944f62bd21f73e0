/** The options of `monitaur eval`. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { MonitorError, refuse } from '../core/index.ts'
import { loadParts, type Plan } from '../eval/node/index.ts'
import { type OptionSpec, type ParsedOptions, parseOptions } from './args.ts'
import { dataOf, kindOf, victimsOf } from './evalWhat.ts'
import { attacksOf, detectorsOf, listOf, withSettings, workloadsOf } from './evalWho.ts'
import { choiceOf, numberOf, textOf } from './replayOptions.ts'

const EVAL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  model: { type: 'string', multiple: true },
  normalize: { type: 'string' },
  scale: { type: 'string' },
  output: { type: 'string' },
  outputs: { type: 'string' },
  data: { type: 'string' },
  column: { type: 'string' },
  'label-column': { type: 'string' },
  classes: { type: 'string' },
  detectors: { type: 'string' },
  attacks: { type: 'string' },
  workloads: { type: 'string' },
  set: { type: 'string', multiple: true },
  plugin: { type: 'string', multiple: true },
  budget: { type: 'string' },
  seed: { type: 'string' },
  sources: { type: 'string' },
  split: { type: 'string' },
  fragile: { type: 'string' },
  quick: { type: 'boolean' },
  out: { type: 'string' },
  cache: { type: 'string' },
  'no-cache': { type: 'boolean' },
  jobs: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
}

export const EVAL_HELP = `usage: monitaur eval --model FILE --data PATH [options]
       monitaur eval --quick
       monitaur eval compare FOLDER FOLDER

Runs attacks and honest workloads against a model, each on several inputs, watches every session with
all detectors, and reports what was caught in time and who was disturbed. The same seed gives the same
sessions. A run that was stopped goes on where it was when it is started again.

what is attacked:
  --model FILE            an ONNX classifier of pictures, or a model of a plug-in by its name; may be
                          given several times (default: a toy made of a seed, with its own pictures)
  --normalize HOW         what the model wants of pixels in 0 … 1: none (default), imagenet,
                          'MEAN,STD', or by channel 'M,M,M/S,S,S'
  --scale X               first multiply them, by 255 for a model that takes bytes (default 1)
  --output NAME           the output to read (default: 'logits', else the first)
  --outputs logits|probabilities
                          what it holds (default: the model is tried)
  --data PATH             *.bin as CIFAR-10, *images*idx3* as MNIST, a folder with labels.csv
                          (file, number of the class), a *.csv, or data of a plug-in by its name
  --column NAME           CSV: the column with the text; without it the whole row is the input
  --label-column NAME     CSV: the class (default: the last column)
  --classes A,B,…         CSV: names of the classes in the model's order

who asks, and who watches:
  --attacks LIST          names, or all (default), or none
  --workloads LIST        names, E, D or F for a profile, equivalent, all (default), or none
  --detectors LIST        names, all (default: those that need no reference), or a JSON file:
                          { "label": { "name": …, options } }
  --set NAME.KEY=VALUE    an option of a detector, attack or workload, as JSON or a bare word
  --plugin FILE           a module with attacks, workloads, detectors, models or data of one's own

how much:
  --budget N              queries of a session (default 1024)
  --seed N,N,…            (default 1)
  --sources N             inputs for each split: calibration and held-out (default 10)
  --split calibration|heldout
                          only one of them
  --fragile keep|drop     inputs that light noise makes the model get wrong (default keep)
  --quick                 a first look: 256 queries, 1 source a split

running:
  --out FOLDER            results.ndjson, run.json and the report (default: monitaur-eval)
  --cache FOLDER          recorded sessions, so that other detectors see them without the model
                          (default: node_modules/.cache/monitaur-eval, else in the folder of --out)
  --no-cache              keep none
  --jobs N                threads (default: one a core)
  --json                  the report as one JSON object
  --quiet                 no progress on stderr
  -h, --help              this text

exit codes:
  0    all sessions ran
  1    wrong use, or something that cannot be read or written
  2    some sessions failed; the others are reported
  130  interrupted; start again to go on
`

export interface EvalCommand {
  readonly kind: 'run'
  readonly plan: Plan
  readonly out: string
  readonly cache: string | undefined
  readonly threads: number | undefined
  readonly json: boolean
  readonly quiet: boolean
}

export interface CompareCommand {
  readonly kind: 'compare'
  readonly folders: readonly [string, string]
  readonly json: boolean
}

/** Reads the arguments; 'help' if that is what was asked for. Imports the plug-ins. Throws `bad_config`. */
export async function readEvalOptions(args: readonly string[]): Promise<EvalCommand | CompareCommand | 'help'> {
  const parsed = parseOptions(args, EVAL_OPTIONS)
  const { flags, positionals } = parsed
  if (flags.has('help')) return 'help'
  if (positionals[0] === 'compare') return compareOf(parsed)
  if (positionals.length > 0) {
    throw new MonitorError('bad_config', `takes options only, got '${positionals[0]!.slice(0, 60)}'`)
  }
  const out = textOf(parsed, 'out') ?? 'monitaur-eval'
  return {
    kind: 'run',
    plan: await planOf(parsed),
    out,
    cache: cacheOf(parsed, out),
    threads: wholeOf(parsed, 'jobs', 1, 1024),
    json: flags.has('json'),
    quiet: flags.has('quiet'),
  }
}

function compareOf({ positionals, flags, values }: ParsedOptions): CompareCommand {
  const [, a, b, ...more] = positionals
  if (a === undefined || b === undefined || more.length > 0) {
    throw new MonitorError('bad_config', 'compares two folders of runs', 'compare')
  }
  const [other] = [...values.keys()]
  if (other !== undefined) throw new MonitorError('bad_config', 'means nothing for compare', `--${other}`)
  return { kind: 'compare', folders: [a, b], json: flags.has('json') }
}

function cacheOf(parsed: ParsedOptions, out: string): string | undefined {
  if (parsed.flags.has('no-cache')) return undefined
  const inModules = existsSync('node_modules') ? join('node_modules', '.cache', 'monitaur-eval') : undefined
  return textOf(parsed, 'cache') ?? inModules ?? join(out, 'cache')
}

async function planOf(parsed: ParsedOptions): Promise<Plan> {
  const isQuick = parsed.flags.has('quick')
  const plugins = (parsed.values.get('plugin') ?? []).map((file) => resolve(file))
  const parts = await loadParts(plugins)
  const data = dataOf(parsed, parts)
  const kind = await kindOf(data, parts)
  const split = choiceOf(parsed, 'split', ['calibration', 'heldout'])
  const fragile = choiceOf(parsed, 'fragile', ['keep', 'drop'])
  const chosen = {
    clients: Object.fromEntries(
      [...attacksOf(parsed, parts, kind), ...workloadsOf(parsed, parts, kind)].map(({ name }) => [name, { name }]),
    ),
    detectors: detectorsOf(parsed, parts, kind),
  }
  return {
    ...(plugins.length > 0 && { plugins }),
    victims: victimsOf(parsed, parts),
    data,
    ...withSettings(parsed, chosen),
    seeds: seedsOf(parsed),
    budget: wholeOf(parsed, 'budget', 1, 1e7) ?? (isQuick ? 256 : 1024),
    sources: wholeOf(parsed, 'sources', 1, 1e6) ?? (isQuick ? 1 : 10),
    ...(split !== undefined && { splits: [split] }),
    ...(fragile !== undefined && { fragile }),
  }
}

function wholeOf(parsed: ParsedOptions, name: string, min: number, max: number): number | undefined {
  const number = numberOf(parsed, name, { min, max })
  if (number === undefined || Number.isInteger(number)) return number
  return refuse('bad_config', 'must be a whole number', number, `--${name}`)
}

function seedsOf(parsed: ParsedOptions): number[] {
  return listOf(textOf(parsed, 'seed') ?? '1').map((text) => {
    const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    return seed < 2 ** 32 ? seed : refuse('bad_config', 'must be whole numbers from 0 to 4294967295', text, '--seed')
  })
}
