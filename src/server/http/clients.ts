/** The operator's routes: who asks, what was said of them, and what to do about it. */
import type { Context } from 'hono'
import { checkNumber, checkObject, isPlainObject, MonitorError, refuse } from '../../core/index.ts'
import { type ClientSummary, checkClient } from '../../core/monitor/index.ts'
import type { FeedbackKind } from '../metrics/instruments.ts'
import { parseJson } from './body.ts'
import { answerWith, HttpError } from './errors.ts'
import { readOptionalJson, withBody } from './request.ts'
import type { Service } from './service.ts'
import type { Watch } from './watch.ts'

const MOST_CLIENTS = 1000

/** `GET /v1/clients`: those with the most evidence first, the reason of the last suspicion beside them. */
export function listClients(service: Service, c: Context): Response {
  const limit = checkNumber(
    Number(c.req.query('limit') ?? 100),
    { min: 1, max: MOST_CLIENTS, integer: true },
    'limit',
    'bad_query',
  )
  const name = c.req.query('model')
  const watches = name === undefined ? [...service.watches.values()] : [service.watchOf(name)]
  const all = watches.flatMap((watch) => withSuspended(watch).map((client) => ({ model: watch.name, ...client })))
  const ranked = all.sort((a, b) => rank(b) - rank(a) || b.evidence - a.evidence || b.lastMs - a.lastMs)
  const clients = ranked.slice(0, limit).map((client) => {
    const reason = service.recent.get(client.model)!.reasonFor(client.id)
    return reason === undefined ? client : { ...client, reason }
  })
  return answerWith({ total: all.length, clients })
}

/** The remembered clients, and those that are suspended and forgotten. */
function withSuspended(watch: Watch): ClientSummary[] {
  const known = watch.clients()
  const ids = new Set(known.map(({ id }) => id))
  const forgotten = watch.suspensions().filter(({ client }) => !ids.has(client))
  return [...known, ...forgotten.map(({ client, untilMs }) => blank(client, untilMs))]
}

function blank(id: string, suspendedUntilMs: number): ClientSummary {
  return { id, evidence: 0, lastMs: 0, queries: 0, suspicious: 0, suspendedUntilMs }
}

function rank({ suspendedUntilMs }: ClientSummary): number {
  return suspendedUntilMs === undefined ? 0 : 1
}

/** `GET /v1/clients/:id`: what is known of one, and its last verdicts. */
export function showClient(service: Service, c: Context): Response {
  const { watch, id } = placeOf(service, c)
  const client = withSuspended(watch).find((one) => one.id === id)
  const queries = service.recent.get(watch.name)!.of(id)
  if (client === undefined && queries.length === 0) {
    throw notRemembered()
  }
  return answerWith({ model: watch.name, client: client ?? blankOf(id), queries })
}

function blankOf(id: string): ClientSummary {
  return { id, evidence: 0, lastMs: 0, queries: 0, suspicious: 0 }
}

/** `POST /v1/clients/:id/suspend`: for `forMs`, or as long as the policy says. */
export async function suspendClient(service: Service, c: Context): Promise<Response> {
  const { watch, id } = placeOf(service, c)
  const { forMs } = checkObject(await readOptionalJson(service, c.req.raw), ['forMs'], '', 'bad_query')
  if (forMs !== undefined) checkNumber(forMs, { min: 1, max: 3.2e11 }, 'forMs', 'bad_query')
  const suspendedUntilMs = await watch.suspend(id, forMs as number | undefined)
  const enforced = watch.policy.mode === 'enforce'
  return answerWith({ model: watch.name, id, suspendedUntilMs, enforced })
}

/** `POST /v1/clients/:id/release`: ends the suspension and clears the evidence. */
export async function releaseClient(service: Service, c: Context): Promise<Response> {
  const { watch, id } = placeOf(service, c)
  checkObject(await readOptionalJson(service, c.req.raw), [], '', 'bad_query')
  await watch.release(id)
  return answerWith({ model: watch.name, id })
}

/** `GET /v1/clients/:id/export`: all that is held under a client's name, lists of numbers as lists. */
export async function exportClient(service: Service, c: Context): Promise<Response> {
  const { watch, id } = placeOf(service, c)
  const held = await watch.exportClient(id)
  const queries = service.recent.get(watch.name)!.of(id)
  if (held === undefined && queries.length === 0) throw notRemembered()
  const json = JSON.stringify({ model: watch.name, id, held: held ?? null, queries }, plainLists)
  return new Response(json, {
    headers: {
      'content-type': 'application/json',
      'content-disposition': 'attachment; filename="client.json"',
      'cache-control': 'no-store',
    },
  })
}

function plainLists(_: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value
}

/** `DELETE /v1/clients/:id`: forgets the client here and in the stores, its suspension included. */
export async function eraseClient(service: Service, c: Context): Promise<Response> {
  const { watch, id } = placeOf(service, c)
  const recent = service.recent.get(watch.name)!
  const wasRemembered = (await watch.exportClient(id)) !== undefined || recent.of(id).length > 0
  if (!wasRemembered) throw notRemembered()
  recent.forget(id)
  await watch.erase(id)
  recent.forget(id) // of queries that were under way
  return answerWith({ model: watch.name, id, erased: true })
}

function notRemembered(): HttpError {
  return new HttpError(404, 'not_found', 'no such client is remembered', { path: 'id' })
}

function placeOf(service: Service, c: Context): { readonly watch: Watch; readonly id: string } {
  return { watch: service.watchOf(c.req.query('model')), id: checkClient(unquoted(c.req.param('id') ?? '')) }
}

/** In an address a name may stand in quotes. Without them there would be no place for the names '', '.' and '..'. */
function unquoted(id: string): string {
  return id.length >= 2 && id.startsWith('"') && id.endsWith('"') ? id.slice(1, -1) : id
}

const KINDS: readonly FeedbackKind[] = ['true_positive', 'false_positive']

/** `POST /v1/feedback`: what people found out about a verdict. It is counted. */
export async function takeFeedback(service: Service, c: Context): Promise<Response> {
  return withBody(service, c.req.raw, ['json'], async (bytes) => {
    const given = parseJson(bytes, service.config.limits)
    if (!isPlainObject(given)) refuse('bad_query', 'must be an object', given, '')
    const { kind, detector, model } = checkObject(given, ['kind', 'detector', 'model'], '', 'bad_query')
    if (!KINDS.includes(kind as FeedbackKind)) refuse('bad_query', `must be ${KINDS.join(' or ')}`, kind, 'kind')
    if (model !== undefined && typeof model !== 'string') refuse('bad_query', 'must be a text', model, 'model')
    const watch = service.watchOf(model)
    const labels = watch.detectors.map(({ label }) => label)
    if (detector !== undefined && !labels.includes(detector as string)) {
      throw new MonitorError('bad_query', `must be one of ${labels.join(', ')}`, 'detector')
    }
    service.instruments.feedback(watch.name, (detector ?? '') as string, kind as FeedbackKind)
    return answerWith({ counted: true })
  })
}
