/**
 * Where a query lies on the map: ten corners, one a digit, each pulling as strongly as the model believes in it. Who is sure
 * of a digit lies in its corner; who crosses from one corner towards another crosses the decision boundary.
 */

/** Softens the pull, so that degrees of certainty can be told apart. In nats. */
const SOFTNESS = 2

/** The corner of a digit, on a circle around the middle; 0 is at the top, and they go round clockwise. */
export function cornerOf(label: number): [x: number, y: number] {
  const angle = (2 * Math.PI * ORDER.indexOf(label)) / 10 - Math.PI / 2
  return [Math.cos(angle), Math.sin(angle)]
}

/** Digits that are often taken for each other stand apart, so that the way from one to the other is long. */
const ORDER: readonly number[] = [0, 4, 2, 7, 5, 1, 8, 9, 3, 6]

/** −1 … 1. */
export function placeOf(logits: ArrayLike<number>): [x: number, y: number] {
  let most = -Infinity
  for (let k = 0; k < logits.length; k++) most = Math.max(most, logits[k]!)
  let [x, y, sum] = [0, 0, 0]
  for (let k = 0; k < logits.length; k++) {
    const pull = Math.exp((logits[k]! - most) / SOFTNESS)
    const [cx, cy] = cornerOf(k)
    x += pull * cx
    y += pull * cy
    sum += pull
  }
  return [x / sum, y / sum]
}
