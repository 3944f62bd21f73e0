/**
 * The text that Prometheus reads, made without an SDK: where there is no server, such as in a page. For the same instruments it
 * is the text of OpenTelemetry's own serializer, byte for byte.
 */
import type { Attributes, BatchObservableCallback, Meter, Observable, ObservableCallback } from '@opentelemetry/api'
import type { Histogram, Series } from './histogram.ts'

/** What of a meter our instruments need. */
export type ObservingMeter = Pick<
  Meter,
  'createObservableCounter' | 'createObservableGauge' | 'addBatchObservableCallback'
>

interface Observed extends Observable {
  readonly name: string
  readonly description: string
  readonly type: 'counter' | 'gauge'
  readonly callbacks: Set<ObservableCallback>
}

type Points = Map<Observable, (readonly [value: number, attributes: Attributes])[]>

/** A meter that only knows instruments which are asked when somebody looks. */
export class TextMeter implements ObservingMeter {
  readonly #observed: Observed[] = []
  readonly #batches: BatchObservableCallback[] = []

  createObservableCounter(name: string, { description = '' } = {}): Observable {
    return this.#add(name, 'counter', description)
  }

  createObservableGauge(name: string, { description = '' } = {}): Observable {
    return this.#add(name, 'gauge', description)
  }

  addBatchObservableCallback(callback: BatchObservableCallback): void {
    this.#batches.push(callback)
  }

  #add(name: string, type: Observed['type'], description: string): Observable {
    const callbacks = new Set<ObservableCallback>()
    const made: Observed = {
      name,
      type,
      description,
      callbacks,
      addCallback: (callback) => void callbacks.add(callback),
      removeCallback: (callback) => void callbacks.delete(callback),
    }
    this.#observed.push(made)
    return made
  }

  /** All of it in Prometheus' text format 0.0.4, histograms last. */
  async exposition(histograms: readonly Histogram[]): Promise<string> {
    const points = await this.#collect()
    const singles = this.#observed.map((one) => {
      const lines = (points.get(one) ?? []).map(([value, attributes]) => line(one.name, attributes, value))
      return lines.length === 0 ? '' : block(one, lines)
    })
    const spread = histograms.map(({ name, description, series }) => {
      return block(
        { name, description, type: 'histogram' },
        series.flatMap((one) => histogramLines(name, one)),
      )
    })
    return [...singles, ...spread].filter((text) => text !== '').join('')
  }

  async #collect(): Promise<Points> {
    const points: Points = new Map()
    const observe = (observable: Observable, value: number, attributes: Attributes = {}) => {
      const known = points.get(observable)
      if (known === undefined) points.set(observable, [[value, attributes]])
      else known.push([value, attributes])
    }
    for (const one of this.#observed) {
      const result = { observe: (value: number, attributes?: Attributes) => observe(one, value, attributes) }
      for (const callback of one.callbacks) await callback(result)
    }
    for (const callback of this.#batches) await callback({ observe })
    return points
  }
}

function block(
  { name, description, type }: { readonly name: string; readonly description: string; readonly type: string },
  lines: readonly string[],
): string {
  return `# HELP ${name} ${escaped(description)}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function histogramLines(name: string, { attributes, bounds, counts, count, sum }: Series): string[] {
  let below = 0
  const buckets = counts.map((inside, i) => {
    below += inside
    const bound = bounds[i]
    return line(`${name}_bucket`, { ...attributes, le: bound === undefined ? '+Inf' : String(bound) }, below)
  })
  return [line(`${name}_count`, attributes, count), line(`${name}_sum`, attributes, sum), ...buckets]
}

function line(name: string, attributes: Attributes, value: number): string {
  const labels = Object.entries(attributes).map(([key, said]) => {
    return `${key}="${escaped(String(said)).replaceAll('"', '\\"')}"`
  })
  return `${name}${labels.length === 0 ? '' : `{${labels.join()}}`} ${valueText(value)}\n`
}

function valueText(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
