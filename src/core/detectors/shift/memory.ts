/** What `distribution_shift` keeps of one client, in each of its forms. */
import { refuse } from '../../checkers.ts'
import { readVectors } from '../../savedVectors.ts'
import { FeatureMean, mmdSquaredOfMeans } from '../../stats/index.ts'
import type { PlainData } from '../../types.ts'
import { VectorRing } from '../../vectorRing.ts'
import { Bets, type ShiftEvidence } from './bets.ts'
import type { PreparedEvidence, PreparedShift, PreparedStream, PreparedWindow } from './reference.ts'

/** The queries of one client. */
export interface Memory {
  size(): number
  /** Takes an embedding of length 1, and keeps a copy at most. */
  push(vector: Float64Array): void
  /** After two queries at least. */
  score(): number
  /** Of bets. */
  evidence?(): ShiftEvidence
  save(): PlainData
  /** Reads completely before anything is changed. Throws `bad_snapshot`. */
  load(state: PlainData): void
  bytes(): number
}

export function openMemory(prepared: PreparedShift): Memory {
  if (prepared.form === 'bets') return openBets(prepared)
  return prepared.form === 'window' ? openWindow(prepared) : openStream(prepared)
}

function openWindow({ reference, honest, windowed }: PreparedWindow): Memory {
  const { queries, vectors } = reference
  const dimension = vectors[0]!.length
  let ring = new VectorRing(queries)
  return {
    size: () => ring.size,
    push: (vector) => ring.push(vector),
    score() {
      const count = ring.size
      for (let age = 0; age < count; age++) ring.copy(age, windowed, age * dimension)
      return honest.mmdSquared({ count, dimension, numbers: windowed })
    },
    save: () => ({ ...ring.save() }),
    load(state) {
      const read = readVectors(state, queries)
      const fits = read.dimension === 0 || read.dimension === dimension
      if (!fits) refuse('bad_snapshot', `must be ${dimension}`, read.dimension, 'state.memory.dimension')
      ring = read
    },
    bytes: () => ring.bytes(),
  }
}

/** A query weighs 1 − 1/`queries` times as much as the one after it. */
function openStream({ reference, features, mapped, mean: honest }: PreparedStream): Memory {
  const { length } = features
  const mean = new FeatureMean({ length, decay: 1 - 1 / reference.queries })
  return {
    size: () => mean.count,
    push: (vector) => mean.push(features.map(vector, mapped)),
    score: () => mmdSquaredOfMeans(honest, mean),
    save: () => mean.save(),
    load: (state) => mean.load(state),
    bytes: () => 8 * length + 64,
  }
}

/** The score is the share of the evidence that alarms, of the stronger kind, at least 0. */
function openBets({ reference, limits, bets: shared }: PreparedEvidence): Memory {
  const bets = new Bets(shared, reference)
  return {
    size: () => bets.size,
    push: (vector) => bets.push(vector),
    score() {
      const { novelty, drift } = bets.evidence
      return Math.max(novelty / limits.novelty, drift / limits.drift, 0)
    },
    evidence: () => bets.evidence,
    save: () => bets.save(),
    load: (state) => bets.load(state),
    bytes: () => bets.bytes,
  }
}
