/** Finds Prometheus, or installs it. Tests fail without it; they are never skipped. */
import { findProgram, installByApt, reasonOfFailure } from './programs.ts'

export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

/** The paths of `prometheus` and `promtool`. Rejects with a sentence that says what was tried and what to do. */
export async function findPrometheus(): Promise<PrometheusPrograms> {
  const present = await findInstalled()
  if (present !== undefined) return present
  const failedBefore = process.env['MONITAUR_NO_PROMETHEUS']
  if (failedBefore !== undefined) throw new Error(failedBefore)
  const failure = await reasonOfFailure(() => installByApt('prometheus'))
  const found = await findInstalled()
  if (found !== undefined) return found
  throw new Error(
    `no Prometheus for the tests of the metrics, tried PATH and apt-get install prometheus ` +
      `(${failure ?? 'no program came of it'}); run 'apt-get install prometheus', or put prometheus and promtool on PATH`,
  )
}

async function findInstalled(): Promise<PrometheusPrograms | undefined> {
  const prometheus = await findProgram(['prometheus'])
  const promtool = await findProgram(['promtool'])
  return prometheus === undefined || promtool === undefined ? undefined : { prometheus, promtool }
}
