/** Plain histograms as a source that OpenTelemetry's SDK reads. */
import { type HrTime, ValueType } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  type HistogramMetricData,
  type MetricProducer,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import type { Histogram } from './histogram.ts'

/** The reader takes its own. */
const NONE = { attributes: {} } as ResourceMetrics['resource']

/** A producer of whatever the list holds when it is asked. `now` is in ms since the epoch. */
export function bridge(histograms: readonly Histogram[], now: () => number): MetricProducer {
  const startTime = toHrTime(now())
  return {
    collect: async () => {
      const endTime = toHrTime(now())
      const metrics = histograms.map((histogram) => metricData(histogram, startTime, endTime))
      const scopeMetrics = [{ scope: { name: 'monitaur' }, metrics }]
      return { resourceMetrics: { resource: NONE, scopeMetrics }, errors: [] }
    },
  }
}

function metricData(
  { name, description, bounds, series }: Histogram,
  startTime: HrTime,
  endTime: HrTime,
): HistogramMetricData {
  return {
    descriptor: { name, description, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: series.map(({ attributes, counts, count, sum }) => {
      const buckets = { boundaries: [...bounds], counts: [...counts] }
      return { startTime, endTime, attributes, value: { buckets, count, sum } }
    }),
  }
}

function toHrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), Math.floor(ms % 1000) * 1e6]
}
