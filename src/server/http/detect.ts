/** `POST /detect`: the route of the reference server, with its questions and its answers. */
import type { Context } from 'hono'
import type { ConfidenceMetadata, Detection } from '../../core/index.ts'
import type { Verdict } from '../../core/monitor/index.ts'
import { parseJson } from './body.ts'
import { errorResponse, HttpError, jsonResponse } from './errors.ts'
import { judge, judgeNow, refuseQuery } from './judge.ts'
import { type Draft, draftOfJson } from './query.ts'
import { readDraft, withBody } from './request.ts'
import type { Service } from './service.ts'
import type { Watch } from './watch.ts'

const LENIENT = { strict: false }

/** What the reference answers. `detectors` and `errors` are there only where it has nothing like them. */
export interface DetectAnswer {
  readonly is_suspicious: boolean
  /** Of the confidence detector its raw score, as there; of the others their confidence. */
  readonly confidence: number
  readonly reason: string
  readonly metadata: Readonly<Record<string, unknown>>
}

export async function detect(service: Service, c: Context): Promise<Response> {
  try {
    return await withBody(service, c.req.raw, ['json', 'multipart'], async (bytes, kind) => {
      const startMs = performance.now()
      const draft = await readDraft({ service, c, strict: false }, bytes, kind)
      return jsonResponse(await answerDraft(service, draft, startMs))
    })
  } catch (thrown) {
    return errorResponse(refuseQuery(service, service.first, thrown))
  }
}

/** The answer to a JSON body that came at `startMs`, as JSON text. Rejects with an `HttpError`. */
export async function detectJson(service: Service, bytes: Uint8Array, startMs: number): Promise<string> {
  try {
    return await answerDraft(service, draftOfJson(parseJson(bytes, service.config.limits), LENIENT), startMs)
  } catch (thrown) {
    throw refuseQuery(service, service.first, thrown)
  }
}

/** The same at once; undefined, with nothing done, where the query has to wait. Throws an `HttpError`. */
export function detectJsonNow(service: Service, bytes: Uint8Array, startMs: number): string | undefined {
  if (!service.mayAnswerNow) return undefined
  let watch = service.first
  try {
    const draft = draftOfJson(parseJson(bytes, service.config.limits), LENIENT)
    watch = checkDraft(service, draft)
    const decodedMs = performance.now()
    const verdict = judgeNow(service, watch, draft, decodedMs)
    if (verdict === undefined) return undefined
    service.instruments.decoded(watch.name, (decodedMs - startMs) / 1000)
    return answerText(watch, verdict)
  } catch (thrown) {
    throw refuseQuery(service, watch, thrown)
  }
}

/** `startMs` is when the reading of the body began. */
async function answerDraft(service: Service, draft: Draft, startMs: number): Promise<string> {
  const watch = checkDraft(service, draft)
  try {
    service.instruments.decoded(watch.name, (performance.now() - startMs) / 1000)
    return answerText(watch, await judge(service, watch, draft))
  } catch (thrown) {
    throw refuseQuery(service, watch, thrown)
  }
}

/** The model that is asked. Throws 422. */
function checkDraft(service: Service, { query, model, names }: Draft): Watch {
  if (query.input === undefined && query.embedding === undefined) {
    throw new HttpError(422, 'bad_query', 'is missing', { path: names['input'] ?? 'input_data' })
  }
  return service.watchOf(model, names['model'])
}

/**
 * The answer as JSON. The one that a server without configuration gives is written out: printing its numbers is a good
 * part of the time that a request takes, and two of them are the same.
 */
function answerText(watch: Watch, verdict: Verdict): string {
  const [only] = verdict.detections
  const isPlain = verdict.detections.length === 1 && verdict.errors.length === 0
  if (!isPlain || watch.familyOf(only!.detector) !== 'confidence') return JSON.stringify(toAnswer(watch, verdict))
  const { suspicious, score, reason, metadata } = only!
  const { averageScore, scores } = metadata as ConfidenceMetadata
  const number = String(score)
  const head = `{"is_suspicious":${suspicious},"confidence":${number},"reason":${quoted(reason)},"metadata":`
  return `${head}{"last_score":${number},"avg_score":${averageScore},"num_scores":${scores}}}`
}

/** `JSON.stringify`, at a third of the time where no character needs more than the quotes. */
function quoted(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** A verdict in the reference's words. With several detectors the most telling one speaks. */
function toAnswer(watch: Watch, verdict: Verdict): DetectAnswer {
  const { detections, errors, suspicious } = verdict
  const speaker = detections.length === 1 ? detections[0]! : mostTelling(detections)
  const answer = answerOf(watch, speaker)
  if (detections.length === 1 && errors.length === 0) return answer
  const detectors = detections.map((one) => ({ detector: one.detector, ...answerOf(watch, one) }))
  const failed =
    errors.length === 0 ? {} : { errors: errors.map(({ code, message, path }) => ({ code, message, path })) }
  const { confidence, reason } = answer
  return { is_suspicious: suspicious, confidence, reason, metadata: { ...answer.metadata, detectors, ...failed } }
}

function mostTelling(detections: readonly Detection[]): Detection {
  return detections.reduce((best, one) => {
    if (one.suspicious !== best.suspicious) return one.suspicious ? one : best
    return one.confidence > best.confidence ? one : best
  })
}

function answerOf(
  watch: Watch,
  { detector, suspicious, score, confidence, reason, metadata }: Detection,
): DetectAnswer {
  const family = watch.familyOf(detector)
  return {
    is_suspicious: suspicious,
    confidence: family === 'confidence' ? score : confidence,
    reason,
    metadata: METADATA[family]?.(metadata as Readonly<Record<string, unknown>>) ?? {},
  }
}

/** The reference's names for what a family tells; the repetition detectors tell nothing there. */
const METADATA: Readonly<Record<string, (given: Readonly<Record<string, unknown>>) => Record<string, unknown>>> = {
  confidence: ({ lastScore, averageScore, scores }) => {
    return { last_score: lastScore, avg_score: averageScore, num_scores: scores }
  },
  similarity: ({ mostSimilarIndex, similarityScore }) => {
    return mostSimilarIndex === null ? {} : { most_similar_index: mostSimilarIndex, similarity_score: similarityScore }
  },
}
