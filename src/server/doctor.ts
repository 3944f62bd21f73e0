/** `monitaur doctor`: what this machine has for models, and what is missing. */
import { MonitorError } from '../core/index.ts'
import { type DoctorCheck, doctor as examine } from '../embed/index.ts'
import { parseOptions } from './args.ts'
import type { Io } from './main.ts'
import { Output, printable } from './output.ts'

const HELP = `usage: monitaur doctor [options]

Looks at the runtimes for models (onnxruntime-node, onnxruntime-web), threads and WebAssembly here, and says in words
what is missing and what to do. Loads no model and changes nothing.

options:
  --backend <name>   look at this one only: native, wasm or webgpu
  --json             one JSON object a line: { "name", "ok", "found", "remedy" }
  -h, --help         this text

exit codes: 0 models can run · 1 wrong use · 2 no backend works
`

/** The checks on stdout, a line each. */
export async function doctor(args: readonly string[], io: Io): Promise<number> {
  const { flags, values } = parseOptions(args, {
    backend: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  })
  const output = new Output(io.stdout)
  if (flags.has('help')) {
    await output.write(HELP)
    return 0
  }
  const backend = backendOf(values.get('backend')?.at(-1))
  const checks = await examine(backend === undefined ? {} : { backend })
  for (const check of checks) await output.write(flags.has('json') ? `${JSON.stringify(check)}\n` : lineOf(check))
  return ['native', 'wasm', 'webgpu'].some((name) => works(name, checks)) ? 0 : 2
}

/** Its package is there, and with WebGPU an adapter as well. */
function works(backend: string, checks: readonly DoctorCheck[]): boolean {
  const has = (part: string) => checks.some(({ name, ok }) => ok && name.startsWith(part))
  return has(`runtime of ${backend}`) && (backend !== 'webgpu' || has('WebGPU'))
}

function backendOf(name: string | undefined): 'native' | 'wasm' | 'webgpu' | undefined {
  if (name === undefined || name === 'native' || name === 'wasm' || name === 'webgpu') return name
  throw new MonitorError('bad_config', `must be native, wasm or webgpu, got '${name.slice(0, 40)}'`, '--backend')
}

function lineOf({ name, ok, found, remedy }: DoctorCheck): string {
  const rest = remedy === '' ? '' : `\n       ${printable(remedy)}`
  return `${ok ? 'ok  ' : 'no  '} ${name}: ${printable(found)}${rest}\n`
}
