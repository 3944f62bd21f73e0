/** How far a long piece of work has come: a bar where a person watches, a line now and then where a log is kept. */
import { printable } from './output.ts'

export interface ProgressOptions {
  /** `bar`: one line drawn again and again · `lines`: a new line every five seconds, the first after five. */
  readonly style: 'bar' | 'lines'
  readonly stream: { write(text: string): unknown; readonly columns?: number }
  /** ms; never goes back. */
  readonly now: () => number
  /** The amount at the end, if it is known. */
  readonly total?: number | undefined
  /** An amount in words. Default {@link formatBytes}. */
  readonly format?: (amount: number) => string
}

/** Draws only when told of progress: it has no timer, so a stalled input shows as a bar that stands still. */
export interface Progress {
  /** The amount done so far, and a few words beside it. Draws at most ten times a second. */
  update(done: number, note?: string): void
  /** Takes the bar away, so that something else can be written; the next update draws it again. */
  clear(): void
}

const EVERY_MS = { bar: 100, lines: 5000 } as const
const BAR_WIDTH = 24
const ERASE = '\r\x1b[2K'

export function createProgress({ style, stream, now, total, format = formatBytes }: ProgressOptions): Progress {
  const startMs = now()
  let drawnMs = style === 'bar' ? -Infinity : startMs
  let isShown = false
  return { update, clear }

  function update(done: number, note = ''): void {
    const nowMs = now()
    if (nowMs - drawnMs < EVERY_MS[style]) return
    drawnMs = nowMs
    const parts = [...statusOf(done, nowMs - startMs, total, format), ...(note === '' ? [] : [printable(note)])]
    if (style === 'lines') {
      stream.write(`${parts.join(', ')}\n`)
      return
    }
    const line = total === undefined ? parts.join('  ') : `${barOf(done, total)} ${parts.join('  ')}`
    stream.write(ERASE + line.slice(0, Math.max(1, (stream.columns || 80) - 1)))
    isShown = true
  }

  function clear(): void {
    if (isShown) stream.write(ERASE)
    isShown = false
    if (style === 'bar') drawnMs = -Infinity
  }
}

function statusOf(done: number, elapsedMs: number, total: number | undefined, format: (amount: number) => string) {
  const perMs = elapsedMs > 0 ? done / elapsedMs : 0
  const rate = `${format(perMs * 1000)}/s`
  if (total === undefined) return [format(done), rate]
  const left = perMs > 0 ? [`${formatTime(Math.max(0, total - done) / perMs)} left`] : []
  return [`${Math.floor(shareOf(done, total) * 100)} %`, `${format(done)} of ${format(total)}`, rate, ...left]
}

function barOf(done: number, total: number): string {
  const filled = Math.floor(shareOf(done, total) * BAR_WIDTH)
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`
}

/** Nothing to do counts as done; a file that grew meanwhile counts as all of it. */
function shareOf(done: number, total: number): number {
  return total > 0 ? Math.min(1, done / total) : 1
}

/** Bytes in decimal units: 999 B, 1.0 kB, 12.3 MB. */
export function formatBytes(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB']
  if (bytes < 999.5) return `${Math.round(bytes)} B`
  let amount = bytes / 1000
  let unit = 0
  while (amount >= 999.95 && unit < units.length - 1) {
    amount /= 1000
    unit++
  }
  return `${amount.toFixed(1)} ${units[unit]}`
}

/** 0:07, 12:34, 1:02:03; rounded up to whole seconds. */
export function formatTime(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
