import { createRegistry, type Registry, type Specs } from './core/index.ts'

/**
 * Adds a detector to a registry of one's own, by default a new one with the built-in detectors, and returns it:
 * `const registry = registerDetector('mine', spec)`, then `getDetector('mine', {}, { registry })`. There is no global
 * table to change. Throws `bad_config` if the name is taken.
 */
export function registerDetector<Name extends string, Spec extends Specs[string], Table extends Specs>(
  name: Name,
  spec: Spec,
  registry: Registry<Table> = createRegistry() as unknown as Registry<Table>,
): Registry<Table & Readonly<Record<Name, Spec>>> {
  return registry.registerDetector(name, spec)
}
