/** What the page's monitor is measured by: the instruments of the server, with its names, labels and buckets. */
import type { PlainError, Snapshot } from '../../src/core/index.ts'
import type { MonitorDescription, Verdict } from '../../src/core/monitor/index.ts'
import type { MonitorConfig, MonitorHostEvent } from '../../src/embed/index.ts'
import { Instruments, type MeasuredModel, TextMeter, watchedDetectors } from '../../src/server/metrics/index.ts'

/** A monitor as its operator sees it; that of a page, of a worker, or of the core. */
export interface Operated {
  /** The `model` label of its metrics. */
  readonly model: string
  /** What it was made with. */
  readonly config: MonitorConfig
  describe(): MonitorDescription | Promise<MonitorDescription>
  snapshot(): Snapshot | Promise<Snapshot>
  /** Throws, with its state as it was, for a snapshot that does not fit. */
  restore(snapshot: Snapshot): void | Promise<void>
}

/** How long the phases of a query took, as far as the page knows. */
export interface Times {
  readonly embedSeconds?: number
  readonly detectSeconds?: number
}

export interface PageMetrics {
  /** Counts a verdict. */
  judged(verdict: Verdict, times?: Times): void
  /** Counts a query that never reached the detectors. */
  failed(error: PlainError): void
  /** Counts a query of a suspended client, which nobody has looked at. */
  refused(): void
  /** Counts what happens to clients and models. Verdicts among the events are for {@link judged}. */
  happened(event: MonitorHostEvent): void
  /** All metrics as `/metrics` of a server has them. */
  exposition(): Promise<string>
}

/** Begins at zero. `now` is in ms since the epoch; `version` is that of the build. */
export async function measure(
  operated: Operated,
  { now = Date.now, version = 'page' }: { readonly now?: () => number; readonly version?: string } = {},
): Promise<PageMetrics> {
  const { model, config } = operated
  const { calibration } = config
  const date = calibration?.date ?? null
  let description = await operated.describe()
  const detectors = watchedDetectors(config, description.detectors)
  const measured = (): MeasuredModel => ({
    name: model,
    detectors,
    description,
    calibratedMs: date === null ? undefined : Date.parse(date),
    backends: {},
  })
  const meter = new TextMeter()
  const instruments = new Instruments(meter, {
    models: () => [measured()],
    now,
    inFlight: () => 0,
    listeners: () => 0,
    build: { version, runtime: 'browser' },
  })
  return {
    judged: (verdict, { embedSeconds, detectSeconds } = {}) => {
      instruments.judged(model, verdict, embedSeconds, detectSeconds)
    },
    failed: (error) => instruments.failed(model, [error]),
    refused: () => instruments.refused(model),
    happened(event) {
      if (event.kind === 'verdict' || event.kind === 'progress') return
      if (event.kind === 'backendchange') instruments.backendChanged(model, event)
      else instruments.happened(model, event)
    },
    async exposition() {
      description = await operated.describe()
      return meter.exposition(instruments.histograms)
    },
  }
}
