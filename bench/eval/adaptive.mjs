/**
 * Plug-in for `monitaur eval`: attackers who know that they are watched, made of NES, SimBA, Square and RayS.
 *
 *     monitaur eval --plugin bench/eval/adaptive.mjs --attacks nes_b,nes_b+sybil10,… --workloads none
 */
import {
  ATTACKS,
  blinded,
  decoyFirst,
  decoysAtSource,
  eightBitQueries,
  evicting,
  oneInverted,
  padded,
  resending,
  shuffledBatches,
  slowDrip,
  sybil,
  twoChildren,
} from 'monitaur/eval'

const named = (name) => [...ATTACKS].find((attack) => attack.name === name)

const WRAPPERS = {
  padded50: (attack) => padded(attack, { share: 0.5 }),
  padded90: (attack) => padded(attack, { share: 0.9 }),
  sybil2: (attack) => sybil(attack, { accounts: 2 }),
  sybil10: (attack) => sybil(attack, { accounts: 10 }),
  decoy_first: (attack) => decoyFirst(attack),
  decoys_at_source: (attack) => decoysAtSource(attack),
  evicting: (attack) => evicting(attack),
  slow: (attack) => slowDrip(attack),
  shuffled: (attack) => shuffledBatches(attack),
  resending: (attack) => resending(attack),
  one_inverted: (attack) => oneInverted(attack),
  eight_bits: (attack) => eightBitQueries(attack),
  blinded: (attack) => blinded(attack),
  two_children: (attack) => twoChildren(attack),
}

const attacks = ['nes_b', 'simba', 'square', 'rays'].flatMap((base) =>
  Object.entries(WRAPPERS).map(([name, wrapped]) => ({ ...wrapped(named(base)), name: `${base}+${name}` })),
)

export default { attacks }
