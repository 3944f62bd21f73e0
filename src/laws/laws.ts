/** The laws themselves. */
import {
  type Detection,
  type Detector,
  fromBytes,
  isMonitorError,
  type PlainData,
  type Snapshot,
  toBytes,
} from '../core/index.ts'
import { holds, refused, same, scribble, without } from './checks.ts'
import { areaUnderRoc } from './roc.ts'
import type { Law, LawSubject } from './subject.ts'

const STREAM = 60

/** The laws for one detector, ready to run. */
export function lawsOf<Obs>(subject: LawSubject<Obs>): Law[] {
  const { name, make, queries, async: asyncSubject } = subject
  const laws: Law[] = [
    { name: 'determinism: the same queries give the same detections', check: determinism },
    { name: 'batch: a batch gives what single calls give, in order', check: batch },
    { name: 'batch: one bad query leaves the state as it was', check: batchIsAtomic },
    { name: 'reset: after a reset it equals a new one, now and later', check: reset },
    { name: 'restore: a copy of the snapshot continues exactly the same', check: restore },
    { name: 'restore: so does a snapshot that went through bytes', check: restoreFromBytes },
    { name: 'verdict: suspicious is the threshold rule, the score finite, the confidence in [0, 1]', check: verdict },
    { name: 'input: a query is neither changed nor kept', check: input },
    { name: 'plain data: a detection equals its structured clone, and changing it changes nothing', check: plainData },
    { name: 'bounded memory: ten windows are no bigger than one', check: boundedMemory },
    { name: 'bad snapshot: another detector, another version, a cut one are refused', check: badSnapshot },
    ...Object.entries(subject.bad).map(([what, observation]) => ({
      name: `bad query: ${what} is refused and changes nothing`,
      check: () => badQuery(observation),
    })),
  ]
  if (subject.labelled !== undefined) {
    laws.push({ name: 'usefulness: the ROC AUC on a labelled stream is above one half', check: usefulness })
  }
  if (asyncSubject !== undefined) {
    laws.push({ name: 'async: verdicts follow the order of the calls, and a failure leaves no trace', check: order })
  }
  return laws.map((law) => ({ ...law, name: `${name}: ${law.name}` }))

  function determinism(): void {
    const [a, b] = [make(), make()]
    for (const [i, one] of queries(STREAM).entries()) same(a.process(one), b.process(queries(STREAM)[i]!), `query ${i}`)
    same(a.snapshot(), b.snapshot(), 'the snapshots')
  }

  function batch(): void {
    const [a, b] = [make(), make()]
    const single = queries(STREAM).map((one) => a.process(one))
    const [first, second] = [queries(STREAM).slice(0, 7), queries(STREAM).slice(7)]
    same([...b.processBatch(first), ...b.processBatch(second)], single, 'the detections')
    same(b.snapshot(), a.snapshot(), 'the snapshots')
    same(b.processBatch([]), [], 'an empty batch')
  }

  function batchIsAtomic(): void {
    const detector = trained()
    const before = detector.snapshot()
    for (const [what, observation] of Object.entries(subject.bad)) {
      refused(() => detector.processBatch([...queries(3), observation as Obs]), 'bad_query', what)
      same(detector.snapshot(), before, `the state after a batch with ${what}`)
    }
  }

  function reset(): void {
    const detector = trained()
    detector.reset()
    const fresh = make()
    same(detector.snapshot(), fresh.snapshot(), 'the snapshot')
    same(detector.describe(), fresh.describe(), 'the description')
    for (const one of queries(STREAM)) same(detector.process(one), fresh.process(one), 'a later detection')
  }

  function restore(): void {
    continues((snapshot) => structuredClone(snapshot))
  }

  function restoreFromBytes(): void {
    continues((snapshot) => fromBytes(toBytes(snapshot)))
  }

  function continues(travel: (snapshot: Snapshot) => Snapshot): void {
    for (const seen of [0, 1, 5, subject.window, subject.window + 3]) {
      const original = make()
      for (const one of queries(seen)) original.process(one)
      const copy = make()
      for (const one of queries(4)) copy.process(one) // a restore replaces whatever was there
      copy.restore(travel(original.snapshot()))
      same(copy.snapshot(), original.snapshot(), `the snapshot after ${seen} queries`)
      same(copy.describe(), original.describe(), `the description after ${seen} queries`)
      for (const one of queries(STREAM))
        same(copy.process(one), original.process(one), `a detection after ${seen} queries`)
    }
  }

  function verdict(): void {
    const detector = make()
    for (const [i, one] of queries(STREAM).entries()) {
      const d = detector.process(one)
      const expected = subject.isSuspicious?.(d, i) ?? d.score >= d.threshold
      same(d.suspicious, expected, `suspicious of query ${i} with score ${d.score} and threshold ${d.threshold}`)
      holds(Number.isFinite(d.score), `a finite score, got ${d.score}`)
      holds(d.confidence >= 0 && d.confidence <= 1, `a confidence in [0, 1], got ${d.confidence}`)
      holds(typeof d.reason === 'string' && d.reason.length > 0, 'a reason in words')
      same(d.detector, detector.name, 'the name')
    }
  }

  function input(): void {
    const [careless, careful] = [make(), make()]
    for (const [i, one] of queries(STREAM).entries()) {
      const before = structuredClone(one)
      const a = careless.process(one)
      same(one, before, `query ${i} after the call`)
      scribble(one)
      same(a, careful.process(queries(STREAM)[i]!), `detection ${i} although earlier queries were scribbled over`)
    }
  }

  function badQuery(observation: unknown): void {
    const detector = trained()
    const before = detector.snapshot()
    refused(() => detector.process(observation as Obs), 'bad_query', 'the query')
    same(detector.snapshot(), before, 'the state')
    const twin = make()
    twin.restore(before)
    for (const one of queries(5)) same(detector.process(one), twin.process(one), 'a later detection')
  }

  function plainData(): void {
    const [kept, changed] = [make(), make()]
    for (const [i, one] of queries(STREAM).entries()) {
      const d = changed.process(one)
      same(structuredClone(d), d, `detection ${i}`)
      scribble(d.metadata)
      scribble(changed.snapshot())
      scribble(changed.describe())
      same(kept.process(queries(STREAM)[i]!).score, d.score, `score ${i} although earlier results were scribbled over`)
    }
  }

  function boundedMemory(): void {
    const sizes = [1, 10].map((times) => {
      const detector = make()
      for (const one of queries(times * subject.window)) detector.process(one)
      return { snapshot: toBytes(detector.snapshot()).length, bytes: detector.bytes() }
    })
    const [once, tenfold] = [sizes[0]!, sizes[1]!]
    holds(
      tenfold.snapshot <= once.snapshot * 1.05 + 64,
      `a snapshot of ${once.snapshot} bytes or less, got ${tenfold.snapshot}`,
    )
    holds(tenfold.bytes <= once.bytes * 1.5 + 64, `an estimate of about ${once.bytes} bytes, got ${tenfold.bytes}`)
  }

  function badSnapshot(): void {
    const detector = trained()
    const good = detector.snapshot()
    const { state, ...rest } = good
    const wrong: unknown[] = [
      subject.foreign,
      { ...good, version: good.version + 1 },
      { ...good, version: '1' },
      rest,
      { ...good, state: null },
      { ...good, state: 'state' },
      { ...good, state: [] },
      { ...good, state: { ...(state as object), more: 1 } },
      null,
      7,
      ...Object.keys(state as object).map((key) => ({
        ...good,
        state: without(state as Record<string, PlainData>, key),
      })),
      ...Object.keys(state as object).map((key) => ({ ...good, state: { ...(state as object), [key]: 'nonsense' } })),
      ...Object.keys(state as object).map((key) => ({
        ...good,
        state: { ...(state as object), [key]: [{}, Number.NaN] },
      })),
    ]
    for (const [i, snapshot] of wrong.entries()) {
      refused(() => detector.restore(snapshot as Snapshot), 'bad_snapshot', `wrong snapshot ${i}`)
      same(detector.snapshot(), good, `the state after wrong snapshot ${i}`)
    }
    const bytes = toBytes(good)
    for (let length = 0; length < bytes.length; length += Math.max(1, Math.floor(bytes.length / 97))) {
      refused(() => fromBytes(bytes.subarray(0, length)), 'bad_snapshot', `a snapshot cut at ${length} bytes`)
    }
  }

  function usefulness(): void {
    const detector = make()
    const scored = subject.labelled!().map(({ observation, suspicious }) => {
      return { score: detector.process(observation).score, suspicious }
    })
    const area = areaUnderRoc(scored)
    holds(area > 0.5, `a ROC AUC above 0.5, got ${area}`)
  }

  async function order(): Promise<void> {
    const subjectAsync = asyncSubject!
    const [slow, instant] = [subjectAsync.make('slow'), subjectAsync.make('instant')]
    const expected: Detection[] = []
    for (const one of subjectAsync.queries(20)) expected.push(await instant.process(one as never))
    const settled: number[] = []
    const calls = subjectAsync.queries(20).map((one, i) =>
      slow.process(one as never).then((d) => {
        settled.push(i)
        return d
      }),
    )
    same(await Promise.all(calls), expected, 'the detections')
    same(
      settled,
      [...settled].sort((a, b) => a - b),
      'the order of the answers',
    )
    const before = await slow.snapshot()
    let failure: unknown
    await slow.process(subjectAsync.failing as never).catch((thrown: unknown) => {
      failure = thrown
    })
    holds(isMonitorError(failure), `a MonitorError for the failing query, got ${String(failure)}`)
    same(await slow.snapshot(), before, 'the state after the failure')
    const next = subjectAsync.queries(21)[20]!
    same(await slow.process(next as never), await instant.process(next as never), 'the call after the failure')
  }

  function trained(): Detector<Obs, unknown> {
    const detector = make()
    for (const one of queries(subject.window + 5)) detector.process(one)
    return detector
  }
}
