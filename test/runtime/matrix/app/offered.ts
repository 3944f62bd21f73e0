/** What a page and its worker do for the tests. */
import { runBackend } from '../../backends/run.ts'
import { runMatrix } from '../run.ts'

export const offered = {
  streams: runMatrix,
  network: (count: number) => runBackend('wasm', count, []),
}

export type Offered = typeof offered
