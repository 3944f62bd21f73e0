/** From a model's answer to its class probabilities, and to an answer without them. */
import { checkObject, isPlainObject, MonitorError, softmax } from '../../core/index.ts'
import { find, isPlural, parseJsonPath, replaced } from './jsonPath.ts'
import type { BodyCopy } from './openCopy.ts'

/**
 * The class probabilities in an answer; undefined where it holds none. What it throws is counted as `bad_answer`; the
 * answer is not touched.
 */
export interface ReadOutput {
  (answer: BodyCopy): ArrayLike<number> | undefined | Promise<ArrayLike<number> | undefined>
  /** The answer's JSON without what its scores tell, for `reply: 'silent'`. */
  readonly hide?: (json: unknown) => unknown
}

export interface ProbabilitiesOptions {
  /**
   * The model's labels in a fixed order, for answers that name them: `[{ label, score }, …]` or `{ label: score }`. A
   * label that is missing has 0; one that is not in the list is refused. Without it the scores stay in the answer's order,
   * which suits detectors that do not ask which class is which.
   */
  readonly labels?: readonly string[]
  /** The answer holds logits: they are turned into probabilities. Default false. */
  readonly logits?: boolean
}

/** What every hidden distribution gives to its first class, and to all others together. */
const TOP = 0.9
const OTHERS = 0.1

/**
 * Reads the probabilities at a path of a JSON answer, such as `$.scores` or `$[0]`: a list of numbers, a list of
 * `{ label, score }`, or an object of scores.
 *
 * Its `hide` leaves the first class first and makes the rest the same for every query: 0.9 for the first one, the rest
 * equal. That takes the scores from attacks and thieves that climb on them. The label stays true, so an attack that needs
 * labels alone goes on: against those give a `decoy` of your own. All other fields stay as they are.
 *
 * Throws `bad_config`.
 */
export function probabilitiesAt(path: string, options: ProbabilitiesOptions = {}): ReadOutput {
  checkObject(options, ['labels', 'logits'], 'output')
  const { labels, logits = false } = options
  const places = labels === undefined ? undefined : new Map(labels.map((label, i) => [label, i]))
  const place = parseJsonPath(path, 'output')
  if (isPlural(place)) throw new MonitorError('bad_config', 'must lead to one place, so without [*]', 'output')

  const read = (answer: BodyCopy) => {
    const found = find(answer.json(), place)
    if (found === undefined || found === null) return undefined
    const scores = scoresOf(found, places, place.text)
    return logits ? softmax(scores) : scores
  }
  return Object.assign(read, {
    hide: (json: unknown) => replaced(json, place, (value) => hidden(value, logits, place.text)),
  })
}

function scoresOf(value: unknown, places: ReadonlyMap<string, number> | undefined, path: string): number[] {
  if (isNumbers(value)) return value
  const pairs = pairsOf(value, path)
  if (places === undefined) return pairs.map(({ score }) => score)
  const scores = new Array<number>(places.size).fill(0)
  for (const { label, score } of pairs) {
    const at = places.get(label)
    if (at === undefined) throw new MonitorError('bad_query', 'has a label that is not in the list', path)
    scores[at] = score
  }
  return scores
}

interface Pair {
  readonly label: string
  readonly score: number
}

function pairsOf(value: unknown, path: string): readonly Pair[] {
  if (Array.isArray(value) && value.length > 0 && value.every(isPair)) return value
  const entries = isPlainObject(value) ? Object.entries(value) : []
  if (entries.length > 0 && entries.every(([, score]) => typeof score === 'number')) {
    return entries.map(([label, score]) => ({ label, score: score as number }))
  }
  throw new MonitorError('bad_query', 'must be a list of numbers or of { label, score }, or an object of scores', path)
}

function isPair(value: unknown): value is Pair {
  return isPlainObject(value) && typeof value['label'] === 'string' && typeof value['score'] === 'number'
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((score) => typeof score === 'number')
}

/** In the same form. Named scores come in an order that tells nothing: the first class, then by name. */
function hidden(value: unknown, logits: boolean, path: string): unknown {
  if (isNumbers(value)) return flat(value, logits)
  const pairs = pairsOf(value, path)
  const top = indexOfLargest(pairs.map(({ score }) => score))
  const rest = pairs.filter((_, i) => i !== top).sort((a, b) => (a.label < b.label ? -1 : 1))
  const inOrder = [pairs[top]!, ...rest]
  const scores = flat([1, ...rest.map(() => 0)], logits)
  if (Array.isArray(value)) return inOrder.map((pair, i) => ({ ...pair, score: scores[i]! }))
  return Object.fromEntries(inOrder.map(({ label }, i) => [label, scores[i]!]))
}

/** A single score is that of a yes: above the middle it is one. */
function flat(scores: readonly number[], logits: boolean): number[] {
  const isYes = scores.length > 1 || scores[0]! >= (logits ? 0 : 0.5)
  const top = isYes ? indexOfLargest(scores) : -1
  const other = OTHERS / Math.max(1, scores.length - 1)
  return scores.map((_, i) => {
    const shown = i === top ? TOP : other
    return logits ? Math.log(shown) : shown
  })
}

function indexOfLargest(scores: readonly number[]): number {
  return scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0)
}
