/** The labels of a route's answers in the metrics. */
import type { RequestAttributes } from '../metrics/instruments.ts'
import type { Service } from './service.ts'

/** The labels of an answer, by its status. */
export type StatusLabels = (status: number) => RequestAttributes

/** Labels, made when they are first needed. */
export function statusLabels({ instruments }: Service, path: string, method: string): StatusLabels {
  const known: RequestAttributes[] = []
  return (status) => {
    const kind = Math.floor(status / 100)
    known[kind] ??= instruments.requestAttributes(path, method, `${kind}xx`)
    return known[kind]
  }
}
