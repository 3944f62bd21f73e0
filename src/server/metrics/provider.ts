/** The SDK behind the metrics: the text that Prometheus reads, and the push to an OTLP collector. */
import type { Meter } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import {
  MeterProvider,
  type MetricProducer,
  MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import type { OtlpConfig } from '../config/config.ts'
import { bridge } from './bridge.ts'
import type { Histogram } from './histogram.ts'

export interface Metrics {
  readonly meter: Meter
  /** Adds histograms that are kept elsewhere. */
  readonly add: (histograms: readonly Histogram[]) => void
  /** All metrics in Prometheus' text format 0.0.4. */
  readonly exposition: () => Promise<string>
  /** Pushes once more, if it pushes at all. */
  readonly shutdown: () => Promise<void>
}

/** Makes metrics. With `otlp` they are pushed there too. */
export async function createMetrics({ otlp }: { readonly otlp?: OtlpConfig } = {}): Promise<Metrics> {
  const histograms: Histogram[] = []
  const metricProducers = [bridge(histograms, Date.now)]
  const reader = new PullReader({ metricProducers })
  const pushing = otlp === undefined ? [] : [await pushReader(otlp, metricProducers)]
  const provider = new MeterProvider({ readers: [reader, ...pushing] })
  // No target_info, and no labels that name the scope on every series.
  const serializer = new PrometheusSerializer('', false, undefined, true, true)
  return {
    meter: provider.getMeter('monitaur'),
    add: (more) => void histograms.push(...more),
    exposition: async () =>
      serializer
        .serialize((await reader.collect()).resourceMetrics)
        .trimEnd()
        .concat('\n'),
    shutdown: () => provider.shutdown(),
  }
}

/** Collects when it is asked to. */
class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

async function pushReader({ url, everySeconds }: OtlpConfig, metricProducers: MetricProducer[]): Promise<MetricReader> {
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http')
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url }),
    exportIntervalMillis: everySeconds * 1000,
    metricProducers,
  })
}
