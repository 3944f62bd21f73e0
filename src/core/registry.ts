/** Names to detectors. Types of names, options and results are derived from the table. */
import { type Builtins, builtins } from './builtins.ts'
import { checkObject, hint, isPlainObject, refuse, show } from './checkers.ts'
import { type Calibrated, type DetectorSpec, defined, type PreparedDetector, prepareDetector } from './detector.ts'
import { COSTS, type DetectorCost } from './detectorCosts.ts'
import { MonitorError } from './errors.ts'
import type { Technique } from './techniques.ts'
import type { Detector, Feature, Modality, PlainData } from './types.ts'

/** A table of detectors by name. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where specs of different types share a table
export type Specs = Readonly<Record<string, DetectorSpec<any, any, any, Modality, Feature>>>

/** The options of a detector, all optional. */
export type ConfigOf<Spec> =
  Spec extends DetectorSpec<infer Config, infer _O, infer _M, infer _I, infer _N> ? Partial<Config> & Calibrated : never
/** What a detector eats. */
export type ObservationOf<Spec> =
  Spec extends DetectorSpec<infer _C, infer Obs, infer _M, infer _I, infer _N> ? Obs : never
/** The metadata of a detector's results. */
export type MetadataOf<Spec> =
  Spec extends DetectorSpec<infer _C, infer _O, infer Meta, infer _I, infer _N> ? Meta : never
/** The synchronous detector that a spec makes. */
export type DetectorOf<Spec> = Detector<ObservationOf<Spec>, MetadataOf<Spec>>

/** One line of {@link Registry.listDetectors}. */
export interface DetectorListing {
  readonly name: string
  readonly family: string
  readonly modality: Modality
  readonly needs: Feature
  readonly summary: string
  /** What it finds signs of, as MITRE ATLAS names it, the likeliest first. */
  readonly techniques: readonly Technique[]
  /** Where the method comes from. */
  readonly paper?: string
  /** What it remembers of a client and takes per query at its defaults; undefined for a detector of one's own. */
  readonly cost?: DetectorCost
  /** The default options, without plug-in functions. */
  readonly defaults: Readonly<Record<string, PlainData>>
}

export interface ListFilter {
  /** Detectors that work for this modality: its own and those for `any`. */
  readonly modality?: Modality
  readonly family?: string
}

/** A table of detectors and the verbs over it. */
export interface Registry<Table extends Specs = Builtins> {
  readonly specs: Table
  /** A synchronous detector that eats observations. Throws `bad_config` for an unknown name or a bad option. */
  createDetector<Name extends keyof Table & string>(name: Name, config?: ConfigOf<Table[Name]>): DetectorOf<Table[Name]>
  /** The same for as many detectors as are to be made. */
  prepareDetector<Name extends keyof Table & string>(
    name: Name,
    config?: ConfigOf<Table[Name]>,
  ): PreparedDetector<ObservationOf<Table[Name]>, MetadataOf<Table[Name]>>
  /** All detectors that fit, in the table's order. An unknown modality or family gives an empty list. */
  listDetectors(filter?: ListFilter): DetectorListing[]
  /** Adds a detector to this registry and returns it under a type that knows the name. Throws `bad_config` if taken. */
  registerDetector<Name extends string, Spec extends Specs[string]>(
    name: Name,
    spec: Spec,
  ): Registry<Table & Readonly<Record<Name, Spec>>>
  /** The spec of a name that comes from outside. Throws `bad_config`, naming the nearest known name. */
  find(name: unknown, path?: string): Specs[string]
}

/** A registry of one's own, with the built-in detectors in it. Nothing is shared with another one. */
export function createRegistry(): Registry {
  // biome-ignore lint/suspicious/noExplicitAny: grows at run time; the typed view is what registerDetector returns
  const specs: Record<string, any> = Object.assign(Object.create(null), builtins)
  const registry = { specs, createDetector, prepareDetector: prepare, listDetectors, registerDetector, find }
  return registry as unknown as Registry

  function prepare(name: string, config?: object) {
    return prepareDetector(name, find(name), config)
  }

  function createDetector(name: string, config?: object) {
    return prepare(name, config).make()
  }

  function listDetectors(filter: ListFilter = {}): DetectorListing[] {
    const { modality, family } = checkObject(filter, ['modality', 'family'], 'filter')
    return Object.entries(specs as Specs)
      .filter(([, spec]) => family === undefined || spec.family === family)
      .filter(([, { modality: own, needs }]) => {
        // A text has no numbers to take small steps in.
        const isAny = own === 'any' && MODALITIES.includes(modality) && !(needs === 'vector' && modality === 'text')
        return modality === undefined || own === modality || isAny
      })
      .map(([name, { family, modality, needs, summary, techniques = [], paper, defaults }]) => {
        const cost = Object.hasOwn(COSTS, name) ? COSTS[name] : undefined
        const known = defined({ paper, cost })
        const plain = defined(defaults) as DetectorListing['defaults']
        return { name, family, modality, needs, summary, techniques, ...known, defaults: plain }
      })
  }

  function registerDetector(name: string, spec: Specs[string]) {
    if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
      refuse('bad_config', 'must be lower-case letters, digits and _, up to 64', name, 'name')
    }
    if (Object.hasOwn(specs, name))
      throw new MonitorError('bad_config', `'${name}' is taken; choose another name`, 'name')
    const isSpec = isPlainObject(spec) && typeof spec['logic'] === 'function' && isPlainObject(spec['defaults'])
    if (!isSpec) refuse('bad_config', 'must be made by defineDetector', spec, 'spec')
    specs[name] = spec
    return registry
  }

  function find(name: unknown, path = 'name'): Specs[string] {
    if (typeof name === 'string' && Object.hasOwn(specs, name)) return specs[name]
    throw new MonitorError('bad_config', `no detector is called ${show(name)}; ${hint(name, Object.keys(specs))}`, path)
  }
}

const MODALITIES: readonly unknown[] = ['any', 'text', 'tabular', 'image'] satisfies Modality[]

/**
 * A synchronous built-in detector: `createDetector('text_repetition', { threshold: 3 })`. It eats observations; the
 * name types the options and the result. Throws `bad_config`.
 */
export function createDetector<Name extends keyof Builtins & string>(
  name: Name,
  config?: ConfigOf<Builtins[Name]>,
): DetectorOf<Builtins[Name]> {
  return createRegistry().createDetector(name, config)
}

/** The built-in detectors, those for `any` modality included in each. */
export function listDetectors(filter?: ListFilter): DetectorListing[] {
  return createRegistry().listDetectors(filter)
}
