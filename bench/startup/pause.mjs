/**
 * What a thread with a large window does without a pause while its state is saved or restored: CPU, since the clock on the wall
 * also tells of others on the machine; through the door of a worker the clock on the wall.
 */
import { once } from 'node:events'
import { receiveMessageOnPort, Worker } from 'node:worker_threads'
import { createDetector, inPieces, restoreInPieces } from 'monitaur/core'
import { attach } from 'monitaur/worker'
import { createRandom } from '../embed/random.mjs'

const WIDTH = 384

export async function measurePause(size) {
  const detector = createDetector('similarity', { maxHistorySize: size })
  const { next } = createRandom(20261130)
  const rows = Float32Array.from({ length: size * WIDTH }, () => next() - 0.5)
  const snapshot = { ...detector.snapshot(), state: { vectors: { dimension: WIDTH, rows }, incident: null } }
  const atOnce = cpuOf(() => detector.restore(snapshot))
  const reading = []
  const other = createDetector('similarity', { maxHistorySize: size })
  const fill = restoreInPieces(() => other.restore(snapshot))
  for (let isRestored = false; !isRestored; ) {
    const step = cpuOf(fill)
    isRestored = step.value
    reading.push(step.ms)
  }

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
  const received = cpuOf(() => receiveMessageOnPort(port2))
  port1.close()
  port2.close()
  const longest = Math.max(...pieces, moved.ms)
  const worker = await measureWorker(size, snapshot)
  const window = `a window of ${size} × ${WIDTH}`
  return {
    pieces: longest,
    restoring: Math.max(...reading),
    rows: [
      { what: `snapshot of ${window} at once`, ms: whole.ms },
      { what: `in pieces: the longest of ${pieces.length} steps`, ms: Math.max(...pieces) },
      { what: 'sending it as a copy', ms: cloned.ms },
      { what: 'receiving the copy', ms: received.ms },
      { what: 'moving it', ms: moved.ms },
      { what: `restoring ${window} at once`, ms: atOnce.ms },
      { what: `in pieces: the longest of ${reading.length} steps`, ms: Math.max(...reading) },
      { what: 'a worker that restores it, its longest stop, clock on the wall', ms: worker.restoring },
      { what: 'a worker that saves it, its longest stop, clock on the wall', ms: worker.saving },
    ],
  }
}

/** The longest stops of a worker, seen from outside. */
async function measureWorker(size, snapshot) {
  const worker = new Worker(new URL('pauseWorker.mjs', import.meta.url))
  const { port1, port2 } = new MessageChannel()
  const longest = async (message, transfer = []) => {
    worker.postMessage(message, transfer)
    return (await once(worker, 'message'))[0]
  }
  try {
    await longest({ port: port2 }, [port2])
    const detector = attach(port1, { timeoutMs: 300_000 }).getDetector('similarity', { maxHistorySize: size })
    await detector.describe()
    await longest({})
    await detector.restore(snapshot)
    const restoring = await longest({})
    await detector.snapshot()
    return { restoring, saving: await longest({}) }
  } finally {
    port1.close()
    await worker.terminate()
  }
}

function cpuOf(run) {
  const start = process.cpuUsage()
  const value = run()
  const { user, system } = process.cpuUsage(start)
  return { value, ms: (user + system) / 1000 }
}
