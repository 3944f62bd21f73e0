/** One query from a request to its verdict, whichever route it came by. */
import { isMonitorError, type PlainError } from '../../core/index.ts'
import { checkClient, type Verdict } from '../../core/monitor/index.ts'
import type { CallOptions } from '../../embed/index.ts'
import { fromPlain, HttpError, toHttpError } from './errors.ts'
import type { Judged } from './judged.ts'
import { type Draft, draftOfJson, inCallersWords } from './query.ts'
import { isBug, type Service } from './service.ts'
import type { Watch } from './watch.ts'

/** A refusal that has been counted. */
class CountedError extends HttpError {}

const NO_WAIT: CallOptions = {}

/** The verdict on a query. Rejects with an {@link HttpError} for one that is refused or that no detector could judge. */
export async function judge(service: Service, watch: Watch, draft: Draft): Promise<Verdict> {
  const { query } = draft
  const client = query.client ?? ''
  if (!watch.isOpen) await watch.opened
  admit(service, watch, draft)
  const call = mayWait(watch, draft) ? { signal: AbortSignal.timeout(service.config.limits.timeoutMs) } : NO_WAIT
  service.gate.enterClient(client)
  try {
    return settle(service, watch, draft, await watch.inspect(query, call))
  } catch (thrown) {
    throw call.signal?.aborted ? tooSlow(service) : inWords(watch, thrown, draft)
  } finally {
    service.gate.leaveClient(client)
  }
}

/** The same at once; undefined, with nothing done, where the query has to wait. Throws what {@link judge} rejects with. */
export function judgeNow(service: Service, watch: Watch, draft: Draft, startMs: number): Verdict | undefined {
  if (!watch.mayJudgeNow) return undefined
  admit(service, watch, draft)
  try {
    const judged = watch.inspectNow(draft.query, startMs)
    return judged === undefined ? undefined : settle(service, watch, draft, judged)
  } catch (thrown) {
    throw inWords(watch, thrown, draft)
  }
}

/** Throws 403 for a suspended client. */
function admit(service: Service, watch: Watch, draft: Draft): void {
  const { client = '' } = draft.query
  try {
    checkClient(client)
  } catch (thrown) {
    throw inWords(watch, thrown, draft)
  }
  const admission = watch.admit(client)
  if (!admission.allowed) throw suspended(service, watch, admission.suspendedUntilMs, draft)
}

/** Counts and tells what became of a query. Throws if no detector could judge it. */
function settle(service: Service, watch: Watch, draft: Draft, judged: Judged): Verdict {
  const errors = judged.kind === 'refused' ? judged.errors : judged.verdict.errors
  if (judged.kind === 'refused' || judged.verdict.detections.length === 0) {
    service.instruments.failed(watch.name, errors)
    throw unjudged(watch, errors, draft)
  }
  const { verdict, embedSeconds, detectSeconds, logSeconds } = judged
  service.instruments.judged(watch.name, verdict, embedSeconds, detectSeconds)
  if (logSeconds !== undefined) service.instruments.logged(watch.name, logSeconds)
  service.decided(watch, verdict)
  return verdict
}

/** Neither an embedder of somebody's own nor a picture to decode: then the query is judged at once. */
function mayWait(watch: Watch, { query }: Draft): boolean {
  return watch.hasPlugins || query.input instanceof Uint8Array
}

function suspended(service: Service, watch: Watch, untilMs: number, { names }: Draft): HttpError {
  service.instruments.refused(watch.name)
  const seconds = Math.max(1, Math.ceil((untilMs - service.now()) / 1000))
  const message = `the client is suspended until ${new Date(untilMs).toISOString()}`
  return new HttpError(403, 'suspended', message, {
    path: names['client'] ?? 'client_id',
    headers: { 'retry-after': String(seconds) },
  })
}

function unjudged(watch: Watch, errors: readonly PlainError[], draft: Draft): HttpError {
  // Something that the caller can mend comes first.
  const worst = errors.find(({ code }) => code === 'bad_query') ?? errors[0]!
  const { status, code, message, path, headers } = refusalOf(watch, worst, draft)
  return new CountedError(status, code, message, { path, headers })
}

function refusalOf(watch: Watch, error: PlainError, { names }: Draft): HttpError {
  const labels = watch.detectors.map(({ label }) => label)
  return fromPlain({ ...error, ...inCallersWords(error, labels, names) })
}

/** An error of the library in the caller's words; anything else as it is. */
function inWords(watch: Watch, thrown: unknown, draft: Draft): unknown {
  return isMonitorError(thrown) ? refusalOf(watch, thrown.toJSON(), draft) : thrown
}

function tooSlow({ config }: Service): HttpError {
  const message = `the query was not judged within ${config.limits.timeoutMs} ms`
  return new HttpError(503, 'timeout', message, { headers: { 'retry-after': '1' } })
}

/** The refusal that a failed query is answered with. What the caller got wrong is counted, once, as an error of the detectors. */
export function refuseQuery(service: Service, watch: Watch, thrown: unknown): HttpError {
  if (thrown instanceof CountedError) return thrown
  if (isBug(thrown)) service.failed(thrown)
  const { status, code, message, path, headers } = toHttpError(thrown)
  if (UNSEEN.has(status)) service.instruments.failed(watch.name, [{ code, path: '' }])
  return new CountedError(status, code, message, { path, headers })
}

/** Statuses of queries that never reached a detector, but should have. */
const UNSEEN: ReadonlySet<number> = new Set([400, 413, 415, 422, 500])

/** What stands for one query of many: its verdict, or why there is none. Never rejects. */
export async function inspectOne(service: Service, read: () => unknown, model: string | undefined) {
  let watch = service.first
  try {
    const draft = draftOfJson(read(), { strict: true })
    watch = service.watchOf(draft.model ?? model, draft.names['model'])
    return { verdict: toJson(await judge(service, watch, draft)) }
  } catch (thrown) {
    const { code, message, path } = refuseQuery(service, watch, thrown)
    return { error: { code, message, path } }
  }
}

/** A verdict as JSON: errors without the name of their class. */
export function toJson(verdict: Verdict): object {
  return { ...verdict, errors: verdict.errors.map(({ code, message, path }) => ({ code, message, path })) }
}
