/** Command-line options, checked: an unknown name, a missing or a superfluous value is an error that names the remedy. */
import { parseArgs } from 'node:util'
import { MonitorError } from '../core/index.ts'

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
  throw new MonitorError('bad_config', `there is no option '${rawName.slice(0, 60)}'; ${didYouMean(rawName, known)}`)
}

function fail(option: string, message: string): never {
  throw new MonitorError('bad_config', message, option)
}

/** The remedy for a mistyped name: the nearest known one, or all of them. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.slice(0, 64).toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, distance }) => distance <= Math.min(3, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance)[0]
  return near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near.candidate}'?`
}

/** Letters inserted, left out, exchanged, or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1, isSwap ? before[j - 2]! + 1 : Infinity))
    }
    before = row
    row = next
  }
  return row[b.length]!
}
