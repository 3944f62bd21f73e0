/** Evasion of models of rows. */
import { tabularSearch } from './search.ts'

export const TABULAR_ATTACKS = [tabularSearch] as const
