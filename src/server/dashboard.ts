/** `monitaur dashboard`: the Grafana dashboard that goes with the server's metrics. */
import { writeFile } from 'node:fs/promises'
import { MonitorError } from '../core/index.ts'
import { parseOptions } from './args.ts'
import type { Io } from './main.ts'
import { Output } from './output.ts'
import { reasonOf } from './reason.ts'

const HELP = `usage: monitaur dashboard [options]

Prints the Grafana dashboard for the metrics of 'monitaur serve' as JSON: import it under Dashboards, New, Import, or put
it where Grafana looks for provisioned dashboards. It asks for a Prometheus data source and nothing else.

options:
  --output FILE   write it there, over what may be there
  -h, --help      this text

exit codes: 0 done · 1 wrong use, or a file that cannot be written
`

/** The dashboard on stdout, or in a file. Throws `bad_config`. */
export async function dashboard(args: readonly string[], io: Io): Promise<number> {
  const { flags, values, positionals } = parseOptions(args, {
    output: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  })
  const stdout = new Output(io.stdout)
  if (flags.has('help')) {
    await stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) {
    throw new MonitorError('bad_config', `takes no file; did you mean --output ${positionals[0]!.slice(0, 60)}?`)
  }
  const text = `${JSON.stringify(await load(), null, 2)}\n`
  const file = values.get('output')?.[0]
  if (file === undefined) await stdout.write(text)
  else await write(file, text)
  return 0
}

/** Made from code by `npm run dashboard`; becomes a chunk of its own, loaded when it is wanted. */
async function load(): Promise<unknown> {
  return (await import('../../deploy/grafana/dashboards/monitaur.json')).default
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    throw new MonitorError('bad_config', `cannot be written: ${reasonOf(cause)}`, file, { cause })
  })
}
