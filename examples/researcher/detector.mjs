/**
 * A detector of one's own in one file: long runs of pictures that each leave most of the one before untouched.
 *
 *     npx monitaur eval --plugin examples/researcher/detector.mjs --detectors few_changes,answer_following --attacks simba,square --workloads noise_copies,lime --quick --out reports/own-detector
 *
 * It is put beside one of the library's. The report says what each caught before the attack succeeded, and what each did to
 * honest clients. The laws that a detector obeys run over it as well: see `lawsOf` in `monitaur/laws`.
 */
import { defineDetector, MonitorError } from 'monitaur'
import { checkVector } from 'monitaur/core'

/** Of the numbers of an input. More than this, and it is another picture. */
const FEW = 0.25

const fewChanges = defineDetector({
  family: 'few_changes',
  modality: 'image',
  needs: 'vector', // the picture as numbers 0 … 1
  version: 1,
  summary: 'pictures that each leave most of the one before as it was',
  defaults: { threshold: 10 },
  logic({ threshold }) {
    let last = null
    let run = 0
    return {
      // Throws for a query that cannot be used; what it gives goes to `apply`.
      check({ vector }) {
        checkVector(vector, last?.length ?? 0, 'vector')
        return Float64Array.from(vector)
      },
      apply(vector) {
        const changed = last === null ? 1 : shareChanged(last, vector)
        run = changed > 0 && changed <= FEW ? run + 1 : 0
        last = vector
        return {
          suspicious: run >= threshold,
          score: run,
          threshold,
          confidence: Math.min(run / threshold, 1),
          reason: `${run} pictures in a row that each changed at most a quarter of the one before; suspicious from ${threshold} on.`,
          metadata: { changed },
        }
      },
      // State is plain data, so that it can be saved, sent and replayed.
      save: () => ({ last: last?.slice() ?? new Float64Array(0), run }),
      load(state) {
        const { last: saved, run: count, ...more } = Object(state)
        const isOurs = saved instanceof Float64Array && Number.isSafeInteger(count) && Object.keys(more).length === 0
        if (!isOurs || count < 0) {
          throw new MonitorError('bad_snapshot', 'must be { last, run } as few_changes saves them', 'state')
        }
        last = saved.length === 0 ? null : saved.slice()
        run = count
      },
      clear() {
        last = null
        run = 0
      },
      size: () => (last === null ? 0 : 1),
      bytes: () => 8 * (last?.length ?? 0) + 16,
      describe: () => ({ config: { threshold }, details: { run } }),
    }
  },
})

function shareChanged(before, after) {
  let changed = 0
  for (let i = 0; i < after.length; i++) if (Math.abs(after[i] - before[i]) > 1e-9) changed++
  return changed / after.length
}

export default { detectors: { few_changes: fewChanges } }
