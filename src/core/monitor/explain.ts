/** Why somebody is refused, in a sentence with its numbers. */
import type { Cause, EvidenceRule } from './evidence/evidence.ts'
import type { Slot } from './slots.ts'

/** What there is to explain. */
export interface Explained {
  readonly what: 'throttled' | 'suspended'
  /** Of a suspension. */
  readonly forMs?: number
  /** Evidence and queries of the client, or of its group. */
  readonly evidence: number
  readonly queries: number
  readonly causes: readonly Cause[]
  /** True where it is the evidence of the client's group. */
  readonly isGroup: boolean
}

const MOST_CAUSES = 3

/** A few sentences for the operator. They tell the detectors: nothing for the client. */
export function explain(
  { what, forMs, evidence, queries, causes, isGroup }: Explained,
  rule: EvidenceRule,
  slots: readonly Slot[],
): string {
  const verb = forMs === undefined ? 'Throttled' : `Suspended for ${lengthOf(forMs)}`
  const whose = isGroup ? 'of its group ' : ''
  const limit = what === 'throttled' ? rule.throttleAt : rule.suspendAt
  const named = causes.slice(0, MOST_CAUSES)
  const parts = named.map(({ slot, share, what: seen }) => `${slots[slot]!.label} ${percent(share)} (${seen})`)
  const [technique] = named.flatMap(({ slot }) => slots[slot]!.techniques)
  return [
    `${verb}: evidence ${whose}${short(evidence)} after ${queries} ${queries === 1 ? 'query' : 'queries'}, ${meaning(evidence, limit, rule)}.`,
    ...(parts.length === 0 ? [] : [`It comes from ${parts.join(', ')}.`]),
    ...(technique === undefined ? [] : [`MITRE ATLAS: ${technique.id} ${technique.name}.`]),
  ].join(' ')
}

function meaning(evidence: number, limit: number, rule: EvidenceRule): string {
  const p = rule.pValue(evidence)
  if (p !== undefined)
    return `at least ${short(limit)}, and as much as a share of at most ${short(p)} of benign clients ever has`
  if (rule.kind === 'count') return `at least ${short(limit)} suspicious queries`
  return `at least ${short(limit)} nats`
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}

const MINUTE = 60_000
const UNITS = [
  [1440 * MINUTE, 'd'],
  [60 * MINUTE, 'h'],
  [MINUTE, 'min'],
  [1000, 's'],
] as const

function lengthOf(ms: number): string {
  const [size, unit] = UNITS.find(([one]) => ms >= one) ?? [1, 'ms']
  return `${short(ms / size)} ${unit}`
}
