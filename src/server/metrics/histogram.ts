/**
 * Histograms as plain numbers. Every request fills half a dozen of them, and OpenTelemetry's own look up each set of
 * labels by its JSON text, which costs more than the detection; here the place is found once. The SDK reads them as those
 * of a bridged source.
 */
import type { Attributes } from '@opentelemetry/api'

/** Values of one set of labels. */
export class Series {
  readonly attributes: Attributes
  /** One for each bound, and one for what lies above all of them. */
  readonly counts: number[]
  /** Upper bounds, inclusive, rising. */
  readonly bounds: readonly number[]
  sum = 0
  count = 0

  constructor(attributes: Attributes, bounds: readonly number[]) {
    this.attributes = attributes
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  /** Adds a value. A negative one counts as 0: sums of histograms never fall. */
  record(value: number): void {
    const { bounds } = this
    let low = 0
    let high = bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value <= bounds[middle]!) high = middle
      else low = middle + 1
    }
    this.counts[low]!++
    this.count++
    if (value > 0) this.sum += value
  }
}

/** A named histogram and its series. */
export class Histogram {
  readonly name: string
  readonly description: string
  /** Upper bounds, inclusive, rising. */
  readonly bounds: readonly number[]
  readonly series: Series[] = []

  constructor(name: string, description: string, bounds: readonly number[]) {
    this.name = name
    this.description = description
    this.bounds = bounds
  }

  /** A new series; whoever makes it keeps it, and makes only one for a set of labels. */
  with(attributes: Attributes): Series {
    const series = new Series(attributes, this.bounds)
    this.series.push(series)
    return series
  }
}
