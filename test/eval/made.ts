/** Session results made up for the tests of the report. */
import type { RunRecord, SessionResult, Watched } from '../../src/eval/index.ts'

export function watched(records: readonly (readonly [number, number])[], rest: Partial<Watched> = {}): Watched {
  return {
    records,
    firstAlarm: records.find(([, score]) => score >= 1)?.[0],
    flagged: records.filter(([, score]) => score >= 1).length,
    quantiles: [0, 1],
    errors: 0,
    peakBytes: 1000,
    micros: { median: 10, p99: 20 },
    ...rest,
  }
}

export function session(rest: Partial<SessionResult>): SessionResult {
  return {
    client: 'attack',
    kind: 'image',
    role: 'evasion',
    victim: 'net',
    source: 0,
    split: 'heldout',
    seed: 1,
    queries: 100,
    hash: 'h',
    detectors: {},
    ...rest,
  }
}

export const RECORD: RunRecord = {
  format: 1,
  version: '0.1.0',
  seeds: [1],
  budget: 100,
  victims: [{ name: 'net', hash: 'a'.repeat(64), accuracy: 0.9 }],
  data: [{ name: 'pictures', hash: 'b'.repeat(64), count: 10 }],
  detectors: { d: { name: 'descent_lineage' } },
  clients: { attack: {} },
  machine: 'a machine',
  startedAt: '2026-11-24T00:00:00.000Z',
}
