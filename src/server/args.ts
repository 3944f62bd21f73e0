/** Command-line options, checked: an unknown name, a missing or a superfluous value is an error that names the remedy. */
import { parseArgs } from 'node:util'
import { hint, MonitorError } from '../core/index.ts'

export interface OptionSpec {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  /** May be given several times. */
  readonly multiple?: boolean
}

export interface ParsedOptions {
  readonly positionals: readonly string[]
  /** Names of the boolean options that were given. */
  readonly flags: ReadonlySet<string>
  /** The values of the others, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** Reads options. A value may begin with one dash, as negative numbers do. Throws `bad_config`. */
export function parseOptions(argv: readonly string[], specs: Readonly<Record<string, OptionSpec>>): ParsedOptions {
  // Not strict: Node's own messages know no nearest name, and would refuse `--threshold -0.5`.
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: specs,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const flags = new Set<string>()
  const values = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const spec = specOf(token, specs)
    if (spec.type === 'boolean') {
      if (token.value !== undefined) fail(token.rawName, 'takes no value')
      flags.add(token.name)
    } else {
      const isMissing = token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))
      if (isMissing) fail(token.rawName, 'needs a value')
      const before = values.get(token.name) ?? []
      if (before.length > 0 && spec.multiple !== true) fail(token.rawName, 'must be given once')
      values.set(token.name, [...before, token.value as string])
    }
  }
  return { positionals, flags, values }
}

function specOf(
  { name, rawName }: { readonly name: string; readonly rawName: string },
  specs: Readonly<Record<string, OptionSpec>>,
): OptionSpec {
  // A short option under its letter is known to parseArgs only if the letter is in the table.
  if (Object.hasOwn(specs, name)) return specs[name]!
  const known = Object.keys(specs).map((option) => `--${option}`)
  throw new MonitorError('bad_config', `there is no option '${rawName.slice(0, 60)}'; ${hint(rawName, known)}`)
}

function fail(option: string, message: string): never {
  throw new MonitorError('bad_config', message, option)
}
