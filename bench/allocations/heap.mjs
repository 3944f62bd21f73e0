/** What a function allocates: exact counts of V8, and where it happens. */
import { Session } from 'node:inspector/promises'
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/** On the heap and in array buffers. */
function bytes() {
  return getHeapStatistics().used_heap_size + process.memoryUsage().arrayBuffers
}

/** What counting itself leaves on the heap. */
function ownBytes() {
  const before = bytes()
  return bytes() - before
}

/**
 * Bytes that a call allocates, and bytes of them that its result holds on to. The heap grows by exactly what is allocated as
 * long as nothing is collected; what is left after a collection is what the kept results need. V8 may collect when it likes (it
 * minds array buffers and the memory of the machine, too): such a count is thrown away, and half the calls are counted next.
 *
 * @param step Gets the number of the call, 0 … `calls` − 1.
 */
export function countAllocations(step, calls) {
  return countUndisturbed(calls, (some) => {
    const results = new Array(some).fill(undefined)
    const own = ownBytes()
    collectAll()
    const start = performance.now()
    const before = bytes()
    for (let i = 0; i < some; i++) results[i] = step(i)
    const allocated = bytes() - before - own
    const end = performance.now()
    collectAll()
    return { start, end, ...perCall(allocated, bytes() - before - own, results) }
  })
}

/** The same of a function that promises its result; each call waits for the one before. */
export function countAwaited(step, calls) {
  return countUndisturbed(calls, async (some) => {
    const results = new Array(some).fill(undefined)
    collectAll()
    const start = performance.now()
    const before = bytes()
    for (let i = 0; i < some; i++) results[i] = await step(i)
    const allocated = bytes() - before
    const end = performance.now()
    collectAll()
    return { start, end, ...perCall(allocated, bytes() - before, results) }
  })
}

async function countUndisturbed(calls, count) {
  const collections = []
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()))
  observer.observe({ type: 'gc' })
  try {
    for (let some = calls; some >= 1; some = Math.floor(some / 2)) {
      const counted = await count(some)
      // They are told of in later turns.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      const isDisturbed = collections.some(({ startTime: at }) => at >= counted.start && at <= counted.end)
      if (!isDisturbed && counted.allocated >= 0) return counted
    }
  } finally {
    observer.disconnect()
  }
  throw new Error('something was collected in the middle of a single call: give more memory')
}

/** Twice: array buffers are swept behind the first time. */
function collectAll() {
  globalThis.gc()
  globalThis.gc()
}

/**
 * Takes the results, so that they are alive until here. Code that is compiled meanwhile is put in place by the collection: so a
 * little more may be held than was allocated.
 */
function perCall(allocated, held, { length }) {
  return { allocated: allocated / length, held: Math.min(Math.max(held, 0), allocated) / length }
}

/**
 * The functions that make most garbage, by samples of the heap: `[{ name, bytes }]` a call, the largest first. What they allocate,
 * less what of it is left while all results are kept.
 */
export async function findGarbage(step, calls) {
  const all = await sample(step, calls, true)
  const kept = await sample(step, calls, false)
  return [...all]
    .map(([name, bytes]) => ({ name, bytes: (bytes - (kept.get(name) ?? 0)) / calls }))
    .sort((a, b) => b.bytes - a.bytes)
}

async function sample(step, calls, withCollected) {
  const results = new Array(calls).fill(undefined)
  collectAll()
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 128,
    includeObjectsCollectedByMajorGC: withCollected,
    includeObjectsCollectedByMinorGC: withCollected,
  })
  for (let i = 0; i < calls; i++) results[i] = step(i)
  if (!withCollected) collectAll()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  const sizes = new Map()
  collect(profile.head, sizes)
  // Takes the results, so that they are alive until here.
  return results.length === calls ? sizes : new Map()
}

function collect({ callFrame, selfSize, children }, sizes) {
  const { functionName, url, lineNumber } = callFrame
  // Native functions count for who called them by name alone.
  const name = url === '' ? functionName || '(native)' : `${functionName || '(anonymous)'}:${lineNumber + 1}`
  const isOurs = url !== '' && !url.startsWith('node:') && !url.includes('/bench/')
  if (selfSize > 0 && (isOurs || url === '')) sizes.set(name, (sizes.get(name) ?? 0) + selfSize)
  for (const child of children) collect(child, sizes)
}
