/** The parts of the benchmark, put together: pictures with the peers' cache, times, text, tables. */
import { cacheKey } from './cache.mjs'
import { DATASET_NAMES, loadDataset } from './datasets.mjs'
import { evaluate } from './evaluate.mjs'
import { measureTables } from './tables.mjs'
import { measureEdits, measureParaphrases } from './text.mjs'
import { measureTimes } from './timing.mjs'

/** How much is looked at. The quick run is for seeing that everything works, not for its figures. */
export const FULL = {
  photos: Infinity,
  CIFAR: Infinity,
  digits: Infinity,
  rounds: 41,
  sentences: 1000,
  pairs: Infinity,
  people: Infinity,
}
export const QUICK = { photos: 4, CIFAR: 6, digits: 6, rounds: 3, sentences: 40, pairs: 40, people: 100 }

/**
 * Per data set `{ name, count, methods: [{ key, name, ours, missing } or with the figures of evaluate.mjs] }`.
 *
 * @param methods As of `openMethods`.
 */
export async function runImages(methods, half, amounts, cache) {
  const sets = []
  for (const name of DATASET_NAMES) {
    const dataset = await loadDataset(name, half, amounts[name])
    const figures = new Map(methods.map((method) => [method, cache.get(keyOf(method, dataset))]))
    const due = methods.filter((method) => method.missing === undefined && figures.get(method) === undefined)
    for (const [i, made] of (await evaluate(dataset, due, `${name} (${half})`)).entries()) {
      figures.set(due[i], made)
      if (keyOf(due[i], dataset) !== undefined) cache.set(keyOf(due[i], dataset), made)
    }
    const shown = methods.map(({ key, name, ours, missing }, i) => ({
      key,
      name,
      ours,
      missing,
      ...figures.get(methods[i]),
    }))
    sets.push({ name, count: dataset.pictures.length, methods: shown })
  }
  return sets
}

function keyOf(method, dataset) {
  return method.missing === undefined ? cacheKey(method, dataset) : undefined
}

export async function runTimes(amounts) {
  const { pictures } = await loadDataset('photos', 'dev', 8)
  return measureTimes(pictures, amounts.rounds)
}

/** Text and tables of one half; the paraphrases are not split. */
export async function runRest(half, amounts) {
  const edits = measureEdits(half, amounts.sentences)
  const tables = await measureTables(half, amounts.people)
  return { edits, tables }
}

export function runParaphrases(amounts) {
  return measureParaphrases(amounts.pairs)
}
