/** Who can take part, by name and in words. Apart from the clients themselves, so that the page does not carry them. */

/** `story`: three honest ones and an attacker · `explainer`: one who uses an explain tool, alone · `miss`: an attack that is missed. */
export const CAST_NAMES = ['story', 'explainer', 'miss'] as const
export const ATTACK_NAMES = ['nes_b', 'simba', 'simba_dct', 'rays'] as const
export const HONEST_NAMES = ['reader', 'explainer', 'cleaner', 'lime'] as const

export type CastName = (typeof CAST_NAMES)[number]
export type AttackName = (typeof ATTACK_NAMES)[number]
export type HonestName = (typeof HONEST_NAMES)[number]
/** Accounts from which the attacker of the miss asks. */
export const ACCOUNTS = 4

/** `split`: the attack of the miss, RayS from several accounts. */
export type RoleName = AttackName | 'split' | HonestName

export function isAttack(role: RoleName): role is AttackName | 'split' {
  return !(HONEST_NAMES as readonly RoleName[]).includes(role)
}

/** The roles of a cast, in no order that means anything. */
export function rolesOf(cast: CastName, chosen: AttackName): RoleName[] {
  if (cast === 'explainer') return ['lime']
  return ['reader', 'explainer', 'cleaner', cast === 'miss' ? 'split' : chosen]
}

/** What somebody does, for the end of the story. */
export const DOES: Readonly<Record<RoleName, string>> = {
  reader: 'asks about unrelated digits',
  explainer: 'explains an answer, patch by patch (occlusion)',
  cleaner: 'takes the noise out of a digit (denoising)',
  lime: 'explains an answer by hiding random parts (LIME)',
  nes_b: 'estimates the slope and walks down it (NES)',
  simba: 'changes pixel after pixel (SimBA)',
  simba_dct: 'adds wave after wave (SimBA-DCT)',
  rays: 'follows rays to the boundary by labels alone (RayS)',
  split: 'follows rays to the boundary by labels alone (RayS), in turn from four accounts',
}

export const ATTACK_TITLES: Readonly<Record<AttackName, string>> = {
  nes_b: 'NES: follows the slope',
  simba: 'SimBA: pixel by pixel',
  simba_dct: 'SimBA-DCT: wave by wave',
  rays: 'RayS: labels alone',
}
