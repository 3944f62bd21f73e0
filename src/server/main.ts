/** The commands of `monitaur`, apart from the process they run in. */
import type { Readable, Writable } from 'node:stream'
import { hint, isMonitorError, MonitorError } from '../core/index.ts'
import { parseOptions } from './args.ts'
import { calibrate } from './calibrate.ts'
import { dashboard } from './dashboard.ts'
import { doctor } from './doctor.ts'
import { Output, printable } from './output.ts'
import { replay } from './replay.ts'
import { version } from './version.ts'

/** Where a command reads and writes. */
export interface Io {
  readonly stdin: Readable
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly env: Readonly<Record<string, string | undefined>>
  /** A clock in ms that never goes back; its zero does not matter. */
  readonly now: () => number
  /** Aborted when the user wants the command to stop. */
  readonly interrupted?: AbortSignal
}

interface Command {
  readonly summary: string
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  replay: { summary: 'run detectors over a file of queries: one verdict per line, a summary at the end', run: replay },
  calibrate: {
    summary: 'learn from a file of benign queries from where on a query, or a client, is suspicious',
    run: calibrate,
  },
  doctor: { summary: 'what this machine has for models, and what is missing', run: doctor },
  serve: {
    summary: 'the monitoring server: detection over HTTP, metrics, cockpit',
    // Imported when it is wanted: the other commands need neither its packages nor the time to load them.
    run: async (args, io) => (await import('./serve.ts')).serve(args, io),
  },
  eval: {
    summary: 'attacks and honest workloads against a model: what detectors catch, and whom they disturb',
    run: async (args, io) => (await import('./eval.ts')).evaluate(args, io),
  },
  dashboard: { summary: "the Grafana dashboard for the server's metrics, as JSON", run: dashboard },
}

const HELP = `usage: monitaur <command> [options]

commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

options:
  -h, --help      this text; 'monitaur <command> --help' for a command
  -v, --version   the version

exit codes: 0 done · 1 wrong use, or something that cannot be read or written · others: see the command
`

/** Runs a command line and gives its exit code. Expected failures are told on stderr; only a bug rejects. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io)
  } catch (thrown) {
    if (!isMonitorError(thrown) && !isSystemError(thrown)) throw thrown
    const command = Object.hasOwn(COMMANDS, argv[0] ?? '') ? `${argv[0]} ` : ''
    const remedy = isMonitorError(thrown) && thrown.code === 'bad_config' ? `Try 'monitaur ${command}--help'.\n` : ''
    await new Output(io.stderr).write(`monitaur: ${printable(thrown.message)}\n${remedy}`)
    return 1
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = argv
  if (first !== undefined && !first.startsWith('-')) return commandOf(first).run(rest, io)
  const { flags } = parseOptions(argv, {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
  })
  if (flags.has('version') && !flags.has('help')) {
    await new Output(io.stdout).write(`${version()}\n`)
    return 0
  }
  await new Output(flags.has('help') ? io.stdout : io.stderr).write(HELP)
  return flags.has('help') ? 0 : 1
}

function commandOf(name: string): Command {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!
  const remedy = hint(name, Object.keys(COMMANDS))
  throw new MonitorError('bad_config', `there is no command '${name.slice(0, 60)}'; ${remedy}`)
}

/** An error of the operating system, such as a full disk. */
function isSystemError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown
}
