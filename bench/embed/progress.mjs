/** How far the benchmark has come: a bar where a person watches, a line every ten seconds where a log is kept. */

const BAR = 30
const LINE_EVERY_MS = 10_000

/** `step(done)` tells of progress, `end()` takes the bar away. To standard error. */
export function createProgress(title, total, stream = process.stderr) {
  let lineMs = performance.now()
  return { step, end }

  function step(done) {
    const nowMs = performance.now()
    if (stream.isTTY) {
      const filled = Math.round((BAR * done) / total)
      stream.write(`\r\x1b[2K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${title} ${done}/${total}`)
    } else if (nowMs - lineMs >= LINE_EVERY_MS) {
      lineMs = nowMs
      stream.write(`${title} ${done}/${total}\n`)
    }
  }

  function end() {
    if (stream.isTTY) stream.write('\r\x1b[2K')
  }
}
