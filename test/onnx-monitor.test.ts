/** A session under watch. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-web'
import { describe, expect, test } from 'vitest'
import { softmax } from '../src/core/index.ts'
import { createMonitor, type MonitorConfig } from '../src/embed/index.ts'
import { monitorOnnx } from '../src/embed/onnx/index.ts'
import { dataDir, hasData } from './tools/data.ts'
import { random } from './tools/random.ts'

const RESNET = 'models/image/cifar10/cifar10_resnet20.onnx'
const detectors = ['confidence', 'similarity'] as const

/** A session of three classes: logits are the inputs, features are twice as many. */
function fakeSession() {
  const runs: number[][] = []
  return {
    runs,
    inputNames: ['x'],
    outputNames: ['logits', 'features'],
    async run({ x }: { x: { data: Float32Array; dims: number[] } }) {
      runs.push([...x.data])
      const rows = x.dims[0]!
      return {
        logits: { data: x.data, dims: [rows, 3], type: 'float32' },
        features: {
          data: Float32Array.from({ length: rows * 2 }, (_, i) => x.data[Math.floor(i / 2) * 3 + (i % 2)]!),
          dims: [rows, 2],
          type: 'float32',
        },
      }
    },
  }
}

const feeds = (...values: number[]) => ({ x: { data: Float32Array.from(values), dims: [values.length / 3, 3] } })

function watched(config: Partial<MonitorConfig> = {}, options = {}) {
  const session = fakeSession()
  const monitor = createMonitor({ detectors, ...config })
  const verdicts: { detections: readonly { metadata: unknown; score: number }[] }[] = []
  const run = monitorOnnx(session, monitor, {
    outputs: 'logits',
    features: 'features',
    onVerdict: (verdict) => verdicts.push(verdict as never),
    ...options,
  }).run
  return { session, monitor, verdicts, run }
}

describe('a watched session', () => {
  test('gives the same outputs, from one run, and shows probabilities and features to the detectors', async () => {
    const { session, run, verdicts, monitor } = watched()
    const outputs = await run(feeds(1, 2, 3), { client: 'a' })
    expect([...outputs.logits.data]).toEqual([1, 2, 3])
    expect(session.runs).toEqual([[1, 2, 3]])
    expect(verdicts).toHaveLength(1)
    const expected = createMonitor({ detectors })
    const direct = await expected.inspect({ modelOutput: softmax([1, 2, 3]), embedding: [1, 2], client: 'a' })
    expect(verdicts[0]!.detections).toEqual(direct.detections)
    expect((await monitor.clients()).map(({ id }) => id)).toEqual(['a'])
  })

  test('each item of a batch is a query, in order', async () => {
    const { run, verdicts } = watched()
    await run(feeds(1, 2, 3, 1, 2, 3, 9, 0, 0))
    const scores = verdicts.map(({ detections }) => detections.at(-1)!.score)
    expect(scores).toHaveLength(3)
    expect(scores[0]).toBeLessThan(0.5)
    expect(scores[1]).toBeGreaterThan(0.99) // the same features again
  })

  test('probabilities are taken as they are', async () => {
    const { run, verdicts } = watched({ detectors: ['confidence'] }, { outputs: 'probabilities', features: undefined })
    await run(feeds(0.7, 0.2, 0.1))
    const monitor = createMonitor({ detectors: ['confidence'] })
    const direct = await monitor.inspect({ modelOutput: Float32Array.of(0.7, 0.2, 0.1) })
    expect(verdicts[0]!.detections).toEqual(direct.detections)
  })

  test('a suspended client is refused before the model runs', async () => {
    const { run, monitor, session } = watched({ policy: { mode: 'enforce' } })
    await monitor.suspend('mallory')
    await expect(run(feeds(1, 2, 3), { client: 'mallory' })).rejects.toMatchObject({ code: 'suspended' })
    expect(session.runs).toEqual([])
  })

  test('under enforce an answer that the policy throttles is withheld, of a batch the whole', async () => {
    const { run } = watched({ policy: { mode: 'enforce', throttleAt: 1 } })
    await expect(run(feeds(1, 2, 3, 1, 2, 3))).rejects.toMatchObject({ code: 'suspended' })
    const observing = watched({ policy: { mode: 'observe', throttleAt: 1 } })
    expect((await observing.run(feeds(1, 2, 3, 1, 2, 3))).logits.dims).toEqual([2, 3])
  })

  test('without a verdict enforce and closed withhold the answer, anything else gives it', async () => {
    for (const [mode, onError, passes] of [
      ['observe', 'closed', true],
      ['enforce', 'open', true],
      ['enforce', 'closed', false],
    ] as const) {
      const errors: unknown[] = []
      const { run, monitor } = watched(
        { policy: { mode, onError } },
        { onError: (error: unknown) => errors.push(error) },
      )
      await monitor.dispose()
      const call = run(feeds(1, 2, 3))
      if (passes) expect((await call).logits.dims).toEqual([1, 3])
      else await expect(call).rejects.toMatchObject({ code: 'disposed' })
      expect(errors).toHaveLength(1)
    }
  })

  test('an aborted call has no answer, and is not learned', async () => {
    const { run, monitor, session } = watched()
    await expect(run(feeds(1, 2, 3), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
    expect(session.runs).toEqual([])
    expect((await monitor.describe()).counts.queries).toBe(0)
  })

  test('an error of the session comes through unchanged and is no query', async () => {
    const failure = new Error('out of memory')
    const session = { ...fakeSession(), run: () => Promise.reject(failure) }
    const monitor = createMonitor({ detectors })
    await expect(monitorOnnx(session, monitor).run({})).rejects.toBe(failure)
    expect((await monitor.describe()).counts.queries).toBe(0)
  })

  test('an output that the session does not have is refused with the names that it has', () => {
    const make = (options: object) => () => monitorOnnx(fakeSession(), createMonitor({ detectors }), options)
    const refusal = { code: 'bad_config', message: expect.stringMatching(/"pool".*'logits', 'features'/) }
    expect(make({ features: 'pool' })).toThrow(expect.objectContaining(refusal))
    expect(make({ output: 'pool' })).toThrow(expect.objectContaining(refusal))
    expect(make({ outputs: 'scores' })).toThrow(expect.objectContaining({ code: 'bad_config', path: 'outputs' }))
    expect(make({ feature: 'logits' })).toThrow(expect.objectContaining({ code: 'bad_config', path: 'feature' }))
  })
})

test.skipIf(!hasData(RESNET))('a real classifier is watched by its logits and features', async () => {
  const session = await InferenceSession.create(new Uint8Array(await readFile(join(dataDir(), RESNET))))
  const verdicts: { detections: readonly { score: number; suspicious: boolean }[]; errors: readonly unknown[] }[] = []
  const { run } = monitorOnnx(session, createMonitor({ detectors }), {
    output: 'logits',
    outputs: 'logits',
    features: 'features',
    onVerdict: (verdict) => verdicts.push(verdict),
  })
  const next = random(3)
  const picture = () =>
    new Tensor(
      'float32',
      Float32Array.from({ length: 3072 }, () => next() * 2 - 1),
      [1, 3, 32, 32],
    )
  const first = picture()
  const outputs = await run({ input: first })
  expect(outputs['logits']!.data).toEqual((await session.run({ input: first }))['logits']!.data)
  await run({ input: picture() })
  await run({ input: first })
  expect(verdicts.map(({ errors }) => errors)).toEqual([[], [], []])
  expect(verdicts[2]!.detections.at(-1)!.score).toBeGreaterThan(0.9999)
})
