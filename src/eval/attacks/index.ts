/** Every evasion attack of ours on pictures. */
import { oarsHopSkipJump } from './adaptive/oarsHopSkipJump.ts'
import { oarsNes } from './adaptive/oarsNes.ts'
import { oarsSquare } from './adaptive/oarsSquare.ts'
import { boundary } from './boundary.ts'
import { hopSkipJump, hopSkipJumpL2 } from './hopSkipJump.ts'
import { nesA, nesB } from './nes.ts'
import { rays } from './rays.ts'
import { simba, simbaDct, simbaOriginal } from './simba.ts'
import { square } from './square.ts'
import { surfree } from './surfree.ts'

export const ATTACKS = [
  simba,
  simbaOriginal,
  simbaDct,
  square,
  nesA,
  nesB,
  hopSkipJump,
  hopSkipJumpL2,
  rays,
  boundary,
  surfree,
  oarsNes,
  oarsSquare,
  oarsHopSkipJump,
] as const
