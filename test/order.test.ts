import { describe, expect, test } from 'vitest'
import { Order } from '../src/embed/index.ts'
import { getDetector } from '../src/index.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('the order of calls', () => {
  test('steps run in calling order although later preparations finish first', async () => {
    const order = new Order()
    const seen: number[] = []
    await Promise.all(
      [30, 1, 15, 0].map((ms, i) =>
        order.run(
          () => sleep(ms),
          () => seen.push(i),
        ),
      ),
    )
    expect(seen).toEqual([0, 1, 2, 3])
  })

  test('a step that fails or throws does not stop the ones behind it', async () => {
    const order = new Order()
    const results = await Promise.allSettled([
      order.run(
        () => Promise.reject(new Error('prepare')),
        () => 1,
      ),
      order.run(
        async () => 1,
        () => {
          throw new Error('step')
        },
      ),
      order.run(
        async () => 2,
        (n) => n + 1,
      ),
    ])
    expect(results.map((r) => (r.status === 'fulfilled' ? r.value : (r.reason as Error).message))).toEqual([
      'prepare',
      'step',
      3,
    ])
  })

  test('no more than maxConcurrent preparations run at a time', async () => {
    const order = new Order({ maxConcurrent: 3 })
    let running = 0
    let most = 0
    const prepare = async () => {
      most = Math.max(most, ++running)
      await sleep(2)
      running--
    }
    await Promise.all(Array.from({ length: 20 }, () => order.run(prepare, () => null)))
    expect(most).toBe(3)
  })

  test('a call beyond maxPending is refused as overloaded, and accepted once others are done', async () => {
    const order = new Order({ maxPending: 2 })
    const two = [
      order.run(
        () => sleep(5),
        () => 1,
      ),
      order.run(
        () => sleep(5),
        () => 2,
      ),
    ]
    await expect(
      order.run(
        async () => 0,
        () => 3,
      ),
    ).rejects.toMatchObject({ code: 'overloaded' })
    expect(await Promise.all(two)).toEqual([1, 2])
    expect(
      await order.run(
        async () => 0,
        () => 4,
      ),
    ).toBe(4)
  })

  test('a call aborted before its turn leaves no trace, and the next one works', async () => {
    const gate = deferred()
    const detector = getDetector('text_repetition', {
      hash: async (text) => {
        if (text === 'slow') await gate.promise
        return text
      },
    })
    const slow = detector.process({ input: 'slow' })
    const control = new AbortController()
    const waiting = detector.process({ input: 'aborted' }, { signal: control.signal })
    control.abort()
    gate.resolve(undefined)
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    expect((await slow).score).toBe(1)
    expect((await detector.process({ input: 'aborted' })).score).toBe(1)
    await expect(detector.process({ input: 'x' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
  })

  test('an abort frees a call that is stuck in its own preparation', async () => {
    const detector = getDetector('text_repetition', {
      hash: (text) => (text === 'stuck' ? new Promise<string>(() => {}) : text),
    })
    const control = new AbortController()
    const stuck = detector.process({ input: 'stuck' }, { signal: control.signal })
    const next = detector.process({ input: 'next' })
    control.abort()
    await expect(stuck).rejects.toMatchObject({ code: 'aborted' })
    expect((await next).score).toBe(1)
  })

  test('after dispose every call is refused, also those that wait', async () => {
    const detector = getDetector('text_repetition')
    const waiting = detector.process({ input: 'x' })
    await detector.dispose()
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' })
    await expect(detector.process({ input: 'y' })).rejects.toMatchObject({ code: 'disposed' })
  })

  test('what the caller changes after the call does not reach the detector', async () => {
    const detector = getDetector('confidence')
    const modelOutput = [0.5, 0.5]
    const call = detector.process({ modelOutput })
    modelOutput[0] = Number.NaN
    expect((await call).suspicious).toBe(true)

    const pictures = getDetector('image_repetition', { threshold: 2 })
    const data = Uint8Array.from({ length: 64 }, (_, i) => i)
    const calls = [1, 2].map(() => pictures.process({ input: { data, width: 8, height: 8, channels: 1 } }))
    data.fill(9)
    const [first, second] = await Promise.all(calls)
    expect(second!.metadata.fingerprint).toBe(first!.metadata.fingerprint)
    expect(second!.suspicious).toBe(true)
  })

  test('a Node Buffer is copied too, although its own slice shares memory', async () => {
    const detector = getDetector('image_repetition', { threshold: 2, hash: (pixels) => `hash ${pixels.data[0]}` })
    const data = Buffer.from([5, 5, 5, 5])
    const call = detector.process({ input: { data, width: 2, height: 2, channels: 1 } })
    data.fill(9)
    expect((await call).metadata.fingerprint).toBe('hash 5')
  })

  test('a failed embedder and a bad hash have codes of their own and change nothing', async () => {
    const cases = [
      [getDetector('text_similarity', { embedder: () => Promise.reject(new Error('no model')) }), 'embedder_failed'],
      [getDetector('text_similarity', { embedder: () => [Number.NaN] }), 'embedder_failed'],
      [getDetector('text_similarity', { embedder: () => 'vector' as never }), 'embedder_failed'],
      [getDetector('text_repetition', { hash: () => '' }), 'plugin_failed'],
      [
        getDetector('text_repetition', {
          hash: () => {
            throw new Error('no hash')
          },
        }),
        'plugin_failed',
      ],
    ] as const
    for (const [detector, code] of cases) {
      const before = await detector.snapshot()
      await expect(detector.process({ input: 'x' })).rejects.toMatchObject({ code })
      expect(await detector.snapshot()).toEqual(before)
    }
  })

  test('a similarity function that throws or gives NaN fails the query, or the whole batch, without a trace', async () => {
    let broken = false
    const detector = getDetector('similarity', { similarity: () => (broken ? Number.NaN : 0.5) })
    await detector.process({ embedding: [1, 2] })
    await detector.process({ embedding: [2, 2] })
    const before = await detector.snapshot()
    broken = true
    await expect(detector.process({ embedding: [1, 1] })).rejects.toMatchObject({ code: 'plugin_failed' })
    await expect(detector.processBatch([{ embedding: [1, 1] }])).rejects.toMatchObject({
      code: 'plugin_failed',
      path: '[0].similarity.similarity',
    })
    expect(await detector.snapshot()).toEqual(before)
  })
})

function deferred() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((r) => {
    resolve = r
  })
  return { promise, resolve }
}
