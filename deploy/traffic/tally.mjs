/** What was sent and what came back. */

const LINE_EVERY_MS = 10_000
const STATUSES = ['2xx', '4xx', '5xx', 'none']

/** Counts of a run, by kind of user. */
export function createTally({ stream, now }) {
  const rows = new Map()
  const events = new Map()
  const notes = new Map()
  const startMs = now()
  let toldMs = startMs

  return { sent, answered, unanswered, event, note, progress, endProgress, report, failures }

  function rowOf(kind) {
    if (!rows.has(kind)) rows.set(kind, { sent: 0, '2xx': 0, '4xx': 0, '5xx': 0, none: 0, suspicious: 0, refused: 0 })
    return rows.get(kind)
  }

  function sent(kind) {
    rowOf(kind).sent++
  }

  /** `suspicious`: verdicts, `refused`: queries of suspended clients. */
  function answered(kind, status, { suspicious = 0, refused = 0 } = {}) {
    const row = rowOf(kind)
    row[`${Math.floor(status / 100)}xx`]++
    row.suspicious += suspicious
    row.refused += refused
  }

  function unanswered(kind) {
    rowOf(kind).none++
  }

  /** A server-sent event. */
  function event(name) {
    events.set(name, (events.get(name) ?? 0) + 1)
  }

  /** Something that went wrong, in words. Told at once, and counted if it comes again. */
  function note(text) {
    const count = (notes.get(text) ?? 0) + 1
    notes.set(text, count)
    if (count > 1) return
    endProgress()
    stream.write(`${text}\n`)
  }

  function sum(field) {
    return [...rows.values()].reduce((total, row) => total + row[field], 0)
  }

  /** A line that is written over where a person watches, a line every ten seconds where a log is kept. */
  function progress(seconds) {
    const nowMs = now()
    if (!stream.isTTY && nowMs - toldMs < LINE_EVERY_MS) return
    toldMs = nowMs
    const elapsed = Math.round((nowMs - startMs) / 1000)
    const time = seconds === 0 ? `${elapsed} s` : `${elapsed}/${seconds} s`
    const counts = `${sum('sent')} sent, ${sum('suspicious')} suspicious, ${sum('refused')} refused`
    const trouble = sum('5xx') + sum('none')
    const text = `${time}: ${counts}${trouble === 0 ? '' : `, ${trouble} without an answer`}`
    stream.write(stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`)
  }

  function endProgress() {
    if (stream.isTTY) stream.write('\r\x1b[2K')
  }

  /** The table of everything. */
  function report() {
    const fields = ['sent', ...STATUSES, 'suspicious', 'refused']
    const width = Math.max(...[...rows.keys(), 'all'].map((name) => name.length))
    const line = (name, values) => [name.padEnd(width), ...values.map((value) => String(value).padStart(11))].join('')
    const body = [...rows].map(([name, row]) =>
      line(
        name,
        fields.map((field) => row[field]),
      ),
    )
    const heard = [...events].map(([name, count]) => `${count} ${name}`).join(', ')
    const again = [...notes].filter(([, count]) => count > 1).map(([text, count]) => `${text} (${count} times)`)
    return [line('', fields), ...body, line('all', fields.map(sum)), `events heard: ${heard || 'none'}`, ...again].join(
      '\n',
    )
  }

  /** Queries that a healthy server would have answered. */
  function failures() {
    return sum('5xx') + sum('none')
  }
}
