/** What gave an attacker away, in plain words with the detector's numbers. */
import type { AnswerFollowingMetadata } from '../../src/core/index.ts'

/** Of the alarm's own query: the test that alarmed. */
export function followingWords(following: AnswerFollowingMetadata): string {
  const { test, referenceClass: label, taken, takenDown, left, leftDown } = following
  const { slopes, correlation, halvings, towards } = following
  if (test === 'choice') {
    return `It tried small changes and chose by the answers: of ${taken} steps it took, ${takenDown} made the model less sure of “${label}”; of ${left} it left, ${leftDown} did.`
  }
  if (test === 'slope') {
    const often = slopes === 1 ? 'once' : `${slopes} times`
    const fit = correlation.toFixed(2).replace('-', '−')
    return `It tried small changes around a picture, then took a step, ${often}. The last step leads to where the model was less sure of “${label}”: it fits the answers with a correlation of ${fit} (0 is chance, −1 straight downhill).`
  }
  const sides = towards === halvings ? 'each time' : `${towards} times`
  return `It halved the way to the boundary ${halvings} times, ${sides} to the side where the label changes.`
}
