/**
 * The same query again and again: replayed prompts, template probing, retries with the same picture.
 *
 * Learns first, then counts, so a query counts itself; the oldest entry leaves when the window is full, before the
 * counting. Catches exact repeats (and, for images, repeats up to a Hamming radius). Does not see anything that is
 * changed a little more than the fingerprint forgives, nor repeats further apart than the window. Keeps one fingerprint
 * per query; costs O(1), or O(window) with a radius. Source: the reference toolkit, `repetition_detector`.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import type { ErrorCode } from '../errors.ts'
import { createExactWindow, createHammingWindow, type FingerprintWindow } from '../fingerprintWindow.ts'
import { readList, readState } from '../state.ts'
import { COST_HARVESTING, MODEL_ACCESS } from '../techniques.ts'
import type { Modality, Observation, PlainData } from '../types.ts'
import { checkHistory } from './limits.ts'

export interface RepetitionConfig {
  /** Occurrences in the window that make a query suspicious, itself included; at least 1, inclusive. Default 5. */
  readonly threshold: number
  /** Queries remembered; at least the threshold, or nothing could ever reach it. Default 100. */
  readonly maxHistorySize: number
}

export interface ImageRepetitionConfig extends RepetitionConfig {
  /** Hashes up to this many differing bits count as the same picture, 0 … 32 of 64. Default 0: equality. */
  readonly radius: number
}

export interface RepetitionMetadata {
  /** The fingerprint that was counted. */
  readonly fingerprint: string
  /** Occurrences in the window, this query included. */
  readonly count: number
  /** Queries in the window, this one included. */
  readonly historySize: number
}

const MAX_FINGERPRINT = 256
const HASH = /^[0-9a-f]{16}$/

const defaults = { threshold: 5, maxHistorySize: 100 }

export const repetition = spec('any', 'equal fingerprints of any kind of query')
export const textRepetition = spec('text', 'equal texts, case and outer spaces ignored')
export const tabularRepetition = spec('tabular', 'equal rows, whatever the key order and number format')

export const imageRepetition = defineDetector({
  ...common('image', 'pictures of equal perceptual hash, or within a Hamming radius'),
  defaults: { ...defaults, radius: 0 },
  logic: (config: ImageRepetitionConfig, path) => {
    const radius = checkNumber(config.radius, { min: 0, max: 32, integer: true }, `${path}.radius`)
    return logic(config, path, radius)
  },
})

function spec<Input extends Modality>(modality: Input, summary: string) {
  return defineDetector({
    ...common(modality, summary),
    defaults,
    logic: (config: RepetitionConfig, path) => logic(config, path),
  })
}

function common<Input extends Modality>(modality: Input, summary: string) {
  const paper = 'darusik/monitoring_toolkit, repetition_detector'
  const techniques = [MODEL_ACCESS, COST_HARVESTING]
  return { family: 'repetition', modality, needs: 'fingerprint', version: 1, summary, techniques, paper } as const
}

function logic(
  config: RepetitionConfig,
  path: string,
  radius?: number,
): Logic<Observation, string, RepetitionMetadata> {
  const threshold = checkNumber(config.threshold, { min: 1 }, `${path}.threshold`)
  const maxHistorySize = checkHistory(config, path)
  if (maxHistorySize < threshold) {
    refuse('bad_config', `must be at least the threshold ${threshold}`, maxHistorySize, `${path}.maxHistorySize`)
  }
  const form = radius ? '16 lower-case hex digits' : `a string of 1 … ${MAX_FINGERPRINT} characters`
  let window = makeWindow()

  return { check, apply, save, load, clear, size: () => window.size, bytes: () => window.bytes(), describe }

  function makeWindow(): FingerprintWindow {
    return radius ? createHammingWindow(maxHistorySize, radius) : createExactWindow(maxHistorySize)
  }

  function clear(): void {
    window = makeWindow()
  }

  function check({ fingerprint }: Observation): string {
    return checkFingerprint(fingerprint, 'fingerprint', 'bad_query')
  }

  function checkFingerprint(value: unknown, at: string, code: ErrorCode): string {
    const isRight =
      typeof value === 'string' && (radius ? HASH.test(value) : value !== '' && value.length <= MAX_FINGERPRINT)
    if (!isRight) {
      refuse(code, `must be ${form}: textFingerprint(text), rowFingerprint(row), perceptualHash(pixels)`, value, at)
    }
    return value
  }

  function apply(fingerprint: string) {
    const count = window.push(fingerprint)
    return {
      suspicious: count >= threshold,
      score: count,
      threshold,
      confidence: Math.min(count / threshold, 1),
      reason: `Query repeated ${count} times.`,
      metadata: { fingerprint, count, historySize: window.size },
    }
  }

  function save(): PlainData {
    return { fingerprints: window.list() }
  }

  function load(state: PlainData): void {
    const { fingerprints } = readState(state, ['fingerprints'])
    const saved = readList(fingerprints, 'state.fingerprints', maxHistorySize, (value, at) =>
      checkFingerprint(value, at, 'bad_snapshot'),
    )
    clear()
    for (const fingerprint of saved) window.push(fingerprint)
  }

  function describe() {
    const fingerprints = window.list()
    return {
      config: { threshold, maxHistorySize, ...(radius === undefined ? {} : { radius }) },
      details: {
        uniqueQueries: new Set(fingerprints).size,
        maxRepetition: fingerprints.reduce((most, fingerprint) => Math.max(most, window.count(fingerprint)), 0),
      },
    }
  }
}
