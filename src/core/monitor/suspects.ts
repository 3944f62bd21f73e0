/** Many clients looked at once. */
import { checkShare } from '../stats/checks.ts'
import { eBenjaminiHochberg } from '../stats/eValues.ts'
import type { ClientSummary } from './verdict.ts'

/**
 * The clients to look into, out of all that are remembered, the most evidence first: by e-BH, among those that it names
 * the expected share of benign ones is at most alpha, however the clients depend on each other. For monitors whose evidence
 * is in nats, as their description says; under the assumption of `PolicyConfig.alpha`. A report, which suspends nobody.
 *
 * @param clients What `clients()` gives; not empty.
 */
export function suspects(clients: readonly ClientSummary[], alpha: number): ClientSummary[] {
  checkShare(alpha, 'alpha')
  if (clients.length === 0) return []
  const named = eBenjaminiHochberg(
    clients.map(({ evidence }) => evidence),
    alpha,
  )
  return named.map((i) => clients[i]!).sort((a, b) => b.evidence - a.evidence)
}
