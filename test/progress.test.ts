import { expect, test } from 'vitest'
import { createProgress, formatBytes, formatTime } from '../src/server/progress.ts'

/** A clock that is set by hand, and a stream that keeps what was written. */
function fixture(
  style: 'bar' | 'lines',
  options: { total?: number; columns?: number; format?: (n: number) => string },
) {
  const written: string[] = []
  const clock = { ms: 0 }
  const { columns, ...rest } = options
  const stream = { write: (text: string) => written.push(text), ...(columns === undefined ? {} : { columns }) }
  const progress = createProgress({ style, stream, now: () => clock.ms, ...rest })
  return { progress, written, clock }
}

const ERASE = '\r\x1b[2K'

test('a bar shows the share, the amounts, the rate and the time left', () => {
  const { progress, written, clock } = fixture('bar', { total: 4_000_000 })
  clock.ms = 2000
  progress.update(1_000_000, '5 queries')
  expect(written).toEqual([
    `${ERASE}[######..................] 25 %  1.0 MB of 4.0 MB  500.0 kB/s  0:06 left  5 queries`.slice(
      0,
      ERASE.length + 79,
    ),
  ])
})

test('a bar is drawn at most ten times a second', () => {
  const { progress, written, clock } = fixture('bar', { total: 100 })
  for (clock.ms = 0; clock.ms < 1000; clock.ms += 10) progress.update(clock.ms / 10)
  expect(written).toHaveLength(10)
})

test('a bar is cut one column short of the terminal, so that it never wraps', () => {
  const { progress, written, clock } = fixture('bar', { total: 100, columns: 20 })
  clock.ms = 1000
  progress.update(50)
  expect(written[0]!.slice(ERASE.length)).toBe('[############......')
})

test('a terminal that does not know its width counts as 80 columns wide', () => {
  const { progress, written, clock } = fixture('bar', { total: 1e6, columns: 0 })
  clock.ms = 1000
  progress.update(5e5, 'x'.repeat(200))
  expect(written[0]!.slice(ERASE.length)).toHaveLength(79)
})

test('a bar that was cleared is drawn again at once, and clearing twice writes once', () => {
  const { progress, written } = fixture('bar', { total: 2 })
  progress.clear()
  progress.update(1)
  progress.clear()
  progress.clear()
  progress.update(1)
  expect(written.map((text) => text === ERASE)).toEqual([false, true, false])
})

test('lines come every five seconds, the first after five, and none for short work', () => {
  const { progress, written, clock } = fixture('lines', { total: 20_000 })
  for (clock.ms = 0; clock.ms <= 12_000; clock.ms += 100) progress.update(clock.ms)
  progress.clear()
  expect(written).toEqual([
    '25 %, 5.0 kB of 20.0 kB, 1.0 kB/s, 0:15 left\n',
    '50 %, 10.0 kB of 20.0 kB, 1.0 kB/s, 0:10 left\n',
  ])
})

test('without a total there is an amount and a rate, and no bar', () => {
  const { progress, written, clock } = fixture('bar', {})
  clock.ms = 1000
  progress.update(3000)
  expect(written).toEqual([`${ERASE}3.0 kB  3.0 kB/s`])
})

test('an amount in another unit is shown by the function that is handed in', () => {
  const { progress, written, clock } = fixture('lines', { total: 10, format: (n) => `${Math.round(n)} models` })
  clock.ms = 5000
  progress.update(5)
  expect(written).toEqual(['50 %, 5 models of 10 models, 1 models/s, 0:05 left\n'])
})

test('nothing to do counts as all done, and more than the total as the total', () => {
  const empty = fixture('bar', { total: 0 })
  empty.progress.update(0)
  expect(empty.written[0]).toContain('100 %')
  const grown = fixture('bar', { total: 10 })
  grown.progress.update(25)
  expect(grown.written[0]).toContain('[########################] 100 %')
})

test('a note cannot move the cursor', () => {
  const { progress, written, clock } = fixture('lines', {})
  clock.ms = 5000
  progress.update(1, '\x1b[2J')
  expect(written[0]).toContain('\\u{1b}[2J')
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [12_345_678, '12.3 MB'],
  [999_960, '1.0 MB'],
  [5e15, '5000.0 TB'],
])('%d bytes are written as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test.each([
  [0, '0:00'],
  [6100, '0:07'],
  [754_000, '12:34'],
  [3_723_000, '1:02:03'],
])('%d ms are written as %s', (ms, text) => {
  expect(formatTime(ms)).toBe(text)
})
