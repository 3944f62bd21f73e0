/** One timer over all calls to a worker. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MonitorError } from '../src/core/index.ts'
import { Watch } from '../src/worker/watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const never = () => new Promise<never>(() => {})
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (thrown: MonitorError) => thrown.code,
  )
const answerIn = (ms: number) => new Promise<number>((resolve) => setTimeout(resolve, ms, ms))

describe('a lane', () => {
  test('that says nothing for as long as allowed is late, and its oldest call hears of it', async () => {
    const onLate = vi.fn()
    const watch = new Watch(100, onLate)
    const lane = { aliveMs: 0 }
    const first = codeOf(watch.wait(lane, never()))
    await vi.advanceTimersByTimeAsync(60)
    const second = codeOf(watch.wait(lane, never()))
    await vi.advanceTimersByTimeAsync(39)
    expect(onLate).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(onLate).toHaveBeenCalledOnce()
    watch.end(new MonitorError('worker_lost', 'of the test'))
    expect(await Promise.all([first, second])).toEqual(['timeout', 'worker_lost'])
  })

  test('is not late while its calls are answered, one behind the other', async () => {
    const onLate = vi.fn()
    const watch = new Watch(100, onLate)
    const lane = { aliveMs: 0 }
    const calls = [80, 160, 240, 320].map((ms) => codeOf(watch.wait(lane, answerIn(ms))))
    await vi.advanceTimersByTimeAsync(320)
    expect(await Promise.all(calls)).toEqual(Array(4).fill('answered'))
    expect(onLate).not.toHaveBeenCalled()
  })

  test('is late also while another one is answered', async () => {
    const onLate = vi.fn()
    const watch = new Watch(100, onLate)
    const silent = codeOf(watch.wait({ aliveMs: 0 }, never()))
    const busy = { aliveMs: 0 }
    for (const ms of [30, 60, 90, 120]) void watch.wait(busy, answerIn(ms))
    await vi.advanceTimersByTimeAsync(100)
    expect(onLate).toHaveBeenCalledOnce()
    expect(await silent).toBe('timeout')
  })

  test('is not kept alive by calls that could not be sent', async () => {
    const onLate = vi.fn()
    const watch = new Watch(100, onLate)
    const lane = { aliveMs: 0 }
    const silent = codeOf(watch.wait(lane, never()))
    await vi.advanceTimersByTimeAsync(90)
    const unsent = codeOf(watch.wait(lane, Promise.reject(new MonitorError('bad_query', 'of the test'))))
    await vi.advanceTimersByTimeAsync(10)
    expect(await Promise.all([silent, unsent])).toEqual(['timeout', 'bad_query'])
  })
})

test('one timer serves a thousand calls, and none is left when the waiting is over', async () => {
  const watch = new Watch(100, () => {})
  for (let i = 0; i < 1000; i++) void watch.wait({ aliveMs: 0 }, Promise.resolve(i))
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(100)
  expect(vi.getTimerCount()).toBe(0)
})
