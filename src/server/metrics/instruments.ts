/**
 * What the server measures, in the terms of OpenTelemetry's API; which SDK listens is the host's choice. Counts that
 * every request moves are plain numbers here, read when somebody collects. Labels take their values from the
 * configuration and from short fixed lists only; a client is never one of them.
 */
import type { Attributes } from '@opentelemetry/api'
import type { Action, MonitorDescription, MonitorEvent, Verdict } from '../../core/monitor/index.ts'
import type { BackendChange } from '../../embed/index.ts'
import type { LogState } from '../http/memory.ts'
import type { ScoreUnit, WatchedDetector } from '../http/watched.ts'
import { CONFIDENCE_BUCKETS, DURATION_BUCKETS, scoreBuckets } from './buckets.ts'
import { Histogram, type Series } from './histogram.ts'
import { type Observe, observeAll, observeModel } from './observed.ts'
import type { ObservingMeter } from './textMeter.ts'

/** The phases of a query: reading its body · taking its features · judging it · writing and judging it, with a log. */
export type Phase = 'decode' | 'embed' | 'detect' | 'log'
export type FeedbackKind = 'true_positive' | 'false_positive'

/** A model as it is when somebody collects. */
export interface MeasuredModel {
  readonly name: string
  readonly detectors: readonly WatchedDetector[]
  readonly description: MonitorDescription
  /** Of its log; undefined where there is none. */
  readonly log: LogState | undefined
  /** ms since the epoch; undefined for thresholds that were never calibrated. */
  readonly calibratedMs: number | undefined
  /** Detector to the backend of its embedder's model. */
  readonly backends: Readonly<Record<string, string>>
}

/** What is not counted here but asked for. */
export interface Surroundings {
  readonly models: () => readonly MeasuredModel[]
  readonly now: () => number
  readonly inFlight: () => number
  readonly cuts: () => number
  readonly listeners: () => number
  readonly build: Attributes
}

interface DetectorCounts {
  readonly attributes: Attributes
  /** Of the reference's four: without the model where there is only one. */
  readonly plain: Attributes
  readonly confidence: Series
  readonly score: Series
  readonly reportsScore: boolean
  judged: number
  suspicious: number
  errors: number
}

const FEEDBACK: readonly FeedbackKind[] = ['true_positive', 'false_positive']

/** Counts of one model. */
export interface ModelCounts {
  readonly detectors: ReadonlyMap<string, DetectorCounts>
  readonly actions: Record<Action, number>
  readonly proposed: Record<Action, number>
  readonly events: Record<MonitorEvent['kind'], number>
  readonly errors: Map<string, number>
  readonly feedback: Map<string, number>
  /** Lost backends, by detector, from and to. */
  readonly backendChanges: Map<string, number>
  readonly phases: Readonly<Record<Phase, Series>>
  refused: number
}

