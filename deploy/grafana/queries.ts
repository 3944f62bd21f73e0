/** PromQL in the words of the dashboard. */

/** What the variables of the dashboard select: servers · a model on them · a detector of it. */
const SERVERS = 'job=~"$job",instance=~"$instance"'
// The reference's four names carry no model where there is only one: nothing fits as well.
const MODELS = `${SERVERS},model=~"$model|"`
const DETECTORS = `${MODELS},detector=~"$detector"`

const WINDOW = '$__rate_interval'

/** Which series of a metric are meant; `more` are further matchers. */
export type Select = (metric: string, more?: string) => string

export const ofServers = selector(SERVERS)
export const ofModels = selector(MODELS)
export const ofDetectors = selector(DETECTORS)

function selector(matchers: string): Select {
  return (metric, more) => `${metric}{${matchers}${more === undefined ? '' : `,${more}`}}`
}

/** A sum over everything but these labels; over everything without them. */
export function sumBy(labels: string, expression: string): string {
  return labels === '' ? `sum(${expression})` : `sum by (${labels}) (${expression})`
}

/** 0 where there is nothing. */
export function orZero(expression: string): string {
  return `${expression} or vector(0)`
}

/** Growth of a counter per second. */
export function perSecond(labels: string, series: string): string {
  return sumBy(labels, `rate(${series}[${WINDOW}])`)
}

/** Growth of a counter between two points of the graph. */
export function growth(labels: string, series: string): string {
  return sumBy(labels, `increase(${series}[${WINDOW}])`)
}

/** A part of a whole, 0 … 1. Says nothing where there was nothing, rather than 0 or NaN. */
export function share(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`
}

/** A quantile of a histogram, for each set of these labels. */
export function quantile(q: number, labels: string, histogram: (metric: string) => string): string {
  return `histogram_quantile(${q}, ${sumBy(labels === '' ? 'le' : `le, ${labels}`, `rate(${histogram('bucket')}[${WINDOW}])`)})`
}
