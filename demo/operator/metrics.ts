/** What the page's monitor is measured by: the instruments of the server, with its names, labels and buckets. */
import type { PlainError, Snapshot } from '../../src/core/index.ts'
import type { MonitorDescription, Verdict } from '../../src/core/monitor/index.ts'
import type { MonitorConfig, MonitorHostEvent } from '../../src/embed/index.ts'
import { Instruments, type MeasuredModel, TextMeter, type WatchedDetector } from '../../src/server/metrics/index.ts'

/** A monitor as its operator sees it; that of a page, of a worker, or of the core. */
export interface Operated {
  /** The `model` label of its metrics. */
  readonly model: string
  /** What it runs with; read anew each time, so that it may change, apart from which detectors there are. */
  readonly config: MonitorConfig
  readonly describe: () => MonitorDescription | Promise<MonitorDescription>
  /** Its detectors as metrics show them. */
  readonly watched: (running: MonitorDescription['detectors']) => readonly WatchedDetector[]
  /** Its memory, where that can be taken out and put back. */
  readonly state?: OperatedState
}

export interface OperatedState {
  /** What is peculiar to it, in a sentence for the operator. */
  readonly about?: string
  readonly snapshot: () => Snapshot | Promise<Snapshot>
  /** Throws, with its state as it was, for a snapshot that does not fit. */
  readonly restore: (snapshot: Snapshot) => unknown
}

/** How long the phases of a query took, as far as the page knows. */
export interface Times {
  readonly embedSeconds?: number
  readonly detectSeconds?: number
}

/** What a page tells of one of its monitors. */
export interface ModelFeed {
  /** Counts a verdict. */
  judged(verdict: Verdict, times?: Times): void
  /** Counts a query that never reached the detectors. */
  failed(error: PlainError): void
  /** Counts a query of a suspended client, which nobody has looked at. */
  refused(): void
  /** Counts what happens to clients and models. Verdicts among the events are for {@link judged}. */
  happened(event: MonitorHostEvent): void
}

export interface PageMetrics {
  /** Where to tell what comes of the queries of a monitor; by the name of its model. */
  of(model: string): ModelFeed
  /** All metrics as `/metrics` of a server has them. */
  exposition(): Promise<string>
}

export interface MeasureOptions {
  /** ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** Of the build. */
  readonly version?: string
}

/** Begins at zero, for one monitor or several of different names. */
export async function measure(all: readonly Operated[], options: MeasureOptions = {}): Promise<PageMetrics> {
  const { now = Date.now, version = 'page' } = options
  let models = await Promise.all(all.map(measuredOf))
  const meter = new TextMeter()
  const instruments = new Instruments(meter, {
    models: () => models,
    now,
    inFlight: () => 0,
    cuts: () => 0,
    listeners: () => 0,
    build: { version, runtime: 'browser' },
  })
  const feeds = new Map(all.map(({ model }) => [model, feedOf(instruments, model)]))
  return {
    of(model) {
      const feed = feeds.get(model)
      if (feed === undefined) throw new Error(`no monitor is called '${model}', only ${[...feeds.keys()].join(', ')}`)
      return feed
    },
    async exposition() {
      models = await Promise.all(all.map(measuredOf))
      return meter.exposition(instruments.histograms)
    },
  }
}

async function measuredOf(operated: Operated): Promise<MeasuredModel> {
  const description = await operated.describe()
  const { model, config, watched } = operated
  const date = config.calibration?.date ?? null
  return {
    name: model,
    detectors: watched(description.detectors),
    description,
    calibratedMs: date === null ? undefined : Date.parse(date),
    backends: {},
    log: undefined,
  }
}

function feedOf(instruments: Instruments, model: string): ModelFeed {
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
  }
}
