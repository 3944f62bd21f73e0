import { exp } from '../math.ts'

/** (eᵛ − 1 − v) / v² for v ≥ 0, relative error below 1e-14; ½ at 0, Infinity from 710 on. */
export function expRest(v: number): number {
  if (v >= 1) return (exp(v) - 1 - v) / v / v
  // ½ + v/6 + v²/24 + …: the first term left out is below 1e-17.
  let sum = 1
  for (let n = 18; n >= 3; n--) sum = 1 + (v * sum) / n
  return sum / 2
}
