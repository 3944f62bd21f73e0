/** Floods against the monitor: its memory stays bounded, honest clients are judged all the same, and somebody is told. */
import { describe, expect, test } from 'vitest'
import { createStreamMonitor, type MonitorEvent, type QueryEntry } from '../../src/core/monitor/index.ts'
import { createMonitor } from '../../src/embed/index.ts'
import { listDetectors } from '../../src/index.ts'
import { grownMib } from './tools/memory.ts'
import { runsOf, tell } from './tools/size.ts'

const MIB = 2 ** 20
const START = 1_700_000_000_000

function query(client: string, fingerprint: string, timeMs: number): QueryEntry {
  return { kind: 'query', client, timeMs, observations: [{ fingerprint }] }
}

/** What one client asks, beside a flood. */
function honest(i: number): QueryEntry {
  return query(`honest ${i % 20}`, `question ${i}`, START + i)
}

describe('invented clients', () => {
  const count = runsOf(60_000, 10_000_000)
  const limits = { maxClients: 2000, maxBytes: 8 * MIB }
  const policy = { mode: 'enforce', throttleAt: 2, suspendAt: 3, suspendForMs: 1e9, fadePerMinute: 0 } as const

  test(`${count} of them stay within the limits, hide nobody, silence nothing, and ring an alarm`, {
    timeout: 3_600_000,
  }, async () => {
    const detectors = [{ name: 'text_repetition', threshold: 2, maxHistorySize: 50 }]
    const monitor = createStreamMonitor({ detectors, clients: limits, policy })
    const told: Record<MonitorEvent['kind'], number> = {} as never
    const hear = (events: readonly MonitorEvent[]) => {
      for (const { kind } of events) told[kind] = (told[kind] ?? 0) + 1
    }
    for (let i = 0; i < 4; i++) monitor.apply(query('eve', 'again', START + i))
    expect(monitor.admit('eve', START + 5).allowed).toBe(false)
    let mostBytes = 0
    let wrong = 0
    let caught = 0
    const grown = await grownMib(() => {
      for (let i = 0; i < count; i++) {
        const name = `invented ${i} ${'x'.repeat(200)}`
        const applied = monitor.apply(query(name, `flood ${i}`, START + i))
        if (applied.verdict.suspicious) wrong++
        hear(applied.events)
        if (i % 300 !== 0) continue
        // An honest client is judged by its own memory, and one that repeats itself is found.
        const { verdict, events } = monitor.apply(honest(i))
        if (verdict.action !== 'allow' || verdict.detections.length !== 1) wrong++
        hear(events)
        if (monitor.apply(query('mallory', 'the same', START + i)).verdict.suspicious) caught++
        mostBytes = Math.max(mostBytes, monitor.describe().clients.bytes)
      }
    })
    expect(wrong).toBe(0)
    expect(caught).toBe(Math.ceil(count / 300) - 1) // all but the first time
    expect(monitor.admit('eve', START + count).allowed).toBe(false)
    expect(monitor.admit('mallory', START + count).allowed).toBe(false)
    expect(mostBytes).toBeLessThanOrEqual(limits.maxBytes)
    expect(monitor.clients().length).toBeLessThanOrEqual(limits.maxClients)
    expect(grown).toBeLessThan(40)
    // One alarm for each window of a minute, in which there are sixty thousand of them.
    expect(told.eviction_storm).toBeGreaterThanOrEqual(1)
    expect(told.eviction_storm).toBeLessThanOrEqual(Math.ceil(count / 60_000))
    tell(`${count} invented clients: ${(mostBytes / MIB).toFixed(1)} MiB of clients, ${grown.toFixed(1)} MiB grown`)
  })

  test('names that only suspensions keep are bounded too: the oldest suspensions leave first', () => {
    const monitor = createStreamMonitor({ detectors: ['text_repetition'], clients: { maxClients: 100 }, policy })
    for (let i = 0; i < 5000; i++) {
      monitor.apply({ kind: 'suspend', client: `name ${i}`, timeMs: START, untilMs: START + 1e9 })
    }
    expect(monitor.suspensions()).toHaveLength(100)
    expect(monitor.admit('name 4999', START).allowed).toBe(false)
  })

  test('groups are bounded as clients are', () => {
    const detectors = [{ name: 'text_repetition', scope: 'group' }] as const
    const monitor = createStreamMonitor({ detectors, clients: { maxClients: 50, maxBytes: MIB } })
    for (let i = 0; i < 3000; i++) monitor.apply({ ...query('a', 'x', START + i), group: `group ${i}` })
    const { state } = monitor.snapshot()
    expect((state as { groups: unknown[] }).groups.length).toBeLessThanOrEqual(50)
    expect(monitor.describe().clients.bytes).toBeLessThanOrEqual(2 * MIB)
  })
})

