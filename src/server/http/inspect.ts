/** `POST /v1/inspect` and its batch: full queries in, full verdicts out. */
import type { Context } from 'hono'
import { parseJson } from './body.ts'
import { answerWith, errorResponse, HttpError } from './errors.ts'
import { inspectOne, judge, refuseQuery, toJson } from './judge.ts'
import { inspectLines } from './ndjson.ts'
import { readDraft, withBody } from './request.ts'
import type { Service } from './service.ts'

/** Queries of a batch that are under way at the same time. */
const AT_A_TIME = 16

export async function inspect(service: Service, c: Context): Promise<Response> {
  let watch = service.first
  try {
    return await withBody(service, c.req.raw, ['json', 'multipart'], async (bytes, kind) => {
      const startMs = performance.now()
      const draft = await readDraft({ service, c, strict: true }, bytes, kind)
      watch = service.watchOf(draft.model, draft.names['model'])
      service.instruments.decoded(watch.name, (performance.now() - startMs) / 1000)
      return answerWith(toJson(await judge(service, watch, draft)))
    })
  } catch (thrown) {
    return errorResponse(refuseQuery(service, watch, thrown))
  }
}

/** A JSON list is answered with a list; lines are answered with lines, as they come. */
export async function inspectBatch(service: Service, c: Context): Promise<Response> {
  const type = c.req.raw.headers.get('content-type') ?? ''
  if (/^\s*application\/(?:x-ndjson|ndjson|jsonl)\b/i.test(type)) return inspectLines(service, c)
  try {
    return await withBody(service, c.req.raw, ['json', 'ndjson'], async (bytes) => {
      const { limits } = service.config
      const queries = parseJson(bytes, limits)
      if (!Array.isArray(queries)) throw new HttpError(422, 'bad_query', 'must be a list of queries', { path: 'body' })
      if (queries.length > limits.maxBatch) {
        const message = `must be at most ${limits.maxBatch} queries, got ${queries.length}; send lines instead`
        throw new HttpError(413, 'payload_too_large', message, { path: 'body' })
      }
      return answerWith(await inspectAll(service, queries, c.req.query('model')))
    })
  } catch (thrown) {
    return errorResponse(refuseQuery(service, service.first, thrown))
  }
}

async function inspectAll(service: Service, queries: readonly unknown[], model: string | undefined) {
  const answers: object[] = []
  for (let start = 0; start < queries.length; start += AT_A_TIME) {
    const part = queries.slice(start, start + AT_A_TIME)
    const judged = part.map(async (query, i) => {
      return { index: start + i, ...(await inspectOne(service, () => query, model)) }
    })
    answers.push(...(await Promise.all(judged)))
  }
  return answers
}
