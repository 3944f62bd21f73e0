/** Who takes part: real attacks and honest workloads of the evaluation, with their rates. */
import { type AnyClient, ATTACKS, sybil, WORKLOADS } from '../../src/eval/index.ts'
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
  reader: { client: workload('shuffled'), config: {}, budget: 48, rate: 4 },
  explainer: { client: workload('occlusion'), config: { stride: 2 }, budget: 170, rate: 12 },
  cleaner: { client: workload('denoise'), config: { step: 1 / 255 }, budget: 171, rate: 12 },
  lime: { client: workload('lime'), config: { samples: 400 }, budget: 400, rate: 24 },
} as const satisfies Record<HonestName, Role>

/** Queries after which an attack that has not succeeded gives up. */
const BUDGET = 3000
const BALL = 0.2

const RAYS = attack('rays')

const HOSTILE = {
  nes_b: {
    client: attack('nes_b'),
    config: { ball: BALL, step: 6 / 255, sigma: 6 / 255, tile: 4 },
    budget: BUDGET,
    rate: 12,
  },
  simba: { client: attack('simba'), config: { ball: BALL, step: 20 / 255 }, budget: BUDGET, rate: 12 },
  simba_dct: {
    client: attack('simba_dct'),
    config: { ball: BALL, step: 0.7, frequencies: 10 },
    budget: BUDGET,
    rate: 12,
  },
  rays: { client: RAYS, config: { within: BALL }, budget: BUDGET, rate: 12 },
  split: {
    client: sybil(RAYS),
    config: { within: BALL, sybil: { accounts: ACCOUNTS, order: 'turns' } },
    budget: BUDGET,
    rate: 12,
  },
} as const satisfies Record<AttackName | 'split', Role>

export const ROLES: Readonly<Record<RoleName, Role>> = { ...HONEST, ...HOSTILE }

function attack(name: string): AnyClient {
  return named(ATTACKS, name)
}

function workload(name: string): AnyClient {
  return named(WORKLOADS, name)
}

function named(clients: readonly AnyClient[], name: string): AnyClient {
  const found = clients.find((client) => client.name === name)
  if (found === undefined) throw new Error(`the evaluation has no client ${name}`)
  return found
}
