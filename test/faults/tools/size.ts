/** How much a fault test does: shortened in `npm test`, in full where `MONITAUR_FAULTS` is `full`. */
import { say } from '../../tools/programs.ts'

export const IS_FULL = process.env['MONITAUR_FAULTS'] === 'full'

/** The seed of every random test of this folder; `MONITAUR_SEED` sets another. It is printed in the names of the tests. */
export const SEED = Number(process.env['MONITAUR_SEED'] ?? 20_261_130)

/** How many of something: the first number, or the second in full. */
export function runsOf(short: number, full: number): number {
  return IS_FULL ? full : short
}

/** Tells the end of a long test how far it came. */
export function tell(text: string): void {
  say(`faults: ${text}`)
}
