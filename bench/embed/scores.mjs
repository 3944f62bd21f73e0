/**
 * How well a method tells copies from other pictures. One threshold per method and data set, such that only a share of
 * *all* original-against-transformed-other pairs reaches it; then, per transformation, the share of the originals whose
 * transformed picture reaches it (true-positive rate).
 *
 * A method's vectors are unit vectors, or hashes; `likeness` says how alike two are, higher is more alike.
 */

/** Shares of unrelated pairs that may reach the threshold: 0.1 % and 0.01 %. */
export const FALSE_POSITIVES = [0.001, 0.0001]

/** The cosine of two unit vectors. */
export function dot(a, b) {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const whole = a.length - (a.length % 4)
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i] * b[i]
    s1 += a[i + 1] * b[i + 1]
    s2 += a[i + 2] * b[i + 2]
    s3 += a[i + 3] * b[i + 3]
  }
  for (let i = whole; i < a.length; i++) s0 += a[i] * b[i]
  return s0 + s1 + s2 + s3
}

/**
 * The likeness of every original with every transformed picture.
 *
 * @param originals One vector per picture.
 * @param transformed `transformed[t][i]`: a list of vectors of picture i after transformation t; the likeness to an
 *   original is that of the nearest of them (one, or two where the mirrored picture is compared as well).
 * @returns `related[t][i]`, and per t `unrelated[t]`: all pairs of original and another picture's copy.
 */
export function compareAll(originals, transformed, likeness) {
  const count = originals.length
  const related = []
  const unrelated = []
  for (const copies of transformed) {
    const own = new Float32Array(count)
    const other = new Float32Array(count * (count - 1))
    let at = 0
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const alike = nearest(copies[i], originals[j], likeness)
        if (i === j) own[i] = alike
        else other[at++] = alike
      }
    }
    related.push(own)
    unrelated.push(other)
  }
  return { related, unrelated }
}

function nearest(vectors, original, likeness) {
  let best = -Infinity
  for (const vector of vectors) best = Math.max(best, likeness(vector, original))
  return best
}

/**
 * The lowest threshold, inclusive, that at most a share of the pairs reaches.
 *
 * With few pairs the share allows none of them: then the threshold lies just above the highest. With whole-numbered
 * likenesses (Hamming distances) many pairs tie and this is the best radius that keeps the share.
 *
 * @param lists Likenesses of unrelated pairs, as Float32Arrays.
 */
export function thresholdFor(lists, share) {
  const all = new Float32Array(lists.reduce((sum, list) => sum + list.length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  all.sort()
  if (all.length === 0) throw new Error('no unrelated pairs to take a threshold from')
  const allowed = Math.floor(share * all.length)
  return above(all[all.length - 1 - allowed])
}

/** The next larger 32-bit float. */
function above(value) {
  const float = Float32Array.of(value === 0 ? 0 : value)
  const bits = new Int32Array(float.buffer)
  bits[0] += value < 0 ? -1 : 1
  return float[0]
}

/** The share of a list that reaches a threshold. */
export function shareAtLeast(list, threshold) {
  let count = 0
  for (const value of list) if (value >= threshold) count++
  return count / list.length
}

/**
 * A method's figures on a data set, one entry per share of {@link FALSE_POSITIVES}. The threshold comes from the
 * unrelated pairs of all transformations.
 *
 * @param transforms As in transforms.mjs, in the order of the comparison's lists.
 */
export function rates(comparison, transforms) {
  return FALSE_POSITIVES.map((share) => ratesAt(thresholdFor(comparison.unrelated, share), comparison, transforms))
}

/**
 * The figures at a threshold, inclusive: the rate of each transformation, the means of the groups, and the share of all
 * unrelated pairs that reaches it.
 */
export function ratesAt(threshold, { related, unrelated }, transforms) {
  const perTransform = transforms.map(({ name, group }, t) => ({
    name,
    group,
    rate: shareAtLeast(related[t], threshold),
  }))
  const falseRate = unrelated.reduce((sum, list) => sum + shareAtLeast(list, threshold), 0) / unrelated.length
  return { threshold, falseRate, perTransform, means: groupMeans(perTransform) }
}

function groupMeans(perTransform) {
  const means = {}
  for (const group of new Set(perTransform.map((one) => one.group))) {
    const own = perTransform.filter((one) => one.group === group)
    means[group] = own.reduce((sum, one) => sum + one.rate, 0) / own.length
  }
  return means
}
