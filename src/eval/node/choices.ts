/** What there is for one kind of input, for those who want all of it. */
import { isMonitorError } from '../../core/index.ts'
import type { AnyClient } from '../clients.ts'
import { isFor } from '../observe.ts'
import type { Kind } from '../types.ts'
import type { Parts } from './plugins.ts'

export function clientsFor({ clients }: Parts, kind: Kind): AnyClient[] {
  return [...clients.values()].filter((client) => client.kind === kind)
}

/** Names of the detectors that work on such inputs as they are; others need a reference, which only data can give. */
export function detectorsFor({ registry }: Parts, kind: Kind): string[] {
  return Object.keys(registry.specs).filter((name) => isFor(registry.find(name), kind) && isReady(registry, name))
}

function isReady(registry: Parts['registry'], name: string): boolean {
  try {
    registry.createDetector(name)
    return true
  } catch (thrown) {
    if (isMonitorError(thrown) && thrown.code === 'bad_config') return false
    throw thrown
  }
}
