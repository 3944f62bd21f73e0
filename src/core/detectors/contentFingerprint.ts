/**
 * Content fingerprint: an input that shares most of its parts with one earlier input, pixel by pixel or phrase by phrase.
 *
 * The windows of an input are hashed and the 50 largest hashes kept: a sample that two like inputs choose alike. Compares
 * with the past, then learns, also what was suspicious. Catches the small steps of an iterative evasion, on pictures the
 * published 100 % of NES and SimBA at the second to seventh query, and templates of prompts and rows with a slot filled
 * in. Does not see large steps spread over a picture (low-frequency noise at 224 × 224: 13 to 15 % of attacks), a change of
 * brightness above a level, a picture that was shifted or scaled, a paraphrase; and it is blind to intent: every
 * explainer (LIME, occlusion), sweep, retry and video alarms too, so never act on it alone. Needs the input. Keeps 716
 * bytes a query at the defaults, and none of its content; costs O(numbers of the input + hashes · matches).
 * Source: Blacklight (Li et al., USENIX Security 2022), its released parameters and its strict threshold.
 *
 * A strict rule: suspicious is `score > threshold`. The threshold of an input with fewer windows than hashes are kept is
 * smaller in proportion, and out of reach below `leastWindows`; with the published rule such inputs never alarm.
 */
import { checkNumber } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { checkShingleOptions, SHINGLE_DEFAULTS, type ShingleOptions, wordsOf } from '../shingles/options.ts'
import { checkSavedOverlaps, checkShingles, overlapLimit } from '../shingles/overlap.ts'
import { OverlapIndex, type SavedOverlaps } from '../shingles/overlapIndex.ts'
import { readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Observation, PlainData, Shingles } from '../types.ts'
import { checkHistory } from './limits.ts'

export interface ContentFingerprintConfig extends ShingleOptions {
  /**
   * Hashes shared with one earlier query that are still innocent, T in the paper, 0 … `kept`: more are suspicious. Default
   * 25 of 50. `kept` itself never alarms.
   */
  readonly threshold: number
  /** Queries remembered, 1 … 10 million. Default 100. */
  readonly maxHistorySize: number
  /** Inputs with fewer windows are never suspicious: short texts are often equal. 1 … 1024. Default 4. */
  readonly leastWindows: number
}

export interface ContentFingerprintMetadata {
  /** Position of the query that shares most, counted from the oldest, before this one was learned; null if none shares any. */
  readonly mostSimilarIndex: number | null
  /** Hashes shared with it. */
  readonly shared: number
  /** Hashes of this query, at most `kept`. */
  readonly hashes: number
  /** Windows of this query's input. */
  readonly windows: number
  /** Past queries compared with. */
  readonly historySize: number
}

export const contentFingerprint = defineDetector({
  family: 'fingerprint',
  modality: 'any',
  needs: 'shingles',
  version: 1,
  summary: 'inputs that share most of their windows with an earlier one',
  techniques: [BLACK_BOX_OPTIMIZATION],
  paper: 'Li et al., Blacklight, USENIX Security 2022, arXiv 2006.14042',
  defaults: { threshold: 25, maxHistorySize: 100, leastWindows: 4, ...SHINGLE_DEFAULTS },
  logic,
})

function logic(
  config: ContentFingerprintConfig,
  path: string,
): Logic<Observation, Shingles, ContentFingerprintMetadata> {
  const options = checkShingleOptions(config, path)
  const { kept } = options
  const threshold = checkNumber(config.threshold, { min: 0, max: kept }, `${path}.threshold`)
  const capacity = checkHistory(config, path)
  const leastWindows = checkNumber(config.leastWindows, { min: 1, max: 1024, integer: true }, `${path}.leastWindows`)
  const width = wordsOf(options)
  const shape = { kept, width }
  const rule = { threshold, kept, leastWindows }
  let index = new OverlapIndex(capacity, width)

  return { check, apply, save, load, clear, size: () => index.size, bytes: () => index.bytes + 64, describe }

  function check({ shingles }: Observation): Shingles {
    return checkShingles(shingles, shape)
  }

  function apply({ hashes, windows }: Shingles) {
    const historySize = index.size
    const found = index.mostShared(hashes)
    index.push(hashes)
    const count = hashes.length / width
    const score = found?.shared ?? 0
    const limit = overlapLimit(windows, rule)
    return {
      suspicious: score > limit,
      score,
      threshold: limit,
      confidence: count === 0 ? 0 : score / count,
      reason: `Shares ${score} of ${count} window hashes with an earlier query; more than ${limit} are suspicious.`,
      metadata: { mostSimilarIndex: found?.index ?? null, shared: score, hashes: count, windows, historySize },
    }
  }

  function save(): PlainData {
    return { ...index.save() }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['counts', 'hashes']) as unknown as SavedOverlaps
    checkSavedOverlaps(saved, capacity, shape)
    const next = new OverlapIndex(capacity, width)
    next.load(saved)
    index = next
  }

  function clear(): void {
    index = new OverlapIndex(capacity, width)
  }

  function describe() {
    return {
      config: { threshold, maxHistorySize: capacity, leastWindows, ...options },
      details: { hashes: index.hashes },
    }
  }
}