describe('one client', () => {
  const count = runsOf(30_000, 1_000_000)

  test(`with ${count} queries takes no memory beyond its windows, and changes no verdict of others`, {
    timeout: 3_600_000,
  }, async () => {
    const detectors = [{ name: 'text_repetition', threshold: 3, maxHistorySize: 100 }, { name: 'query_rate' }]
    const make = () => createStreamMonitor({ detectors, policy: { mode: 'enforce' } })
    const both = (entry: QueryEntry): QueryEntry => ({ ...entry, observations: [entry.observations[0]!, {}] })
    const [flooded, calm] = [make(), make()]
    const grown = await grownMib(() => {
      for (let i = 0; i < count; i++) {
        flooded.apply(both(query('busy', `query ${i % 70_000}`, START + i)))
        if (i % 200 !== 0) continue
        const entry = both(honest(i))
        expect(flooded.apply(entry).verdict).toEqual(calm.apply(entry).verdict)
      }
    })
    const [busy] = flooded.clients().filter(({ id }) => id === 'busy')
    expect(busy).toMatchObject({ queries: count })
    expect(flooded.describe().clients.bytes).toBeLessThan(MIB)
    expect(grown).toBeLessThan(20)
    tell(`one client with ${count} queries: ${grown.toFixed(1)} MiB grown`)
  })
})

describe('outputs of a million classes', () => {
  const K = 1_000_000
  const uniform = new Float32Array(K).fill(1 / K)

  test('are judged by entropy, and by margin, in time that a test does not notice', async () => {
    const monitor = createMonitor({
      detectors: [
        { name: 'confidence', mode: 'entropy', threshold: 10 },
        { name: 'confidence', mode: 'margin', label: 'margin' },
      ],
    })
    for (let i = 0; i < 10; i++) {
      const { detections, errors } = await monitor.inspect({ input: 'x', modelOutput: uniform, client: `client ${i}` })
      expect(errors).toEqual([])
      expect(Math.abs(detections[0]!.score - Math.log(K))).toBeLessThan(1e-3)
    }
  })

  // The hardness histogram begins with a reference, which says how many classes there are.
  const eaters = listDetectors().filter(
    ({ name, needs }) => (needs === 'probabilities' || needs === 'vector') && name !== 'hardness_histogram',
  )

  test.each(eaters.map(({ name }) => name))(
    '%s refuses or remembers them within the limits of clients',
    async (name) => {
      const maxBytes = 32 * MIB
      const monitor = createMonitor({ detectors: [name], clients: { maxBytes } } as never)
      const grown = await grownMib(async () => {
        for (let i = 0; i < 40; i++) {
          const modelOutput = uniform.slice()
          modelOutput[i] = 2 / K
          await monitor.inspect({ input: { a: i, b: 1 }, modelOutput, client: `client ${i % 20}` }).catch((thrown) => {
            expect(thrown).toMatchObject({ name: 'MonitorError', code: 'bad_query' })
          })
        }
      })
      const { clients } = await monitor.describe()
      // The newest client stays even alone above the limit.
      expect(clients.bytes).toBeLessThanOrEqual(maxBytes + 16 * MIB)
      expect(grown).toBeLessThan(100)
    },
  )
})
