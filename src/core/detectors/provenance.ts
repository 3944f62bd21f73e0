/**
 * Provenance: a family of inputs that come from each other, whoever sent them.
 *
 * Each query is linked to the most similar of the earlier ones, if they are near-duplicates: texts by a hash of their word pairs
 * (`simHash`), pictures by their perceptual hash. A component of this graph is suspicious when the sum of its edges' weights is an outlier
 * among all components (Grubbs, one-sided, again and again) and it has more than `threshold` queries. Learns first, then
 * scores; looked at with every query, not every 500. Catches iterative evasion and the fuzzing of prompts, also over many
 * accounts: it looks at no client, and belongs on the stream of all (`scope: 'global'`). Does not see rewritten texts, larger changes of a
 * picture, a family thinned out beyond the window, and decides nothing while there are fewer than three components. Blind
 * to intent: templates, retries, video, explainers and sweeps are families as well, so never act on it alone. Grubbs takes
 * the others' scores for normal, but most queries stand alone with a score of 0: it is `threshold` that does the work.
 * Needs the hash. Keeps 240 bytes a query; costs O(window), and O(components · log) for queries in large components.
 * Source: QPA (Li et al., IEEE S&P 2025), without its trained network: published 4 % success of OARS, 0.04 % false alarms.
 *
 * The score is the number of queries in the component, for one that is no outlier at most `threshold`. A strict rule, as
 * published: suspicious is `score > threshold`.
 */
import { checkNumber, elementType, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import type { ErrorCode } from '../errors.ts'
import { readList, readState } from '../state.ts'
import { grubbsOutliers } from '../stats/index.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { checkHistory, toConfidence } from './limits.ts'
import { type Component, ONE, ProvenanceGraph } from './provenance/graph.ts'

export interface ProvenanceConfig {
  /** Queries in a component that are still innocent, ttd in the paper, from 1 on. Default 15, as published for pictures; 6 for texts. */
  readonly threshold: number
  /** Share of normal samples whose largest score Grubbs calls an outlier, 1e-9 … 0.5. Default 0.01, as published. */
  readonly alpha: number
  /** Bits in which near-duplicate texts may differ, of 128, 0 … 128. Default 30, as published. */
  readonly textRadius: number
  /** Bits in which near-duplicate pictures may differ, of 64, 0 … 64. Default 8. */
  readonly imageRadius: number
  /** Queries remembered, 1 … 1 million. Default 1000: of all clients together. */
  readonly maxHistorySize: number
}

export interface ProvenanceMetadata {
  /** Position of the query that it is linked to, counted from the oldest, before this one was learned; null without. */
  readonly parentIndex: number | null
  /** Bits in which they differ; null without. */
  readonly distance: number | null
  /** Queries of its component in the window, this one included. */
  readonly componentSize: number
  /** Sum of the weights 1/(1 + distance) of the component's edges. */
  readonly componentScore: number
  /** True for an outlier; not looked at in a component of at most `threshold` queries. */
  readonly isOutlier: boolean
  /** Components in the window. */
  readonly components: number
  /** Past queries compared with. */
  readonly historySize: number
}

const HASH = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/
const IMAGE_DIGITS = 16

export const provenance = defineDetector({
  family: 'provenance',
  modality: 'any',
  needs: 'fingerprint',
  isNearHash: true,
  thresholdChangesScores: true,
  version: 1,
  summary: 'families of near-duplicate texts or pictures, whoever sent them',
  techniques: [BLACK_BOX_OPTIMIZATION],
  paper: 'QPA, Li et al., IEEE S&P 2025, arXiv 2405.20641',
  defaults: { threshold: 15, alpha: 0.01, textRadius: 30, imageRadius: 8, maxHistorySize: 1000 },
  logic,
})

function logic(config: ProvenanceConfig, path: string): Logic<Observation, string, ProvenanceMetadata> {
  const threshold = checkNumber(config.threshold, { min: 1 }, `${path}.threshold`)
  const alpha = checkNumber(config.alpha, { min: 1e-9, max: 0.5 }, `${path}.alpha`)
  const textRadius = checkNumber(config.textRadius, { min: 0, max: 128 }, `${path}.textRadius`)
  const imageRadius = checkNumber(config.imageRadius, { min: 0, max: 64 }, `${path}.imageRadius`)
  const capacity = checkNumber(checkHistory(config, path), { max: 1_000_000 }, `${path}.maxHistorySize`)
  let graph = new ProvenanceGraph(capacity)

  return {
    check: ({ fingerprint }) => checkHash(fingerprint, 'fingerprint', 'bad_query'),
    apply,
    save: () => ({ ...graph.save() }),
    load,
    clear() {
      graph = new ProvenanceGraph(capacity)
    },
    size: () => graph.size,
    bytes: () => graph.bytes() + 32,
    describe,
  }

  function apply(hash: string) {
    const historySize = graph.size
    const link = graph.nearest(hash, hash.length === IMAGE_DIGITS ? imageRadius : textRadius)
    const component = graph.push(hash, link)
    const isOutlier = component.size > threshold && standsOut(component)
    const score = isOutlier ? component.size : Math.min(component.size, threshold)
    const outlier = isOutlier ? ', an outlier' : ''
    return {
      suspicious: score > threshold,
      score,
      threshold,
      confidence: toConfidence(score / (threshold + 1)),
      reason: `One of ${component.size} queries that come from each other${outlier}; an outlier of more than ${threshold} is suspicious.`,
      metadata: {
        parentIndex: link?.index ?? null,
        distance: link?.distance ?? null,
        componentSize: component.size,
        componentScore: component.weight / ONE,
        isOutlier,
        components: graph.components,
        historySize,
      },
    }
  }

  function standsOut(component: Component): boolean {
    const { scores, place } = graph.scores(component)
    return scores.length >= 3 && grubbsOutliers(scores, alpha).includes(place)
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['hashes', 'members', 'weights'])
    const hashes = readList(saved['hashes'], 'state.hashes', capacity, (hash, at) =>
      checkHash(hash, at, 'bad_snapshot'),
    )
    const members = readWords(saved['members']!, hashes.length, hashes.length - 1, 'state.members')
    const weights = readWords(saved['weights']!, hashes.length, ONE, 'state.weights')
    const used = new Set(members)
    const odd = members.findIndex((member) => member >= used.size)
    if (odd !== -1) refuse('bad_snapshot', `must be below ${used.size}`, members[odd], `state.members[${odd}]`)
    graph = new ProvenanceGraph(capacity)
    graph.load(hashes, members, weights)
  }

  function describe() {
    const { components } = graph
    return {
      config: { threshold, alpha, textRadius, imageRadius, maxHistorySize: capacity },
      details: { components },
    }
  }
}

function checkHash(hash: unknown, path: string, code: ErrorCode): string {
  if (typeof hash === 'string' && HASH.test(hash)) return hash
  return refuse(code, 'must be simHash(text), 32 hexadecimal digits, or perceptualHash(pixels), 16', hash, path)
}

function readWords(value: PlainData, count: number, most: number, path: string): Uint32Array {
  const words = value as Uint32Array
  const isList = elementType(value) === 'Uint32Array' && words.length === count && words.every((word) => word <= most)
  if (!isList) refuse('bad_snapshot', `must be a Uint32Array of ${count} up to ${most}`, value, path)
  return words
}
