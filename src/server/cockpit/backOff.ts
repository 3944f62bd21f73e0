const FIRST_MS = 1000
const LONGEST_MS = 20_000

/**
 * How long to wait before the next attempt, in ms: from one second, doubling with each failure in a row up to 20 s. Half
 * of it is left to chance, so that many pages do not come back at the same moment.
 * @param random from 0 to 1
 */
export function backOffMs(failures: number, random: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + random / 2)
}
