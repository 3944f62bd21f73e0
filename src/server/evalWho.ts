/** Who asks and who watches in `monitaur eval`. */
import { readFileSync } from 'node:fs'
import { hint, isPlainObject, MonitorError, refuse } from '../core/index.ts'
import type { AnyClient, DetectorChoices, Kind } from '../eval/index.ts'
import { type ClientChoice, clientsFor, detectorsFor, type Parts, type Plan } from '../eval/node/index.ts'
import type { ParsedOptions } from './args.ts'
import { readValue, textOf } from './replayOptions.ts'

/** The parts of a list with commas, each once. */
export function listOf(text: string): string[] {
  return [...new Set(text.split(',').map((part) => part.trim()))].filter((part) => part !== '')
}

const isAttack = ({ role }: AnyClient) => role !== 'benign' && role !== 'equivalent'

export function attacksOf(parsed: ParsedOptions, parts: Parts, kind: Kind): AnyClient[] {
  const all = clientsFor(parts, kind).filter(isAttack)
  return chosenOf(textOf(parsed, 'attacks') ?? 'all', all, { all }, '--attacks')
}

export function workloadsOf(parsed: ParsedOptions, parts: Parts, kind: Kind): AnyClient[] {
  const all = clientsFor(parts, kind).filter((client) => !isAttack(client))
  const within = (profiles: string) => all.filter(({ profile }) => profile !== undefined && profiles.includes(profile))
  const groups = {
    all,
    E: within('E'),
    D: within('ED'),
    F: within('EDF'),
    equivalent: all.filter(({ role }) => role === 'equivalent'),
  }
  return chosenOf(textOf(parsed, 'workloads') ?? 'all', all, groups, '--workloads')
}

/** Names and groups of them, separated by commas. */
function chosenOf(
  text: string,
  all: readonly AnyClient[],
  groups: Readonly<Record<string, readonly AnyClient[]>>,
  option: string,
): AnyClient[] {
  if (text === 'none') return []
  const found = listOf(text).flatMap((name) => {
    if (Object.hasOwn(groups, name)) return groups[name]!
    const client = all.find((one) => one.name === name)
    if (client !== undefined) return [client]
    const known = [...Object.keys(groups), ...all.map((one) => one.name)]
    throw new MonitorError(
      'bad_config',
      `there is no '${name.slice(0, 60)}' for such inputs; ${hint(name, known)}`,
      option,
    )
  })
  return [...new Set(found)]
}

export function detectorsOf(parsed: ParsedOptions, parts: Parts, kind: Kind): DetectorChoices {
  const text = textOf(parsed, 'detectors') ?? 'all'
  if (text.endsWith('.json')) return readChoices(text)
  const names = text === 'all' ? detectorsFor(parts, kind) : listOf(text)
  for (const name of names) parts.registry.find(name, '--detectors')
  return Object.fromEntries(names.map((name) => [name, { name }]))
}

function readChoices(path: string): DetectorChoices {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new MonitorError('bad_config', `cannot be read as JSON: ${(cause as Error).message}`, path, { cause })
  }
  if (isPlainObject(value)) return value as DetectorChoices
  return refuse('bad_config', 'must be { "label": { "name": …, options } }', value, path)
}

type Chosen = Pick<Plan, 'clients' | 'detectors'>

/** With `--set NAME.KEY=VALUE`, where the name is a label of a detector or client. */
export function withSettings(parsed: ParsedOptions, { clients, detectors }: Chosen): Chosen {
  const [asked, watching] = [{ ...clients }, { ...detectors }]
  for (const text of parsed.values.get('set') ?? []) {
    const [, label = '', key = '', value = ''] = /^([^.=]+)\.([^=]+)=(.*)$/s.exec(text) ?? []
    const setting = { [key]: readValue(value) }
    if (Object.hasOwn(asked, label)) {
      const client: ClientChoice = asked[label]!
      asked[label] = { ...client, config: { ...client.config, ...setting } }
    } else if (Object.hasOwn(watching, label)) {
      watching[label] = { ...watching[label]!, ...setting }
    } else {
      const known = [...Object.keys(asked), ...Object.keys(watching)]
      const remedy = label === '' ? 'write NAME.KEY=VALUE' : hint(label, known)
      throw new MonitorError(
        'bad_config',
        `'${text.slice(0, 60)}' is of no client and no detector of this run; ${remedy}`,
        '--set',
      )
    }
  }
  return { clients: asked, detectors: watching }
}
