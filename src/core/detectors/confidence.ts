/**
 * Uncertain answers: a client that walks along the decision boundary gets many.
 *
 * Catches boundary probing and inputs that the model does not know. Does not see an attack that stays far from the
 * boundary, and flags honest hard inputs. Needs probabilities; keeps one number per query; costs O(classes).
 * Source: the reference toolkit, `confidence_detector`.
 */
import { checkChoice, checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { log } from '../math.ts'
import { NumberWindow } from '../numberWindow.ts'
import { checkProbabilities, checkScores, entropy, largestOf, marginOf, softmax } from '../probability.ts'
import { readDoubles, readState } from '../state.ts'
import { CRAFT_ADVERSARIAL_DATA, EXTRACT_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { checkHistory, toConfidence } from './limits.ts'

const MODES = ['entropy', 'max_confidence', 'margin'] as const
const OUTPUTS = ['probabilities', 'logits'] as const

export interface ConfidenceConfig {
  /**
   * `entropy`: Shannon entropy in nats, 0 … ln K · `max_confidence`: 1 − largest probability ·
   * `margin`: 1 − (largest − second largest). Default `entropy`.
   */
  readonly mode: (typeof MODES)[number]
  /** In the unit of the mode, inclusive. Default 0.5. Mind that the entropy of K classes reaches ln K. */
  readonly threshold: number
  /** Scores kept for the average, 1 … 10 million. Default 100. */
  readonly maxHistorySize: number
  /** What the model gives. `logits` pass through softmax first. Default `probabilities`. */
  readonly outputs: (typeof OUTPUTS)[number]
  /**
   * Divide by the sum first. Default false, as in the reference, which rescales in entropy mode only; without it
   * percentages make `max_confidence` and `margin` negative.
   */
  readonly normalize: boolean
}

export interface ConfidenceMetadata {
  readonly mode: ConfidenceConfig['mode']
  /** Number of classes. */
  readonly classes: number
  /** This query's score. */
  readonly lastScore: number
  /** Mean score over the window, this query included. */
  readonly averageScore: number
  /** Scores in the window, this query included. */
  readonly scores: number
}

export const confidence = defineDetector({
  family: 'confidence',
  modality: 'any',
  needs: 'probabilities',
  version: 1,
  summary: 'uncertain model outputs: entropy, largest probability or margin',
  techniques: [CRAFT_ADVERSARIAL_DATA, EXTRACT_MODEL],
  paper: 'darusik/monitoring_toolkit, confidence_detector',
  defaults: { mode: 'entropy', threshold: 0.5, maxHistorySize: 100, outputs: 'probabilities', normalize: false },
  logic,
})

interface Checked {
  score: number
  confidence: number
  classes: number
}

function logic(config: ConfidenceConfig, path: string): Logic<Observation, Checked, ConfidenceMetadata> {
  const mode = checkChoice(config.mode, MODES, `${path}.mode`)
  const threshold = checkNumber(config.threshold, {}, `${path}.threshold`)
  const capacity = checkHistory(config, path)
  const outputs = checkChoice(config.outputs, OUTPUTS, `${path}.outputs`)
  if (typeof config.normalize !== 'boolean')
    refuse('bad_config', 'must be true or false', config.normalize, `${path}.normalize`)
  const { normalize } = config
  let window = new NumberWindow(capacity)
  let last: number | null = null
  /** Working memory: the query that was checked. */
  const checked: Checked = { score: 0, confidence: 0, classes: 0 }

  return { check, keep: (query) => ({ ...query }), apply, save, load, clear, size: () => window.size, bytes, describe }

  function check({ probabilities }: Observation): Checked {
    if (probabilities === undefined) {
      refuse('bad_query', 'pass the class probabilities of the model', probabilities, 'probabilities')
    }
    const score = outputs === 'logits' ? scoreOfLogits(probabilities) : scoreOfShares(probabilities)
    const classes = probabilities.length
    checked.score = score
    checked.confidence = toConfidence(mode === 'entropy' ? (classes === 1 ? 0 : score / log(classes)) : score)
    checked.classes = classes
    return checked
  }

  function scoreOfLogits(given: ArrayLike<number>): number {
    checkScores(given)
    return scoreOf(softmax(given), 1)
  }

  function scoreOfShares(given: ArrayLike<number>): number {
    const sum = checkProbabilities(given)
    if (sum === 0 && (normalize || mode === 'entropy')) {
      refuse('bad_query', 'must have a sum above 0', sum, 'probabilities')
    }
    if (!normalize) return scoreOf(given, sum)
    const scaled = Float64Array.from(given, (v) => v / sum)
    return scoreOf(scaled, 1)
  }

  function scoreOf(p: ArrayLike<number>, sum: number): number {
    if (mode === 'entropy') return entropy(p, sum)
    if (mode === 'max_confidence') return 1 - largestOf(p)
    if (p.length < 2) refuse('bad_query', "must have at least two classes in mode 'margin'", p.length, 'probabilities')
    return 1 - marginOf(p)
  }

  function apply({ score, confidence, classes }: Checked) {
    window.push(score)
    last = score
    return {
      suspicious: score >= threshold,
      score,
      threshold,
      confidence,
      reason: `${mode} mode: suspicious score = ${score.toFixed(4)}, threshold = ${threshold}`,
      metadata: { mode, classes, lastScore: score, averageScore: window.mean, scores: window.size },
    }
  }

  function save(): PlainData {
    return { ...window.save(), last }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['ring', 'next', 'sum', 'last'])
    const ring = readDoubles(saved['ring'], 'state.ring', capacity)
    const isFull = ring.length === capacity
    const first = isFull ? 0 : ring.length
    const slots = { min: first, max: isFull ? capacity - 1 : first, integer: true }
    const next = checkNumber(saved['next'], slots, 'state.next', 'bad_snapshot')
    const sum = checkNumber(saved['sum'], {}, 'state.sum', 'bad_snapshot')
    const isNew = ring.length === 0
    if (isNew && saved['last'] !== null) refuse('bad_snapshot', 'must be null', saved['last'], 'state.last')
    const score = isNew ? null : checkNumber(saved['last'], {}, 'state.last', 'bad_snapshot')
    window = new NumberWindow(capacity, { ring, next, sum })
    last = score
  }

  function clear(): void {
    window = new NumberWindow(capacity)
    last = null
  }

  function bytes(): number {
    return 8 * window.size + 32
  }

  function describe() {
    return {
      config: { mode, threshold, maxHistorySize: capacity, outputs, normalize },
      details: { lastScore: last, averageScore: window.mean },
    }
  }
}
