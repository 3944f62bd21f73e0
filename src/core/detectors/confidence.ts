/**
 * Uncertain answers: a client that walks along the decision boundary gets many.
 *
 * Catches boundary probing and inputs that the model does not know. Does not see an attack that stays far from the
 * boundary, and flags honest hard inputs. Needs probabilities; keeps one number per query; costs O(classes).
 * Source: the reference toolkit, `confidence_detector`.
 */
import { checkChoice, checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { MonitorError } from '../errors.ts'
import { log } from '../math.ts'
import { NumberWindow } from '../numberWindow.ts'
import { checkProbabilities, checkScores, entropy, softmax, topTwo } from '../probability.ts'
import { readDoubles, readNumber, readState } from '../state.ts'
import type { Observation, PlainData } from '../types.ts'
import { MAX_HISTORY } from './limits.ts'

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
  defaults: { mode: 'entropy', threshold: 0.5, maxHistorySize: 100, outputs: 'probabilities', normalize: false },
  logic,
})

interface Checked {
  readonly score: number
  readonly confidence: number
  readonly classes: number
}

function logic(config: ConfidenceConfig, path: string): Logic<Observation, Checked, ConfidenceMetadata> {
  const mode = checkChoice(config.mode, MODES, `${path}.mode`)
  const threshold = checkNumber(config.threshold, {}, `${path}.threshold`)
  const capacity = checkNumber(
    config.maxHistorySize,
    { min: 1, max: MAX_HISTORY, integer: true },
    `${path}.maxHistorySize`,
  )
  const outputs = checkChoice(config.outputs, OUTPUTS, `${path}.outputs`)
  if (typeof config.normalize !== 'boolean')
    refuse('bad_config', 'must be true or false', config.normalize, `${path}.normalize`)
  const { normalize } = config
  const window = new NumberWindow(capacity)
  let last: number | null = null

  return { check, apply, save, load, clear, bytes, describe }

  function check({ probabilities }: Observation): Checked {
    if (probabilities === undefined) {
      throw new MonitorError('bad_query', 'is missing: pass the class probabilities of the model', 'probabilities')
    }
    const { p, sum } = distribution(probabilities)
    const score = scoreOf(p, sum)
    const share = mode === 'entropy' ? (p.length === 1 ? 0 : score / log(p.length)) : score
    return { score, confidence: Math.min(Math.max(share, 0), 1), classes: p.length }
  }

  function distribution(given: ArrayLike<number>): { readonly p: ArrayLike<number>; readonly sum: number } {
    if (outputs === 'logits') {
      checkScores(given)
      return { p: softmax(given), sum: 1 }
    }
    const sum = checkProbabilities(given)
    if (sum === 0 && (normalize || mode === 'entropy')) {
      throw new MonitorError('bad_query', 'must not all be zero: that is no distribution', 'probabilities')
    }
    return normalize ? { p: Float64Array.from(given, (v) => v / sum), sum: 1 } : { p: given, sum }
  }

  function scoreOf(p: ArrayLike<number>, sum: number): number {
    if (mode === 'entropy') return entropy(p, sum)
    const { first, second } = topTwo(p)
    if (mode === 'max_confidence') return 1 - first
    if (p.length < 2) refuse('bad_query', "needs at least two classes in mode 'margin'", p.length, 'probabilities')
    return 1 - (first - second)
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
    const fields = readState(state, ['ring', 'next', 'sum', 'last'])
    const ring = readDoubles(fields['ring'], 'state.ring', capacity)
    const next = readNumber(fields['next'], 'state.next', { max: capacity - 1 })
    if (ring.length < capacity && next !== ring.length)
      refuse('bad_snapshot', `must be ${ring.length}`, next, 'state.next')
    const sum = readNumber(fields['sum'], 'state.sum', {
      min: -Number.MAX_VALUE,
      max: Number.MAX_VALUE,
      fraction: true,
    })
    const isNew = ring.length === 0
    if (isNew !== (fields['last'] === null))
      refuse('bad_snapshot', 'must be the last score', fields['last'], 'state.last')
    const score = isNew
      ? null
      : readNumber(fields['last'], 'state.last', { min: -Infinity, max: Infinity, fraction: true })
    window.load({ ring, next, sum })
    last = score
  }

  function clear(): void {
    window.clear()
    last = null
  }

  function bytes(): number {
    return window.bytes() + 32
  }

  function describe() {
    return {
      config: { mode, threshold, maxHistorySize: capacity, outputs, normalize },
      historySize: window.size,
      details: { lastScore: last, averageScore: window.mean },
    }
  }
}
