import { createRandom, seedOf } from '../../src/eval/index.ts'
import type { LaneInfo, StoryConfig } from './events.ts'
import { isAttack, rolesOf } from './names.ts'

/** Who plays in which lane: the same seed, the same seats. */
export function seatsOf({ cast, attack, seed }: StoryConfig): LaneInfo[] {
  const roles = createRandom(seedOf(seed, 'seats')).shuffled(rolesOf(cast, attack))
  return roles.map((role) => ({ role, isAttacker: isAttack(role) }))
}
