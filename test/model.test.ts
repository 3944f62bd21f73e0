import { describe, expect, test } from 'vitest'
import { createMonitor, monitorModel } from '../src/index.ts'

const detectors = ['confidence', { name: 'text_repetition', threshold: 2 }]
const classify = async (_text: string) => [
  { label: 'yes', score: 0.97 },
  { label: 'no', score: 0.03 },
]

describe('a watched model', () => {
  test('answers as before, and every call is judged with its input and probabilities', async () => {
    const verdicts: unknown[] = []
    const monitor = createMonitor({ detectors })
    const watched = monitorModel(classify, monitor, { client: 'a', onVerdict: (verdict) => verdicts.push(verdict) })
    expect(await watched('hello')).toEqual(await classify('hello'))
    expect(verdicts).toMatchObject([
      { suspicious: false, errors: [], detections: [{ detector: 'confidence' }, { detector: 'text_repetition' }] },
    ])
  })

  test('refuses a suspended client before the model runs', async () => {
    let runs = 0
    const monitor = createMonitor({ detectors, policy: { mode: 'enforce' } })
    const watched = monitorModel(
      async (text: string) => {
        runs++
        return classify(text)
      },
      monitor,
      { client: (text) => (text.startsWith('attack') ? 'attacker' : 'user') },
    )
    await monitor.suspend('attacker')
    await expect(watched('attack')).rejects.toMatchObject({ code: 'suspended' })
    await watched('question')
    expect(runs).toBe(1)
  })

  test('withholds the answer that the policy throttles, under enforce only', async () => {
    for (const mode of ['observe', 'enforce'] as const) {
      const monitor = createMonitor({ detectors, policy: { mode, throttleAt: 1 } })
      const watched = monitorModel(classify, monitor)
      await watched('same')
      const second = watched('same')
      if (mode === 'observe') expect(await second).toHaveLength(2)
      else await expect(second).rejects.toMatchObject({ code: 'suspended' })
    }
  })

  test('when no verdict can be had, enforce and closed withhold the answer; the failure is reported', async () => {
    for (const [mode, onError, passes] of [
      ['observe', 'closed', true],
      ['enforce', 'open', true],
      ['enforce', 'closed', false],
    ] as const) {
      const monitor = createMonitor({ detectors, policy: { mode, onError } })
      await monitor.dispose()
      const errors: unknown[] = []
      const call = monitorModel(classify, monitor, { onError: (error) => errors.push(error) })('x')
      if (passes) expect(await call).toHaveLength(2)
      else await expect(call).rejects.toMatchObject({ code: 'disposed' })
      expect(errors).toHaveLength(1)
    }
  })

  test('an error of the model itself comes through unchanged and is no query', async () => {
    const monitor = createMonitor({ detectors })
    const failure = new Error('out of memory')
    const watched = monitorModel(() => Promise.reject(failure), monitor)
    await expect(watched()).rejects.toBe(failure)
    expect((await monitor.describe()).counts.queries).toBe(0)
  })

  test('takes probabilities from a list of numbers or of scores that add up to one, and from nothing else', async () => {
    const outputs: [output: unknown, errors: number][] = [
      [[0.9, 0.1], 0],
      [Float32Array.of(0.9, 0.1), 0],
      [[{ score: 0.9 }, { score: 0.1 }], 0],
      [[{ label: 'yes', score: 0.9 }], 1],
      ['a text', 1],
      [[], 1],
    ]
    for (const [output, errors] of outputs) {
      const monitor = createMonitor({ detectors })
      let seen = -1
      await monitorModel(async (_: string) => output, monitor, { onVerdict: (v) => (seen = v.errors.length) })('x')
      expect(seen, JSON.stringify(output)).toBe(errors)
    }
  })
})
