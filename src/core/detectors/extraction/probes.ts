/** Rows of the provider's own, with the model's answers, on which surrogates are measured. */
import { checkChoice, checkNumber, checkObject, refuse } from '../../checkers.ts'
import type { Observation } from '../../types.ts'
import { checkOutputs, largestClass } from '../lineage/margin.ts'
import { type Agreement, MOST_CLASSES, Pairs } from './agreement.ts'
import { readVector } from './example.ts'

const FEWEST = 50
const MOST = 5000

/** One such row, as plain data. */
export interface ExtractionProbe {
  /** The row as `scaledRow` makes it, under the schema of the detector. */
  readonly vector: readonly number[]
  /** The class that the model answers. */
  readonly label: number
}

/** Read once for all clients. */
export interface ReadProbe {
  readonly values: Float32Array
  readonly label: number
}

/**
 * The option `probes` of `extraction_status`: held-out rows such as the model is made for, that no client has been told the
 * answers of, with the model's answers. 500 … 2000 are enough. Throws `bad_query` for fewer than 50, more than 5000, or a
 * bad one; `bad_config`.
 */
export function extractionProbes(
  observations: readonly Observation[],
  { outputs = 'probabilities' }: { readonly outputs?: 'probabilities' | 'logits' } = {},
): ExtractionProbe[] {
  checkChoice(outputs, ['probabilities', 'logits'], 'outputs')
  if (!Array.isArray(observations) || observations.length < FEWEST || observations.length > MOST) {
    refuse('bad_query', `must be a list of ${FEWEST} … ${MOST} observations`, observations, 'observations')
  }
  return observations.map(({ vector, probabilities }) => {
    return { vector: Array.from(readVector(vector)), label: largestClass(checkOutputs(probabilities, outputs)) }
  })
}

const read = /* @__PURE__ */ new WeakMap<readonly ExtractionProbe[], readonly ReadProbe[]>()

/** Throws `bad_config`. */
export function readProbes(
  given: readonly ExtractionProbe[] | undefined,
  path: string,
): readonly ReadProbe[] | undefined {
  if (given === undefined) return undefined
  if (!Array.isArray(given) || given.length < FEWEST || given.length > MOST) {
    refuse('bad_config', `must be a list of ${FEWEST} … ${MOST} probes, as extractionProbes makes them`, given, path)
  }
  const known = read.get(given) ?? given.map((probe, i) => readProbe(probe, `${path}[${i}]`))
  read.set(given, known)
  return known
}

/** How far a guesser agrees with the model on probes. */
export function agreementOn(probes: readonly ReadProbe[], guess: (values: Float32Array) => number): Agreement {
  const pairs = new Pairs()
  for (const { values, label } of probes) pairs.add(Pairs.codeOf(label, guess(values)), 1)
  return pairs.agreement()
}

function readProbe(given: unknown, path: string): ReadProbe {
  const { vector, label } = checkObject(given, ['vector', 'label'], path)
  const isNumber = (value: unknown) => typeof value === 'number' && Math.abs(value) <= 1e30
  if (!Array.isArray(vector) || vector.length === 0 || !vector.every(isNumber)) {
    refuse('bad_config', 'must be a list of numbers within 1e30', vector, `${path}.vector`)
  }
  return {
    values: readVector(vector as number[], `${path}.vector`),
    label: checkNumber(label, { min: 0, max: MOST_CLASSES - 1, integer: true }, `${path}.label`),
  }
}
