/** Runs the methods over one half of a data set. The figures of peers are kept between runs (see cache.mjs). */
import { mirror } from './geometry.mjs'
import { createProgress } from './progress.mjs'
import { compareAll, rates, ratesAt } from './scores.mjs'
import { TRANSFORMS, transformAll } from './transforms.mjs'

/** The threshold of the similarity detectors when nothing is set. */
const DEFAULT_THRESHOLD = 0.9

/**
 * Per method `{ direct, mirrored, preset }`: `direct` and `mirrored` as of `rates` in scores.mjs, `preset` as of
 * `ratesAt` at the default threshold; null where it is not measured.
 *
 * With the mirrored comparison on, the likeness is the greater of the transformed picture's and of its mirrored one's,
 * for the pairs of the thresholds as well.
 *
 * @param dataset As of `loadDataset`.
 * @param methods Those that can run.
 */
export async function evaluate(dataset, methods, title) {
  const vectors = new Map(methods.map((method) => [method, { originals: [], copies: TRANSFORMS.map(() => []) }]))
  const progress = createProgress(title, dataset.pictures.length)
  for (const [i, picture] of dataset.pictures.entries()) {
    const made = await transformAll(picture, { index: dataset.indices[i] })
    for (const method of methods) await addVectors(vectors.get(method), method, picture, made)
    progress.step(i + 1)
  }
  progress.end()
  return methods.map((method) => score(method, vectors.get(method)))
}

async function addVectors({ originals, copies }, method, picture, made) {
  const pictures = method.mirrored ? [picture, ...made, ...made.map(mirror)] : [picture, ...made]
  const [original, ...rest] = await method.embed(pictures)
  originals.push(original)
  for (let t = 0; t < made.length; t++) {
    copies[t].push(method.mirrored ? [rest[t], rest[made.length + t]] : [rest[t]])
  }
}

function score(method, { originals, copies }) {
  const plainly = compareAll(
    originals,
    copies.map((list) => list.map(([first]) => [first])),
    method.likeness,
  )
  return {
    direct: rates(plainly, TRANSFORMS),
    mirrored: method.mirrored ? rates(compareAll(originals, copies, method.likeness), TRANSFORMS) : null,
    preset: method.ours ? ratesAt(DEFAULT_THRESHOLD, plainly, TRANSFORMS) : null,
  }
}
