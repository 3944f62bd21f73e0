/** A query that comes again: counted once, answered as before. */
import { describe, expect, test } from 'vitest'
import { fromFrame, type PlainData, toFrame } from '../src/core/index.ts'
import { durableMonitor, memoryStores } from '../src/edge/index.ts'
import { Answers } from '../src/edge/journal/answers.ts'
import { createMonitorEngine } from '../src/embed/index.ts'

const open = (stores = memoryStores()) => {
  const engine = createMonitorEngine({ detectors: [{ name: 'text_repetition', threshold: 3 }] })
  let timeMs = 0
  return durableMonitor(engine, { stores, now: () => ++timeMs })
}
const verdict = { suspicious: true, detections: [{ score: 0.1 }] } as unknown as Parameters<Answers['keep']>[1]

describe('a monitor over a log', () => {
  test('answers a query that comes again as before, and learns nothing from it', async () => {
    const monitor = await open()
    const first = await monitor.inspect({ input: 'x', client: 'a', id: '1' })
    const second = await monitor.inspect({ input: 'x', client: 'a', id: '2' })
    expect(await monitor.inspect({ input: 'x', client: 'a', id: '1' })).toEqual(first)
    expect(await monitor.inspect({ input: 'x', client: 'a', id: '2' })).toEqual(second)
    expect((await monitor.inspect({ input: 'x', client: 'a', id: '3' })).detections[0]!.score).toBe(3)
    expect((await monitor.clients())[0]).toMatchObject({ queries: 3 })
    expect(monitor.journal().duplicates).toBe(2)
  })

  test('takes a query for another one if its client, its id or its content is another, or if it has no id', async () => {
    const monitor = await open()
    for (const query of [
      { input: 'x', client: 'a', id: '1' },
      { input: 'x', client: 'a', id: '2' },
      { input: 'y', client: 'a', id: '1' },
      { input: 'x', client: 'b', id: '1' },
      { input: 'x', client: 'a' },
      { input: 'x', client: 'a' },
    ]) {
      await monitor.inspect(query)
    }
    expect(monitor.journal().duplicates).toBe(0)
    expect((await monitor.describe()).counts.queries).toBe(6)
  })

  test('remembers answers in its snapshot', async () => {
    const stores = memoryStores()
    const monitor = await open(stores)
    const first = await monitor.inspect({ input: 'x', client: 'a', id: '1' })
    await monitor.compact()
    const later = await open(stores)
    expect(await later.inspect({ input: 'x', client: 'a', id: '1' })).toEqual(first)
    expect(later.journal().duplicates).toBe(1)
  })

  test('opens a snapshot of a version that knew no answers, and refuses one whose answers are no answers', async () => {
    const stores = memoryStores()
    const monitor = await open(stores)
    await monitor.inspect({ input: 'x', client: 'a', id: '1' })
    await monitor.compact()
    const { bytes, position } = (await stores.snapshots.load())!
    const { answers, ...old } = fromFrame('MTJS', bytes) as Record<string, PlainData>
    expect(answers).toHaveLength(1)
    await stores.snapshots.save(toFrame('MTJS', old), position)
    const later = await open(stores)
    expect((await later.inspect({ input: 'x', client: 'a', id: '1' })).detections[0]!.score).toBe(2)
    for (const wrong of [1, [1], [['name', 'text']]]) {
      await stores.snapshots.save(toFrame('MTJS', { ...old, answers: wrong as PlainData }), position)
      await expect(open(stores)).rejects.toMatchObject({ code: 'bad_snapshot' })
    }
  })
})

describe('answers', () => {
  test('are bounded by number: the oldest are forgotten', () => {
    const answers = new Answers()
    for (let i = 0; i < 10_001; i++) answers.keep(`name ${i}`, verdict)
    expect(answers.get('name 0')).toBeUndefined()
    expect(answers.get('name 1')).toEqual(verdict)
    expect(answers.get('name 10000')).toEqual(verdict)
  })

  test('are bounded by bytes', () => {
    const answers = new Answers()
    const large = { ...verdict, reason: 'x'.repeat(2 ** 20) } as typeof verdict
    for (let i = 0; i < 5; i++) answers.keep(`name ${i}`, large)
    expect(answers.get('name 1')).toBeUndefined()
    expect(answers.get('name 4')).toEqual(large)
  })

  test('that are no plain data are not remembered', () => {
    const answers = new Answers()
    answers.keep('name', { ...verdict, tell: () => {} } as unknown as typeof verdict)
    expect(answers.get('name')).toBeUndefined()
  })
})
