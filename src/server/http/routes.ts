/** The table of routes: what is served, to whom, and what the OpenAPI document says of it. */
import type { Context } from 'hono'
import {
  eraseClient,
  exportClient,
  listClients,
  releaseClient,
  showClient,
  suspendClient,
  takeFeedback,
} from './clients.ts'
import { detect } from './detect.ts'
import { events, health, home, metrics, ready, status } from './info.ts'
import { inspect, inspectBatch } from './inspect.ts'
import type { Service } from './service.ts'

/** A body by its content type: the name of a schema, or '' for what no schema describes. */
export type Bodies = Readonly<Record<string, string>>

export interface Route {
  readonly method: 'get' | 'post' | 'delete'
  /** As hono writes it: `/v1/clients/:id`. */
  readonly path: string
  readonly summary: string
  readonly tag: 'detection' | 'operator' | 'service'
  /** `operator`: asks for the token · `public`: for everybody who reaches the server. */
  readonly access: 'public' | 'operator'
  /** False for what must answer however busy the server is. Default true. */
  readonly isCounted?: boolean
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Bodies
  /** The body may be left out. */
  readonly isBodyOptional?: boolean
  readonly answer: Bodies
  /** Statuses of refusals, beside those of the access. */
  readonly refusals: readonly number[]
  readonly handle: (service: Service, c: Context) => Response | Promise<Response>
}

const JSON_TYPE = 'application/json'
const NDJSON_TYPE = 'application/x-ndjson'
const FORM_TYPE = 'multipart/form-data'
const QUERY_REFUSALS = [400, 403, 408, 413, 415, 422, 429, 503]
const MODEL = { model: 'Which of several models; the first one by default' }

export const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/detect',
    summary: 'Judges one query, with the questions and answers of the reference server',
    tag: 'detection',
    access: 'public',
    query: MODEL,
    body: { [JSON_TYPE]: 'DetectRequest', [FORM_TYPE]: 'Form' },
    answer: { [JSON_TYPE]: 'DetectAnswer' },
    refusals: QUERY_REFUSALS,
    handle: detect,
  },
  {
    method: 'post',
    path: '/v1/inspect',
    summary: 'Judges one query and gives the whole verdict',
    tag: 'detection',
    access: 'public',
    query: MODEL,
    body: { [JSON_TYPE]: 'Query', [FORM_TYPE]: 'Form' },
    answer: { [JSON_TYPE]: 'Verdict' },
    refusals: QUERY_REFUSALS,
    handle: inspect,
  },
  {
    method: 'post',
    path: '/v1/inspect/batch',
    summary: 'Judges a list of queries, or a stream of lines; each by itself',
    tag: 'detection',
    access: 'public',
    query: MODEL,
    body: { [JSON_TYPE]: 'Queries', [NDJSON_TYPE]: '' },
    answer: { [JSON_TYPE]: 'BatchItems', [NDJSON_TYPE]: '' },
    refusals: [400, 408, 413, 415, 422, 503],
    handle: inspectBatch,
  },
  {
    method: 'get',
    path: '/v1/clients',
    summary: 'The remembered clients, those with the most evidence first',
    tag: 'operator',
    access: 'operator',
    query: { model: 'Of this model only', limit: 'At most so many, 1 … 1000; default 100' },
    answer: { [JSON_TYPE]: 'Clients' },
    refusals: [422],
    handle: listClients,
  },
  {
    method: 'get',
    path: '/v1/clients/:id',
    summary: 'One client and its last verdicts, without what it asked',
    tag: 'operator',
    access: 'operator',
    query: MODEL,
    answer: { [JSON_TYPE]: 'ClientDetail' },
    refusals: [404, 422],
    handle: showClient,
  },
  {
    method: 'delete',
    path: '/v1/clients/:id',
    summary: 'Forgets a client: its memories, evidence and suspension, in the stores too',
    tag: 'operator',
    access: 'operator',
    query: MODEL,
    answer: { [JSON_TYPE]: 'Erasure' },
    refusals: [404, 422, 503],
    handle: eraseClient,
  },
  {
    method: 'get',
    path: '/v1/clients/:id/export',
    summary: 'All that is held under the name of a client, for the client to see',
    tag: 'operator',
    access: 'operator',
    query: MODEL,
    answer: { [JSON_TYPE]: 'ClientExport' },
    refusals: [404, 422],
    handle: exportClient,
  },
  {
    method: 'post',
    path: '/v1/clients/:id/suspend',
    summary: 'Suspends a client',
    tag: 'operator',
    access: 'operator',
    query: MODEL,
    body: { [JSON_TYPE]: 'SuspendRequest' },
    isBodyOptional: true,
    answer: { [JSON_TYPE]: 'Suspension' },
    refusals: [400, 408, 413, 415, 422],
    handle: suspendClient,
  },
  {
    method: 'post',
    path: '/v1/clients/:id/release',
    summary: 'Ends a suspension and clears the evidence',
    tag: 'operator',
    access: 'operator',
    query: MODEL,
    answer: { [JSON_TYPE]: 'Release' },
    refusals: [400, 408, 413, 415, 422],
    handle: releaseClient,
  },
  {
    method: 'post',
    path: '/v1/feedback',
    summary: 'Counts what people found out about a verdict',
    tag: 'operator',
    access: 'operator',
    body: { [JSON_TYPE]: 'Feedback' },
    answer: { [JSON_TYPE]: 'Counted' },
    refusals: [400, 408, 413, 415, 422],
    handle: takeFeedback,
  },
  {
    method: 'get',
    path: '/v1/events',
    summary:
      'Server-sent events: verdict, suspended, released, evicted, eviction_storm, drift, reload, and a tick each second',
    tag: 'operator',
    access: 'operator',
    isCounted: false,
    answer: { 'text/event-stream': '' },
    refusals: [503],
    handle: events,
  },
  {
    method: 'get',
    path: '/v1/status',
    summary: 'What runs, with which settings',
    tag: 'operator',
    access: 'operator',
    isCounted: false,
    answer: { [JSON_TYPE]: 'Status' },
    refusals: [],
    handle: status,
  },
  service('/health', 'The process answers', { [JSON_TYPE]: 'State' }, health),
  { ...service('/ready', 'Queries are taken', { [JSON_TYPE]: 'State' }, ready), refusals: [503] },
  { ...service('/metrics', 'Metrics for Prometheus', { 'text/plain': '' }, metrics), refusals: [404] },
  service('/', 'The cockpit', { 'text/html': '' }, home),
]

function service(path: string, summary: string, answer: Bodies, handle: Route['handle']): Route {
  return {
    method: 'get',
    path,
    summary,
    tag: 'service',
    access: 'public',
    isCounted: false,
    answer,
    refusals: [],
    handle,
  }
}
