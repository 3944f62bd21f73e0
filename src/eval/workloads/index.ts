/** Every honest workload of ours, and those that are equivalent to an attack. */
import { noiseCopies } from './noiseCopies.ts'

export const WORKLOADS = [noiseCopies] as const
