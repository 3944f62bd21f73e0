/** The border of a worker: queries of 1.5 kB by comlink and by our door, and pictures by each way that there is. */
import { inTurns } from './inTurns.mjs'

const PACKED = 64
/** Batches judged behind one message, so that the message does not show. */
const JUDGED = 10
/** So short a window that the border shows, and not the detector. */
const CONFIG = { maxHistorySize: 10 }
/** Of a picture, as a canvas gives it. */
const SIDE = 224

function random(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * One detector behind a worker, asked query by query and in packed batches.
 *
 * @param host Of `startWorker`.
 * @param remote Behind comlink alone: `open(name, config)`, `process(observation)`, and `judge(times)` for the observations that
 *   `hold` was given.
 */
export async function timeCalls(host, remote, timing) {
  const next = random(20261201)
  const queries = Array.from({ length: PACKED }, () => ({
    embedding: Float32Array.from({ length: 384 }, () => next() - 0.5),
  }))
  await remote.open('similarity', CONFIG)
  const detector = host.getDetector('similarity', CONFIG)
  for (const query of [...queries, ...queries]) {
    const [ours, theirs] = [await detector.process(query), await remote.process(query)]
    if (ours.score !== theirs.score) throw new Error(`other scores: ${ours.score}, ${theirs.score}`)
  }
  await remote.hold(queries)
  let at = 0
  const each = () => queries[at++ % PACKED]
  return inTurns(
    {
      comlink: { run: () => remote.process(each()), queries: 1 },
      single: { run: () => detector.process(each()), queries: 1 },
      together: { run: () => Promise.all(queries.map((query) => detector.process(query))), queries: PACKED },
      packed: { run: () => detector.processBatch(queries), queries: PACKED },
      judging: { run: () => remote.judge(JUDGED), queries: JUDGED * PACKED },
    },
    timing,
  )
}

/**
 * A picture's way to a worker that adds up its bytes, and the whole of our door for it.
 *
 * @param sharing The same with `shareMemory`.
 * @param echo A worker that answers a message with the sum of the bytes that it names.
 */
export async function timePictures(host, sharing, echo, timing) {
  const next = random(20261202)
  const bytes = SIDE * SIDE * 4
  const data = Uint8ClampedArray.from({ length: bytes }, () => 256 * next())
  const shared = new Uint8ClampedArray(new SharedArrayBuffer(bytes))
  const ask = (message, moved = []) =>
    new Promise((resolve) => {
      echo.onmessage = ({ data: sum }) => resolve(sum)
      echo.postMessage(message, moved)
    })
  await ask({ shared })
  const door = host.getDetector('image_repetition')
  const embedded = host.getDetector('image_similarity')
  const doorShared = sharing.getDetector('image_repetition')
  const embeddedShared = sharing.getDetector('image_similarity')
  const input = { data, width: SIDE, height: SIDE, channels: 4 }
  const ways = {
    // As the door does it: the caller's bytes are copied first, so that they may change behind the call.
    copied: { run: () => ask({ bytes: data.slice() }), queries: 1 },
    moved: {
      run() {
        const own = data.slice()
        return ask({ bytes: own }, [own.buffer])
      },
      queries: 1,
    },
    shared: {
      run() {
        shared.set(data)
        return ask({ isShared: true })
      },
      queries: 1,
    },
    sharedAnew: {
      run() {
        const own = new Uint8ClampedArray(new SharedArrayBuffer(bytes))
        own.set(data)
        return ask({ bytes: own })
      },
      queries: 1,
    },
    repetition: { run: () => door.process({ input }), queries: 1 },
    repetitionShared: { run: () => doorShared.process({ input }), queries: 1 },
    similarity: { run: () => embedded.process({ input }), queries: 1 },
    similarityShared: { run: () => embeddedShared.process({ input }), queries: 1 },
  }
  const sums = []
  for (const name of ['copied', 'moved', 'shared', 'sharedAnew']) sums.push(await ways[name].run())
  if (new Set(sums).size !== 1) throw new Error(`other sums: ${sums}`)
  return inTurns(ways, timing)
}
