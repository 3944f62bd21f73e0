/**
 * Text: typed edits of real sentences against all unrelated pairs, one threshold per data set; paraphrases for
 * information.
 */
import { readTable } from './csv.mjs'
import { EDITS } from './edits.mjs'
import { core } from './library.mjs'
import { createProgress } from './progress.mjs'
import { createRandom } from './random.mjs'
import { compareAll, dot, shareAtLeast, thresholdFor } from './scores.mjs'

const SHARE = 0.001

/** The sentences of each data set. */
const SETS = [
  { name: 'banking77', read: () => readTable('text/banking77.csv').map((row) => row.text) },
  { name: 'stsb_en', read: () => readTable('text/stsb_en.csv').flatMap((row) => [row.sentence1, row.sentence2]) },
  { name: 'sst2', read: () => readTable('text/sst2.csv').map((row) => row.sentence) },
  { name: 'ag_news titles', read: () => readTable('text/ag_news.csv').map((row) => row.title) },
]

/** Per data set: sentences, threshold, and the rate of each edit. Sentences with one normal form count once. */
export function measureEdits(half, limit) {
  return SETS.map(({ name, read }, set) => {
    const all = unique(read().filter((text) => core.normalizeText(text) !== ''))
    const texts = all.filter((_, i) => half === 'all' || i % 2 === (half === 'dev' ? 0 : 1)).slice(0, limit)
    const words = [...new Set(all.flatMap((text) => text.split(' ')))]
    const progress = createProgress(`text ${name}`, EDITS.length)
    const originals = texts.map((text) => core.embedText(text))
    const lists = EDITS.map(({ apply }, e) => {
      const copies = texts.map((text, i) => [core.embedText(apply(text, createRandom(2, set, e, i), words))])
      const { related, unrelated } = compareAll(originals, [copies], dot)
      progress.step(e + 1)
      return { related: related[0], unrelated: unrelated[0] }
    })
    progress.end()
    const threshold = thresholdFor(
      lists.map(({ unrelated }) => unrelated),
      SHARE,
    )
    const rates = lists.map(({ related }) => shareAtLeast(related, threshold))
    return { name, count: texts.length, threshold, rates, mean: mean(rates) }
  })
}

function unique(texts) {
  return [...new Map(texts.map((text) => [core.normalizeText(text), text])).values()]
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

const PAIRS = [
  { name: 'MRPC', file: 'text/mrpc.csv' },
  { name: 'PAN', file: 'text/pan_paraphrase.csv' },
]

/**
 * Paraphrases: `auc` against the pairs that are labelled as none (chance 0.5), and the share of the paraphrases above
 * the threshold that 0.1 % of the unrelated pairs (first sentence, second one of another pair) reach.
 */
export function measureParaphrases(limit) {
  return PAIRS.map(({ name, file }) => {
    const rows = readTable(file).slice(0, limit)
    const first = rows.map((row) => core.embedText(row.sentence1))
    const second = rows.map((row) => [core.embedText(row.sentence2)])
    const { related, unrelated } = compareAll(first, [second], dot)
    const isParaphrase = rows.map((row) => row.is_paraphrase === '1')
    const positive = related[0].filter((_, i) => isParaphrase[i])
    const negative = related[0].filter((_, i) => !isParaphrase[i])
    const threshold = thresholdFor(unrelated, SHARE)
    return {
      name,
      count: rows.length,
      auc: rocAuc(positive, negative),
      threshold,
      rate: shareAtLeast(positive, threshold),
    }
  })
}

/** The probability that a positive lies above a negative, a tie counting half. */
export function rocAuc(positive, negative) {
  const sorted = Float64Array.from(negative).sort()
  let sum = 0
  for (const value of positive) sum += (below(sorted, value) + belowOrEqual(sorted, value)) / 2
  return sum / (positive.length * negative.length)
}

function below(sorted, value) {
  return search(sorted, (one) => one < value)
}

function belowOrEqual(sorted, value) {
  return search(sorted, (one) => one <= value)
}

/** How many of the first items pass; the rest do not. */
function search(sorted, passes) {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(sorted[middle])) low = middle + 1
    else high = middle
  }
  return low
}
