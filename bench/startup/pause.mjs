/**
 * What a thread with a large window does without a pause while its state is saved: CPU, since the clock on the wall also tells
 * of others on the machine.
 */
import { createDetector, inPieces } from 'monitaur/core'
import { createRandom } from '../embed/random.mjs'

const WIDTH = 384

export function measurePause(size) {
  const detector = createDetector('similarity', { maxHistorySize: size })
  const { next } = createRandom(20261130)
  const rows = Float32Array.from({ length: size * WIDTH }, () => next() - 0.5)
  detector.restore({ ...detector.snapshot(), state: { vectors: { dimension: WIDTH, rows }, incident: null } })

  const whole = cpuOf(() => detector.snapshot())
  const begun = cpuOf(() => inPieces(() => detector.snapshot()))
  const pieces = [begun.ms]
  for (let isWhole = false; !isWhole; ) {
    const piece = cpuOf(begun.value.fill)
    isWhole = piece.value
    pieces.push(piece.ms)
    detector.process({ embedding: rows.subarray(0, WIDTH) })
  }
  const { port1, port2 } = new MessageChannel()
  const cloned = cpuOf(() => port1.postMessage(whole.value))
  const moved = cpuOf(() => port1.postMessage(begun.value.value, [...begun.value.buffers]))
  port1.close()
  port2.close()
  const longest = Math.max(...pieces, moved.ms)
  const window = `a window of ${size} × ${WIDTH}`
  return {
    pieces: longest,
    rows: [
      { what: `snapshot of ${window} at once`, ms: whole.ms },
      { what: `in pieces: the longest of ${pieces.length} steps`, ms: Math.max(...pieces) },
      { what: 'sending it as a copy', ms: cloned.ms },
      { what: 'moving it', ms: moved.ms },
    ],
  }
}

function cpuOf(run) {
  const start = process.cpuUsage()
  const value = run()
  const { user, system } = process.cpuUsage(start)
  return { value, ms: (user + system) / 1000 }
}
