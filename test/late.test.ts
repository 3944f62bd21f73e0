import { afterEach, expect, test, vi } from 'vitest'
import { lateAfter } from '../src/edge/index.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** What `performance.now` says at each timer: when it begins, when it fires. */
function clock(...times: readonly number[]): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const now = vi.spyOn(performance, 'now')
  for (const time of times) now.mockReturnValueOnce(time)
}

async function firesAfter(ms: number): Promise<boolean> {
  let isLate = false
  lateAfter(ms).late.then(() => {
    isLate = true
  })
  await vi.advanceTimersByTimeAsync(ms)
  return isLate
}

test('patience ends in time', async () => {
  clock(0, 100)
  expect(await firesAfter(100)).toBe(true)
})

test('a thread that was busy itself begins anew', async () => {
  clock(0, 300, 300, 400)
  expect(await firesAfter(100)).toBe(false)
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(100)
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is late that has ended', async () => {
  clock(0)
  const { late, end } = lateAfter(100)
  let isLate = false
  late.then(() => {
    isLate = true
  })
  end()
  await vi.advanceTimersByTimeAsync(1000)
  expect([isLate, vi.getTimerCount()]).toEqual([false, 0])
})