/** Everything that is measured. */
export class Instruments {
  readonly #models = new Map<string, ModelCounts>()
  readonly #requests = new Map<string, { attributes: Attributes; count: number }>()
  readonly #durations = new Histogram(
    'http_request_duration_seconds',
    'Time from the head of a request to its answer',
    DURATION_BUCKETS,
  )
  readonly #surroundings: Surroundings
  readonly #reloads = { ok: 0, refused: 0 }
  #droppedListeners = 0
  /** What a reader of the metrics adds to what the meter collects. */
  readonly histograms: readonly Histogram[]

  constructor(meter: ObservingMeter, surroundings: Surroundings) {
    this.#surroundings = surroundings
    const models = surroundings.models()
    const made = histogramsFor(models)
    this.histograms = [this.#durations, made.phases, made.confidence, ...made.scores.values()]
    for (const model of models) this.#models.set(model.name, modelCounts(model, models.length === 1, made))
    observeAll(meter, (observe) => this.#observe(observe))
  }

  /** A query with a verdict; how long its phases took, where somebody knows. */
  judged(
    model: string,
    { action, proposed, detections, errors }: Verdict,
    embedSeconds?: number,
    detectSeconds?: number,
  ) {
    const counts = this.#models.get(model)!
    counts.actions[action]++
    counts.proposed[proposed]++
    if (embedSeconds !== undefined) counts.phases.embed.record(embedSeconds)
    if (detectSeconds !== undefined) counts.phases.detect.record(detectSeconds)
    for (const { detector, suspicious, score, confidence } of detections) {
      const own = counts.detectors.get(detector)!
      own.judged++
      if (suspicious) own.suspicious++
      own.confidence.record(own.reportsScore ? score : confidence)
      own.score.record(score)
    }
    if (errors.length > 0) this.failed(model, errors)
  }

  /** What detectors could not judge. An error of none of them counts for all: none has seen the query. */
  failed(model: string, errors: readonly { readonly code: string; readonly path: string }[]): void {
    const counts = this.#models.get(model)!
    for (const { code, path } of errors) {
      increment(counts.errors, code)
      const own = [...counts.detectors].find(([label]) => path === label || path.startsWith(`${label}.`))
      if (own !== undefined) own[1].errors++
      else for (const detector of counts.detectors.values()) detector.errors++
    }
  }

  decoded(model: string, seconds: number): void {
    this.#models.get(model)!.phases.decode.record(seconds)
  }

  /** A query was written to the log, and judged. */
  logged(model: string, seconds: number): void {
    this.#models.get(model)!.phases.log.record(seconds)
  }

  /** A suspended client was turned away. */
  refused(model: string): void {
    this.#models.get(model)!.refused++
  }

  happened(model: string, { kind }: MonitorEvent): void {
    this.#models.get(model)!.events[kind]++
  }

  /** The backend of a detector's embedder was lost, and made again or replaced. */
  backendChanged(model: string, { detector, from, to }: BackendChange & { readonly detector: string }): void {
    increment(this.#models.get(model)!.backendChanges, `${detector} ${from} ${to}`)
  }

  /** `detector` is a label of the model's, or '' for a verdict as a whole. */
  feedback(model: string, detector: string, kind: FeedbackKind): void {
    increment(this.#models.get(model)!.feedback, `${detector} ${kind}`)
  }

  /** Verdicts by the action that enforcement takes or would take, and queries turned away, since the start. */
  decisionsOf(model: string): Readonly<Record<Action | 'refused', number>> {
    const { proposed, refused } = this.#models.get(model)!
    return { ...proposed, refused }
  }

  /** What a detector has judged since the start; `scores.counts` as in {@link Series}. */
  countsOf(model: string, label: string) {
    const { judged, suspicious, errors, score } = this.#models.get(model)!.detectors.get(label)!
    return { judged, suspicious, errors, scores: { bounds: score.bounds, counts: score.counts } }
  }

  reloaded(result: 'ok' | 'refused'): void {
    this.#reloads[result]++
  }

  listenerDropped(): void {
    this.#droppedListeners++
  }

  /** An answered request. `handler` is a path of the route table; `status` its class, such as `2xx`. */
  requested(attributes: RequestAttributes, seconds: number): void {
    attributes.count.count++
    attributes.duration.record(seconds)
  }

  /** The labels of an answer, made once and kept. */
  requestAttributes(handler: string, method: string, status: string): RequestAttributes {
    const key = `${handler} ${method} ${status}`
    const count = this.#requests.get(key) ?? { attributes: { handler, method, status }, count: 0 }
    this.#requests.set(key, count)
    return { count, duration: this.#durationsOf(handler) }
  }

  #durationsOf(handler: string): Series {
    const known = this.#durations.series.find(({ attributes }) => attributes['handler'] === handler)
    return known ?? this.#durations.with({ handler })
  }

  #observe(observe: Observe): void {
    const { models, now, inFlight, listeners, build } = this.#surroundings
    for (const model of models()) observeModel(observe, this.#models.get(model.name)!, model, now())
    for (const { attributes, count } of this.#requests.values()) observe('http_requests_total', count, attributes)
    observe('http_requests_in_flight', inFlight(), {})
    observe('http_requests_cut_total', this.#surroundings.cuts(), {})
    observe('monitaur_event_listeners', listeners(), {})
    observe('monitaur_event_listeners_dropped_total', this.#droppedListeners, {})
    for (const [result, count] of Object.entries(this.#reloads)) {
      observe('monitaur_config_reloads_total', count, { result })
    }
    observe('monitaur_build_info', 1, build)
  }
}

/** See {@link Instruments.requestAttributes}. */
export interface RequestAttributes {
  readonly count: { count: number }
  readonly duration: Series
}

function histogramsFor(models: readonly MeasuredModel[]) {
  const detectors = models.flatMap((model) => model.detectors)
  const units = [...new Set(detectors.map(({ unit }) => unit))]
  const scores = units.map((unit): [ScoreUnit, Histogram] => {
    const thresholds = detectors.filter((one) => one.unit === unit).map(({ threshold }) => threshold)
    const description = `Scores of the detectors that count in ${unit}`
    return [unit, new Histogram(`monitaur_score_${unit}`, description, scoreBuckets(unit, thresholds))]
  })
  return {
    phases: new Histogram(
      'monitaur_phase_duration_seconds',
      'Time spent on a query, by phase: decode, embed, detect; log, where there is one, with detect in it',
      DURATION_BUCKETS,
    ),
    confidence: new Histogram(
      'detection_confidence_score',
      'Distribution of suspiciousness confidence scores',
      CONFIDENCE_BUCKETS,
    ),
    scores: new Map(scores),
  }
}

function modelCounts(
  { name, detectors }: MeasuredModel,
  isOnly: boolean,
  { phases, confidence, scores }: ReturnType<typeof histogramsFor>,
): ModelCounts {
  const zeros = () => ({ allow: 0, flag: 0, throttle: 0, suspend: 0 })
  const counts = detectors.map(({ label, family, unit }): [string, DetectorCounts] => {
    const attributes = { detector: label, model: name }
    const plain = isOnly ? { detector: label } : attributes
    return [
      label,
      {
        attributes,
        plain,
        confidence: confidence.with(plain),
        score: scores.get(unit)!.with(attributes),
        reportsScore: family === 'confidence',
        judged: 0,
        suspicious: 0,
        errors: 0,
      },
    ]
  })
  return {
    detectors: new Map(counts),
    actions: zeros(),
    proposed: zeros(),
    events: { suspended: 0, released: 0, erased: 0, evicted: 0, eviction_storm: 0, drift: 0 },
    errors: new Map(),
    backendChanges: new Map(),
    feedback: new Map(FEEDBACK.map((kind) => [` ${kind}`, 0])),
    phases: {
      decode: phases.with({ model: name, phase: 'decode' }),
      embed: phases.with({ model: name, phase: 'embed' }),
      detect: phases.with({ model: name, phase: 'detect' }),
      log: phases.with({ model: name, phase: 'log' }),
    },
    refused: 0,
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
