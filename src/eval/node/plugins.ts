/** What users bring along: one file whose default export names attacks, workloads, detectors, models and data. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  createRegistry,
  hint,
  isPlainObject,
  MonitorError,
  type Registry,
  refuse,
  type Specs,
} from '../../core/index.ts'
import { type AnyClient, CLIENTS } from '../clients.ts'
import type { Victim } from '../types.ts'
import type { Dataset } from './data/dataset.ts'

/** The default export of a plug-in. */
export interface Plugin {
  /** As `defineAttack` makes them. */
  readonly attacks?: readonly AnyClient[]
  /** As `defineWorkload` makes them. */
  readonly workloads?: readonly AnyClient[]
  /** By their names, as `defineDetector` makes them. */
  readonly detectors?: Specs
  /** Models of any kind by their names; opened once in each thread. */
  readonly victims?: Readonly<Record<string, () => Promise<Victim>>>
  /** Data by its name; read once in each thread. */
  readonly data?: Readonly<Record<string, () => Promise<Dataset>>>
}

/** Ours and the users' own, by name. */
export interface Parts {
  readonly clients: ReadonlyMap<string, AnyClient>
  // biome-ignore lint/suspicious/noExplicitAny: a registry of unknown detectors
  readonly registry: Registry<any>
  readonly victims: ReadonlyMap<string, () => Promise<Victim>>
  readonly data: ReadonlyMap<string, () => Promise<Dataset>>
}

const KEYS: readonly string[] = ['attacks', 'workloads', 'detectors', 'victims', 'data'] satisfies (keyof Plugin)[]

/** Imports the files, in order. Throws `bad_config` for one that cannot be used, and for a name that is taken. */
export async function loadParts(files: readonly string[] = []): Promise<Parts> {
  const clients = new Map(CLIENTS.map((client) => [client.name, client]))
  const registry = createRegistry()
  const victims = new Map<string, () => Promise<Victim>>()
  const data = new Map<string, () => Promise<Dataset>>()
  for (const file of files) {
    const plugin = await importPlugin(file)
    for (const client of [...(plugin.attacks ?? []), ...(plugin.workloads ?? [])]) {
      add(clients, checkClient(client, file).name, client, file)
    }
    for (const [name, spec] of Object.entries(plugin.detectors ?? {})) registry.registerDetector(name, spec)
    for (const [name, open] of Object.entries(plugin.victims ?? {})) add(victims, name, open, file)
    for (const [name, read] of Object.entries(plugin.data ?? {})) add(data, name, read, file)
  }
  return { clients, registry, victims, data }
}

async function importPlugin(file: string): Promise<Plugin> {
  let found: { readonly default?: unknown }
  try {
    found = await import(/* @vite-ignore */ pathToFileURL(resolve(file)).href)
  } catch (cause) {
    throw new MonitorError(
      'bad_config',
      `cannot be imported: ${cause instanceof Error ? cause.message : String(cause)}`,
      file,
      { cause },
    )
  }
  const plugin = found.default
  if (!isPlainObject(plugin))
    refuse('bad_config', `must export as default an object of ${KEYS.join(', ')}`, plugin, file)
  const other = Object.keys(plugin).find((key) => !KEYS.includes(key))
  if (other === undefined) return checkParts(plugin, file)
  throw new MonitorError('bad_config', `has an unknown part '${other.slice(0, 40)}'; ${hint(other, KEYS)}`, file)
}

/** Lists where there must be lists, functions where there must be functions. */
function checkParts(plugin: Readonly<Record<string, unknown>>, file: string): Plugin {
  for (const key of ['attacks', 'workloads']) {
    const list = plugin[key] ?? []
    if (!Array.isArray(list)) refuse('bad_config', `must have a list of ${key}`, list, file)
  }
  for (const key of ['detectors', 'victims', 'data']) {
    const named = plugin[key] ?? {}
    if (!isPlainObject(named)) refuse('bad_config', `must have an object of ${key} by their names`, named, file)
    if (key === 'detectors') continue // the registry looks at them
    const [name, odd] = Object.entries(named).find(([, one]) => typeof one !== 'function') ?? []
    if (name !== undefined) refuse('bad_config', `must have a function for '${name.slice(0, 40)}' of ${key}`, odd, file)
  }
  return plugin as Plugin
}

function checkClient(client: AnyClient, file: string): AnyClient {
  if (typeof client?.name === 'string' && typeof client.run === 'function' && isPlainObject(client.defaults)) {
    return client
  }
  return refuse('bad_config', 'must be made by defineAttack or defineWorkload', client, file)
}

function add<T>(table: Map<string, T>, name: string, value: T, file: string): void {
  if (table.has(name)) throw new MonitorError('bad_config', `'${name}' is taken; choose another name`, file)
  table.set(name, value)
}

/** The entry of a name. Throws `bad_config`, naming the nearest known one. */
export function findIn<T>(table: ReadonlyMap<string, T>, name: string, what: string, path: string): T {
  const found = table.get(name)
  if (found !== undefined) return found
  const remedy = table.size === 0 ? 'a plug-in brings them along' : hint(name, [...table.keys()])
  throw new MonitorError('bad_config', `no ${what} is called '${name.slice(0, 60)}'; ${remedy}`, path)
}
