/** Every attack of ours. */
import { simba } from './simba.ts'

export const ATTACKS = [simba] as const
