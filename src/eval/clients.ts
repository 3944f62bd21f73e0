/** Every client of ours by its name. */
import { ATTACKS } from './attacks/index.ts'
import { EXTRACTIONS } from './extraction/index.ts'
import { TABULAR_ATTACKS } from './tabular/index.ts'
import { TEXT_ATTACKS } from './text/index.ts'
import type { ClientSpec } from './types.ts'
import { WORKLOADS } from './workloads/index.ts'

/** Clients of all kinds and configurations in one table. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where specs of different types share a table
export type AnyClient = ClientSpec<any, any>

export const CLIENTS: readonly AnyClient[] = [
  ...ATTACKS,
  ...EXTRACTIONS,
  ...TABULAR_ATTACKS,
  ...TEXT_ATTACKS,
  ...WORKLOADS,
]
