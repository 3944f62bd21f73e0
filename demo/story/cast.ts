/** Who takes part: real attacks and honest workloads of the evaluation, with their rates. By name, so that no other is carried along. */
import {
  type AnyClient,
  denoise,
  lime,
  nesB,
  occlusion,
  rays,
  shuffled,
  simba,
  simbaDct,
  sybil,
} from '../../src/eval/index.ts'
import { ACCOUNTS, type AttackName, type HonestName, type RoleName } from './names.ts'

/** What a lane does. */
export interface Role {
  readonly client: AnyClient
  readonly config: Readonly<Record<string, unknown>>
  /** Queries that it asks at most. */
  readonly budget: number
  /** Queries a second of the stream's time. */
  readonly rate: number
}

const HONEST = {
  reader: { client: shuffled, config: {}, budget: 48, rate: 4 },
  explainer: { client: occlusion, config: { stride: 2 }, budget: 170, rate: 12 },
  cleaner: { client: denoise, config: { step: 1 / 255 }, budget: 171, rate: 12 },
  lime: { client: lime, config: { samples: 400 }, budget: 400, rate: 24 },
} as const satisfies Record<HonestName, Role>

/** Queries after which an attack that has not succeeded gives up. */
const BUDGET = 3000
const BALL = 0.2

const HOSTILE = {
  nes_b: {
    client: nesB,
    config: { ball: BALL, step: 6 / 255, sigma: 6 / 255, tile: 4 },
    budget: BUDGET,
    rate: 12,
  },
  simba: { client: simba, config: { ball: BALL, step: 20 / 255 }, budget: BUDGET, rate: 12 },
  simba_dct: {
    client: simbaDct,
    config: { ball: BALL, step: 0.7, frequencies: 10 },
    budget: BUDGET,
    rate: 12,
  },
  rays: { client: rays, config: { within: BALL }, budget: BUDGET, rate: 12 },
  split: {
    client: sybil(rays),
    config: { within: BALL, sybil: { accounts: ACCOUNTS, order: 'turns' } },
    budget: BUDGET,
    rate: 12,
  },
} as const satisfies Record<AttackName | 'split', Role>

export const ROLES: Readonly<Record<RoleName, Role>> = { ...HONEST, ...HOSTILE }
