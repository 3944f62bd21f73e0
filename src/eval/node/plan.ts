/** What is to be run: plain data, from which every thread makes the same. */
import { readFileSync } from 'node:fs'
import { stableJson } from '../../core/index.ts'
import type { Split } from '../results.ts'
import type { DetectorChoices } from '../watch.ts'
import type { TableOptions } from './data/table.ts'
import { hashOf } from './files.ts'
import type { OnnxVictimOptions } from './onnxVictim.ts'

/** A model: a file, one of a plug-in by its name, or `toy`, which needs no file. */
export type VictimChoice = ({ readonly file: string } & OnnxVictimOptions) | { readonly victim: string } | 'toy'

/** Data: a file or folder, that of a plug-in by its name, or `toy`. */
export type DataChoice = ({ readonly path: string } & TableOptions) | { readonly data: string } | 'toy'

export interface ClientChoice {
  /** Of ours, or of a plug-in. */
  readonly name: string
  readonly config?: Readonly<Record<string, unknown>>
}

export interface Plan {
  /** Files; see `Plugin`. Default: none. */
  readonly plugins?: readonly string[]
  /** All of one kind, with equal inputs. */
  readonly victims: readonly VictimChoice[]
  readonly data: DataChoice
  /** By the label that results have. */
  readonly clients: Readonly<Record<string, ClientChoice>>
  readonly detectors: DetectorChoices
  /** Each client works on each source once a seed. */
  readonly seeds: readonly number[]
  /** Queries of a session, at most. */
  readonly budget: number
  /** Inputs that each client works on, as many of each split: those that the model gets right. */
  readonly sources: number
  /** Default: both. An input is in the same split for every model, seed and number of sources. */
  readonly splits?: readonly Split[]
  /** `drop`: no sources that the model gets wrong under light noise. Default `keep`. Pictures only. */
  readonly fragile?: 'keep' | 'drop'
}

/** One session to run. */
export interface Job {
  readonly client: string
  /** Its place in the plan. */
  readonly victim: number
  /** Its place in the data. */
  readonly source: number
  readonly split: Split
  readonly seed: number
}

/** Of the plan and the plug-ins' files. */
export function planHash(plan: Plan): string {
  return hashOf(stableJson(plan), ...(plan.plugins ?? []).map((file) => readFileSync(file)))
}
