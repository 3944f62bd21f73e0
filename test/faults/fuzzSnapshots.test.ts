/** Snapshots as hostile input: bytes and trees. They are refused with the state untouched, or they restore a state that works. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBytes, isMonitorError, type Snapshot, toBytes } from '../../src/core/index.ts'
import { createStreamMonitor, type Entry } from '../../src/core/monitor/index.ts'
import { expectClean, expectRefusal, fuzz } from './tools/fuzz.ts'
import { oddValue, spoilt, spoiltBytes } from './tools/odd.ts'
import { subjects } from './tools/subjects.ts'

const CONFIG = {
  detectors: [
    { name: 'text_repetition', threshold: 3, maxHistorySize: 40 },
    { name: 'text_similarity', label: 'near', maxHistorySize: 8 },
    { name: 'text_repetition', label: 'all', scope: 'global', maxHistorySize: 20 },
    { name: 'query_rate', scope: 'group' },
  ],
  policy: { mode: 'enforce', throttleAt: 2, suspendAt: 3 },
} as const

function entry(i: number): Entry {
  const fingerprint = `q${i % 9}`
  const observations = [{ fingerprint }, { embedding: Float32Array.of(i, 1, i % 5, 2) }, { fingerprint }, {}]
  return { kind: 'query', client: `client ${i % 5}`, group: `group ${i % 2}`, timeMs: 1e12 + 900 * i, observations }
}

function trained(count: number) {
  const monitor = createStreamMonitor(CONFIG)
  for (let i = 0; i < count; i++) monitor.apply(entry(i))
  return monitor
}

/** A snapshot of a whole monitor of about four kilobytes. */
function sample(): Uint8Array<ArrayBuffer> {
  for (let count = 4; ; count++) {
    const bytes = toBytes(trained(count).snapshot())
    if (bytes.length >= 4000) return bytes
  }
}

const BYTES = sample()

/** Refused with `bad_snapshot`, the state as it was; or else the state is exactly that of the snapshot. */
function expectRefusedOrSame(
  bytes: Uint8Array,
  target: ReturnType<typeof trained>,
  before: Uint8Array,
  about: string,
): void {
  try {
    target.restore(fromBytes(bytes))
  } catch (thrown) {
    if (!isMonitorError(thrown) || thrown.code !== 'bad_snapshot') throw new Error(`${about}: ${String(thrown)}`)
    return
  }
  const restored = toBytes(target.snapshot())
  if (Buffer.compare(restored, BYTES) !== 0) throw new Error(`${about}: it restored another state`)
  target.restore(fromBytes(before))
}

describe('a snapshot of 4 kB', () => {
  test('is refused cut anywhere, and with any byte behind it', () => {
    expect(BYTES.length).toBeGreaterThanOrEqual(4000)
    expect(BYTES.length).toBeLessThan(5500)
    const target = trained(3)
    const before = toBytes(target.snapshot())
    for (let length = 0; length < BYTES.length; length++) {
      expect(() => target.restore(fromBytes(BYTES.subarray(0, length))), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'bad_snapshot' }),
      )
    }
    for (const tail of [0, 1, 255]) {
      expect(() => fromBytes(Uint8Array.of(...BYTES, tail))).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
    }
    expect(toBytes(target.snapshot())).toEqual(before)
  })

  test('with any one bit flipped is refused, or restores the same state', () => {
    const target = trained(3)
    const before = toBytes(target.snapshot())
    for (let bit = 0; bit < BYTES.length * 8; bit++) {
      const flipped = BYTES.slice()
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7))
      expectRefusedOrSame(flipped, target, before, `bit ${bit}`)
    }
    expect(toBytes(target.snapshot())).toEqual(before)
    target.restore(fromBytes(BYTES))
    expect(toBytes(target.snapshot())).toEqual(BYTES)
  })
})

describe('hostile snapshots', () => {
  const small = toBytes(trained(6).snapshot())
  fuzz('snapshot bytes', { of: spoiltBytes([small]), short: 1500, full: 150_000 }, (bytes) => {
    try {
      const monitor = trained(2)
      monitor.restore(fromBytes(bytes))
      monitor.apply(entry(7))
    } catch (thrown) {
      expectRefusal(thrown, ['bad_snapshot'])
    }
    expectClean()
  })

  const state = fromBytes(small)
  fuzz(
    'a monitor state with odd things in it',
    { of: spoilt(fc.constant(state)), short: 800, full: 120_000 },
    (odd) => {
      const monitor = trained(2)
      const before = toBytes(monitor.snapshot())
      try {
        monitor.restore(odd as Snapshot)
      } catch (thrown) {
        expectRefusal(thrown, ['bad_snapshot'])
        expect(toBytes(monitor.snapshot())).toEqual(before)
        return
      }
      for (let i = 0; i < 12; i++) expectSound(monitor.apply(entry(i)))
      toBytes(monitor.snapshot())
      monitor.describe()
      expectClean()
    },
  )

  const trainedSubjects = subjects.map((subject) => {
    const detector = subject.make()
    const queries = subject.queries(30)
    for (const query of queries) detector.process(query)
    return { subject, snapshot: detector.snapshot(), queries }
  })
  const odd = fc.constantFrom(...trainedSubjects).chain((one) => {
    return spoilt(fc.constant(one.snapshot), oddValue).map((snapshot) => ({ ...one, odd: snapshot }))
  })
  fuzz(
    'a detector state with odd things in it',
    { of: odd, short: 2500, full: 200_000 },
    ({ subject, odd: snapshot, queries }) => {
      const detector = subject.make()
      const before = toBytes(detector.snapshot())
      try {
        detector.restore(snapshot)
      } catch (thrown) {
        expectRefusal(thrown, ['bad_snapshot'])
        expect(toBytes(detector.snapshot())).toEqual(before)
        return
      }
      for (const query of queries.slice(0, 12)) {
        const found = resultOf(() => detector.process(query))
        if (found === undefined) break
        const { score, confidence } = found
        expect(Number.isFinite(score), `${subject.name} ${score}`).toBe(true)
        expect(confidence >= 0 && confidence <= 1, `${subject.name} ${confidence}`).toBe(true)
      }
      toBytes(detector.snapshot())
      expectClean()
    },
  )
})

/**
 * The vectors of a state may have been replaced by ones of another length: that is a state of another embedder, which takes no
 * query of ours and says why.
 */
const OTHER_LENGTH = /must have \d+ numbers like the ones before/

/** Undefined where the state is of another embedder. */
function resultOf<T>(process: () => T): T | undefined {
  try {
    return process()
  } catch (thrown) {
    expectRefusal(thrown, ['bad_query'])
    expect((thrown as Error).message).toMatch(OTHER_LENGTH)
    return undefined
  }
}

/** Of a verdict: every number finite, and no error but that of another embedder. */
function expectSound({ verdict }: ReturnType<ReturnType<typeof trained>['apply']>): void {
  expect(Number.isFinite(verdict!.client.evidence)).toBe(true)
  for (const { score, confidence } of verdict!.detections) {
    expect(Number.isFinite(score)).toBe(true)
    expect(confidence >= 0 && confidence <= 1).toBe(true)
  }
  for (const { code, message } of verdict!.errors) {
    expect(code, message).toBe('bad_query')
    expect(message).toMatch(OTHER_LENGTH)
  }
}
