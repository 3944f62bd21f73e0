/**
 * Extraction status: how much of the model a client can reproduce with what it has been told.
 *
 * For each client a decision tree and a logistic regression are learned from a sample of its distinct queries and the model's labels; the
 * one that has foretold more labels lately leads. Each new query is foretold before it is learned. The status is the share of
 * the labels that are foretold beyond those that a constant answer would hit, (agreement − majority) ÷ (1 − majority):
 * of the last queries, or, with `probes`, of held-out rows of the provider's own, which alone tell what the client
 * could do elsewhere than where it asks. The score is the lower confidence limit of it. A query that is kept already counts for nothing.
 *
 * Catches extraction of models over tables, however slow, from one account (or a `group` of them); says in words how far it
 * has come. Does not see the first `warmUp` distinct queries, what a stronger learner makes of the same answers, an attack over
 * many accounts, soft labels. Flags heavy honest clients, who could copy the model as well: calibrate, or take the threshold for a policy;
 * and without `probes` a narrow client whose rows are easy. Reset after a change of the model. Needs rows as numbers
 * (`scaledRow`) and the labels. Keeps `maxBytes` of rows, and both surrogates; costs O(columns · classes) a query, and learns anew
 * with every eighth part of new rows, O(columns · rows · depth), some milliseconds. Source: Kesarwani et al. 2018 (arXiv
 * 1711.07221), whose tree learns step by step; the correction for the majority is ours.
 *
 * The score lies in 0 … 1; 0 before the warm-up. Suspicious is `score >= threshold`.
 */
