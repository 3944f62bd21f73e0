/** Two runs beside each other, session by session where both have the same. */
import { alarmShare, byClient, type Candidate, firstAlarm, timelyShare } from '../metrics.ts'
import type { SessionResult } from '../results.ts'
import { shareText, type Table } from './table.ts'

/** What names a session in every run. */
function keyOf({ client, victim, source, seed }: SessionResult): string {
  return JSON.stringify([client, victim, source, seed])
}

/** For each client and each detector that both runs know. */
export function compareRuns(a: readonly SessionResult[], b: readonly SessionResult[]): Table {
  const others = new Map(b.map((session) => [keyOf(session), session]))
  const pairs = a.flatMap((session) => {
    const other = others.get(keyOf(session))
    return other === undefined ? [] : [{ a: session, b: other }]
  })
  const common = labelsOf(a).filter((label) => labelsOf(b).includes(label))
  const changed = pairs.filter((pair) => pair.a.hash !== pair.b.hash).length
  const rows = [...byClient(pairs.map((pair) => pair.a))].flatMap(([client]) => {
    const own = pairs.filter((pair) => pair.a.client === client)
    return common.map((label) => rowOf(client, own, { name: label, thresholds: { [label]: 'own' } }))
  })
  return {
    title: 'Compared',
    note: `${pairs.length} sessions are in both runs (${a.length} and ${b.length} in all); ${changed} of them asked other queries. The last column is the chance of so uneven a split of the sessions that changed sides, if both were alike (exact sign test).`,
    columns: ['client', 'detector', 'A', 'B', 'alarm in A only', 'alarm in B only', 'p'],
    rows,
  }
}

interface Pair {
  readonly a: SessionResult
  readonly b: SessionResult
}

function rowOf(client: string, pairs: readonly Pair[], candidate: Candidate): (string | number)[] {
  const isAttack = pairs[0]!.a.role === 'evasion'
  const [a, b] = (['a', 'b'] as const).map((side) => {
    const sessions = pairs.map((pair) => pair[side])
    return shareText(isAttack ? timelyShare(sessions, candidate) : alarmShare(sessions, candidate))
  })
  const alarms = pairs.map((pair) => [
    firstAlarm(pair.a, candidate) < Infinity,
    firstAlarm(pair.b, candidate) < Infinity,
  ])
  const onlyA = alarms.filter(([inA, inB]) => inA && !inB).length
  const onlyB = alarms.filter(([inA, inB]) => inB && !inA).length
  return [client, candidate.name, a!, b!, onlyA, onlyB, signTest(onlyA, onlyB)]
}

/** Two-sided: how likely so uneven a split of a + b fair coins is. */
export function signTest(a: number, b: number): number {
  const n = a + b
  let [term, tail] = [2 ** -n, 0]
  for (let k = 0; k <= Math.min(a, b); k++) {
    tail += term
    term *= (n - k) / (k + 1)
  }
  return Math.min(2 * tail, 1)
}

/** Every detector that saw a session, in the order of the first. */
export function labelsOf(sessions: readonly SessionResult[]): string[] {
  return [...new Set(sessions.flatMap(({ detectors }) => Object.keys(detectors)))]
}
