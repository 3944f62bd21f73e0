/**
 * Milliseconds per picture, from decoded 224 × 224 pixels to the vector, one picture at a time, a few in a row, everything in
 * turns on one thread. The order is reversed every other round, so that no method always runs behind the same one.
 */
import { openRunners } from './methods.mjs'
import { createProgress } from './progress.mjs'

/** Pictures of a turn that are timed together. */
const IN_A_ROW = 4

/** Rows `{ key, name, backend, median, min, max }`, and `ratio`: our network's time on WASM over MobileNetV2's there. */
export async function measureTimes(pictures, rounds) {
  const runners = (await openRunners()).map((runner) => ({ ...runner, times: [] }))
  const progress = createProgress('time per picture', rounds)
  for (const runner of runners) for (let i = 0; i < 3; i++) await runner.run(pictures[i % pictures.length])
  for (let round = 0; round < rounds; round++) {
    for (const runner of round % 2 === 0 ? runners : [...runners].reverse()) {
      await runner.run(pictures[round % pictures.length]) // what ran before has emptied the caches
      const start = performance.now()
      for (let i = 1; i <= IN_A_ROW; i++) await runner.run(pictures[(round + i) % pictures.length])
      runner.times.push((performance.now() - start) / IN_A_ROW)
    }
    progress.step(round + 1)
  }
  progress.end()
  for (const { close } of runners) await close?.()
  return { rows: runners.map(summary), ratio: ratioOf(runners) }
}

function summary({ key, name, backend, times }) {
  const sorted = [...times].sort((a, b) => a - b)
  return { key, name, backend, median: sorted[sorted.length >> 1], min: sorted[0], max: sorted.at(-1) }
}

/** The median over the rounds, since both ran in each; undefined where one is missing. */
function ratioOf(runners) {
  const times = (key) => runners.find((one) => one.key === key && one.backend === 'wasm')?.times
  const [ours, theirs] = [times('network'), times('mobilenet')]
  if (ours === undefined || theirs === undefined) return undefined
  const ratios = ours.map((ms, i) => ms / theirs[i]).sort((a, b) => a - b)
  return { median: ratios[ratios.length >> 1], min: ratios[0], max: ratios.at(-1) }
}