import { checkChoice, checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readNumber, readState } from '../state.ts'
import { EXFILTRATION, EXTRACT_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { type Agreement, beyondMajority, LowerLimits, MOST_CLASSES } from './extraction/agreement.ts'
import { type Example, hashOf, readInto } from './extraction/example.ts'
import { agreementOn, type ExtractionProbe, readProbes } from './extraction/probes.ts'
import { Sample } from './extraction/sample.ts'
import { type Kind, learnSurrogates, type Surrogates, surrogateBytes } from './extraction/surrogates.ts'
import { Track } from './extraction/track.ts'
import { toConfidence } from './limits.ts'
import { checkOutputs, largestClass } from './lineage/margin.ts'

export interface ExtractionStatusConfig {
  /** Share of the labels, beyond those of a constant answer, 0 … 1, inclusive, above 0. Default 0.6. */
  readonly threshold: number
  /** With which the share is at least the score, at one look, 0.5 … 0.9999. Default 0.95. */
  readonly confidence: number
  /** Foretold queries before the first decision; the score is 0 until then. 10 … `window`. Default 100. */
  readonly warmUp: number
  /** Foretold queries that count, the last ones, 10 … 10 000. Default 300. */
  readonly window: number
  /** Memory for rows, 1024 … 1 048 576 bytes: 341 rows of 15 numbers at the default of 24 576. */
  readonly maxBytes: number
  /** Held-out rows with the model's labels, as `extractionProbes` makes them. Default: the client's own new queries. */
  readonly probes: readonly ExtractionProbe[] | undefined
  /** Which rows are kept depends on it; 0 … 2^53 − 1. Default 0: known to everybody. */
  readonly key: number
  /** What the model gives. Default `probabilities`; the label alone goes as one 1 among zeros. */
  readonly outputs: 'probabilities' | 'logits'
}

export interface ExtractionStatusMetadata {
  /** True for a query that is kept already, with the same answer: it counts for nothing. */
  readonly repeated: boolean
  /** The label that the leading surrogate foretold; null for a repeated query, and before the first rows are learned. */
  readonly foretold: number | null
  /** The surrogate that has foretold more of the last queries. */
  readonly surrogate: Kind
  /** Share of the labels that it foretells, of the last queries or of the probes, and that of a constant answer. */
  readonly agreement: number
  readonly majority: number
  /** (agreement − majority) ÷ (1 − majority), at least 0. */
  readonly status: number
  /** Information that it has of the labels ÷ their entropy, 0 … 1: the measure of the paper. */
  readonly informationGain: number
  /** Labels that agreement is a share of. */
  readonly compared: number
  /** Queries kept. */
  readonly historySize: number
}

const OUTPUTS = ['probabilities', 'logits'] as const

export const extractionStatus = defineDetector({
  family: 'extraction',
  modality: 'tabular',
  needs: 'vector',
  version: 1,
  summary: 'rows: how much of the model the client can reproduce',
  techniques: [EXTRACT_MODEL, EXFILTRATION],
  paper: 'after Model Extraction Warning in MLaaS Paradigm, Kesarwani et al. 2018, arXiv 1711.07221',
  defaults: {
    threshold: 0.6,
    confidence: 0.95,
    warmUp: 100,
    window: 300,
    maxBytes: 24_576,
    probes: undefined,
    key: 0,
    outputs: 'probabilities',
  },
  logic,
})

interface Checked extends Example {
  classes: number
}

function logic(config: ExtractionStatusConfig, path: string): Logic<Observation, Checked, ExtractionStatusMetadata> {
  const options = checkOptions(config, path)
  const { threshold, confidence, warmUp, window, maxBytes, key, outputs } = options
  const probes = readProbes(config.probes, `${path}.probes`)
  const limits = new LowerLimits(confidence)

  let sample = new Sample(maxBytes)
  let track = new Track(window)
  let classes = 0
  /** Both follow from the sample, and are made when they are asked for. */
  let surrogates: Surrogates | undefined
  let onProbes: Partial<Record<Kind, Agreement>> = {}
  /** Working memory: the query that was checked. */
  const checked = { hash: 0, label: 0, values: new Float32Array(0) as Float32Array, classes: 0 }

  return { check, keep, checkBatch, apply, save, load, clear, size: () => sample.size, bytes, describe }

  function check({ vector, probabilities }: Observation): Checked {
    checked.values = readInto(checked.values, vector)
    const answer = checkOutputs(probabilities, outputs)
    checkClasses(answer.length, classes, 'probabilities')
    checked.hash = hashOf(checked.values, key)
    checked.label = largestClass(answer)
    checked.classes = answer.length
    return checked
  }

  function keep(query: Checked): Checked {
    return { ...query, values: query.values.slice() }
  }

  function checkBatch(queries: readonly Checked[]): void {
    for (const [i, query] of queries.entries()) {
      checkClasses(query.classes, queries[0]!.classes, `[${i}].probabilities`)
    }
  }

  function apply(example: Checked) {
    classes = example.classes
    const known = sample.labelOf(example.hash)
    const foretold = known === undefined ? foretell(example) : null
    if (known !== example.label && sample.push(example)) forgetSurrogates()
    const isDecided = track.size >= warmUp
    const found = isDecided && probes !== undefined ? measureOnProbes() : track.agreement()
    const score = isDecided ? beyondMajority(limits.of(found.agreed, found.compared), found.majority) : 0
    const status = beyondMajority(found.agreement, found.majority)
    return {
      suspicious: score >= threshold,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: isDecided
        ? reasonFor(found, status, score)
        : `${track.size} new queries were foretold; nothing is decided before there are ${warmUp}.`,
      metadata: {
        repeated: known === example.label,
        foretold,
        surrogate: track.leader,
        compared: found.compared,
        agreement: found.agreement,
        majority: found.majority,
        informationGain: found.informationGain,
        status,
        historySize: sample.size,
      },
    }
  }

  /** The label that the leader expects, noted beside the model's; null while nothing has been learned. */
  function foretell({ values, label }: Example): number | null {
    if (sample.learned === 0) return null
    const guesses = learned().predict(values)
    const foretold = guesses[track.leader]
    track.push(label, guesses)
    return foretold
  }

  function learned(): Surrogates {
    surrogates ??= learnSurrogates(sample.examples())
    return surrogates
  }

  function forgetSurrogates(): void {
    surrogates = undefined
    onProbes = {}
  }

  function measureOnProbes(): Agreement {
    const { leader } = track
    onProbes[leader] ??= agreementOn(probes!, (values) => learned().predict(values)[leader])
    return onProbes[leader]
  }

  function reasonFor({ agreement, majority, compared }: Agreement, status: number, score: number): string {
    const what =
      probes === undefined ? `answers to ${compared} queries like its own` : `answers to ${compared} held-out rows`
    return `This client can now reproduce ${percent(agreement)} of the model's ${what}; a constant answer ${percent(majority)}. Beyond that: ${percent(status)}, at least ${percent(score)}.`
  }

  function save(): PlainData {
    return { sample: sample.save(), outcomes: track.save(), classes }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['sample', 'outcomes', 'classes'])
    const given = readNumber(saved['classes'], 'state.classes', { max: MOST_CLASSES })
    const nextSample = Sample.read(saved['sample']!, { maxBytes, key, classes: given })
    const nextTrack = Track.read(saved['outcomes']!, window, given)
    if (nextTrack.size > 0 && nextSample.learned === 0) {
      refuse('bad_snapshot', 'must be empty: nothing has been learned', nextTrack.size, 'state.outcomes')
    }
    sample = nextSample
    track = nextTrack
    classes = given
    forgetSurrogates()
  }

  function clear(): void {
    sample = new Sample(maxBytes)
    track = new Track(window)
    classes = 0
    forgetSurrogates()
  }

  function bytes(): number {
    return sample.bytes + surrogateBytes(sample.learned, classes) + 8 * track.size + 64
  }

  function describe() {
    const { agreement, majority } = track.agreement()
    return {
      config: { ...options, ...(probes === undefined ? {} : { probes: probes.length }) },
      details: { classes, foretold: track.size, agreement, majority, surrogate: track.leader },
    }
  }
}

function checkOptions(config: ExtractionStatusConfig, path: string) {
  const whole = (name: 'warmUp' | 'window' | 'maxBytes' | 'key', min: number, max: number) =>
    checkNumber(config[name], { min, max, integer: true }, `${path}.${name}`)
  const window = whole('window', 10, 10_000)
  return {
    threshold: checkNumber(config.threshold, { min: 1e-6, max: 1 }, `${path}.threshold`),
    confidence: checkNumber(config.confidence, { min: 0.5, max: 0.9999 }, `${path}.confidence`),
    warmUp: whole('warmUp', 10, window),
    window,
    maxBytes: whole('maxBytes', 1024, 1_048_576),
    key: whole('key', 0, Number.MAX_SAFE_INTEGER),
    outputs: checkChoice(config.outputs, OUTPUTS, `${path}.outputs`),
  }
}

function checkClasses(given: number, before: number, path: string): void {
  if (before !== 0 && given !== before) {
    refuse('bad_query', `must have ${before} numbers like the ones before; or reset the detector`, given, path)
  }
}

function percent(share: number): string {
  return `${Math.floor(100 * share + 1e-9)} %`
}
