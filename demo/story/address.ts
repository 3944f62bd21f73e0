/** The settings of the story in the address of the page, so that a run can be shown to others. */
import type { StoryConfig } from './events.ts'
import { ATTACK_NAMES, CAST_NAMES } from './names.ts'

export const SPEEDS = [0.5, 1, 2, 4] as const

export interface Settings extends StoryConfig {
  readonly speed: number
}

const DEFAULTS: Settings = { cast: 'story', attack: 'nes_b', protection: true, seed: 3, speed: 1 }

/** What the address says; what it does not say, or says wrongly, is as by default. */
export function readAddress(search: string): Settings {
  const given = new URLSearchParams(search)
  const seed = Number(given.get('seed') ?? DEFAULTS.seed)
  return {
    cast: oneOf(CAST_NAMES, given.get('story'), DEFAULTS.cast),
    attack: oneOf(ATTACK_NAMES, given.get('attack'), DEFAULTS.attack),
    protection: given.get('protection') !== 'off',
    seed: Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32 ? seed : DEFAULTS.seed,
    speed: oneOf(SPEEDS, Number(given.get('speed')), DEFAULTS.speed),
  }
}

/** The address's end, with what differs from the defaults: '' for none. */
export function writeAddress({ cast, attack, protection, seed, speed }: Settings): string {
  const said = new URLSearchParams()
  if (cast !== DEFAULTS.cast) said.set('story', cast)
  if (attack !== DEFAULTS.attack) said.set('attack', attack)
  if (!protection) said.set('protection', 'off')
  if (seed !== DEFAULTS.seed) said.set('seed', String(seed))
  if (speed !== DEFAULTS.speed) said.set('speed', String(speed))
  return said.size === 0 ? '' : `?${said}`
}

function oneOf<T>(choices: readonly T[], given: unknown, otherwise: T): T {
  return choices.find((choice) => choice === given) ?? otherwise
}
