/** The default worker: a monitor as a service, for callers that hold the token. */
import { checkObject, type ErrorCode, isDeeperThan, MonitorError, sha256Hex, toMonitorError } from '../../core/index.ts'
import { checkClient } from '../../core/monitor/index.ts'
import type { Query } from '../../embed/index.ts'
import { join } from '../stores/bytes.ts'
import type { CloudflareMonitor } from './monitor.ts'
import type { CloudflareEnv } from './platform.ts'

const MAX_BYTES = 1024 * 1024
/** A megabyte of brackets would take the parser a second. */
const MAX_DEPTH = 32
const MIN_TOKEN = 16
/** In an address, `""` stands for the client of queries without a name. */
const UNNAMED = '""'
const encoder = /* @__PURE__ */ new TextEncoder()

const STATUSES: Partial<Record<ErrorCode, number>> = { bad_query: 422, suspended: 403, unauthorized: 401 }

/** Answers a request; errors as `{ "error": { code, message, path } }`. */
export async function answer(
  request: Request,
  env: CloudflareEnv,
  monitor: () => CloudflareMonitor,
): Promise<Response> {
  try {
    const { pathname } = new URL(request.url)
    if (pathname === '/health') return Response.json({ status: 'ok' })
    checkToken(request, env.MONITAUR_TOKEN)
    const route = `${request.method} ${pathname.replace(/^(\/v1\/clients\/)[^/]+/, '$1:id')}`
    const handle = ROUTES[route]
    if (handle === undefined) {
      return failed(404, 'not_found', `there is no such route; there are ${Object.keys(ROUTES).join(', ')}`)
    }
    return Response.json(await handle(monitor(), request), { headers: { 'cache-control': 'no-store' } })
  } catch (thrown) {
    const { code, message, path } = toMonitorError(thrown, 'plugin_failed')
    return failed(STATUSES[code] ?? 503, code, message, path)
  }
}

const ROUTES: Readonly<Record<string, (monitor: CloudflareMonitor, request: Request) => Promise<unknown>>> = {
  async 'POST /v1/inspect'(monitor, request) {
    const query = (await readJson(request)) as Query
    const admission = await monitor.admit(query.client ?? '')
    if (admission.allowed) return monitor.inspect(query)
    const until = new Date(admission.suspendedUntilMs).toISOString()
    throw new MonitorError('suspended', `the client is suspended until ${until}`, 'client')
  },
  async 'GET /v1/clients'(monitor) {
    return { clients: await monitor.clients() }
  },
  async 'GET /v1/clients/:id'(monitor, request) {
    return monitor.admit(clientOf(request))
  },
  async 'DELETE /v1/clients/:id'(monitor, request) {
    const id = clientOf(request)
    await monitor.erase(id)
    return { id, erased: true }
  },
  async 'GET /v1/clients/:id/export'(monitor, request) {
    const held = await monitor.exportClient(clientOf(request))
    if (held === undefined) throw new MonitorError('bad_query', 'no such client is remembered', 'client')
    return JSON.parse(JSON.stringify(held, plainLists))
  },
  async 'POST /v1/clients/:id/suspend'(monitor, request) {
    const id = clientOf(request)
    await monitor.suspend(id)
    return { id }
  },
  async 'POST /v1/clients/:id/release'(monitor, request) {
    const id = clientOf(request)
    await monitor.release(id)
    return { id }
  },
}

function clientOf(request: Request): string {
  const given = new URL(request.url).pathname.split('/')[3]!
  try {
    const id = decodeURIComponent(given)
    return id === UNNAMED ? '' : checkClient(id)
  } catch (thrown) {
    throw toMonitorError(thrown, 'bad_query', 'client')
  }
}

/** Lists of numbers of all kinds as JSON has them. */
function plainLists(_: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value
}

/** Anyone can reach a worker, and whoever may send queries may spoil what the detectors remember. */
function checkToken(request: Request, token: string | undefined): void {
  if (token === undefined || token.length < MIN_TOKEN) {
    const remedy = `set one of at least ${MIN_TOKEN} characters: wrangler secret put MONITAUR_TOKEN`
    throw new MonitorError('unauthorized', `the worker has no token; ${remedy}`, 'MONITAUR_TOKEN')
  }
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
  // Digests are compared, so that the time tells nothing of the token.
  if (digest(given) === digest(token)) return
  throw new MonitorError('unauthorized', "send the token as 'authorization: Bearer …'", 'authorization')
}

function digest(text: string): string {
  return sha256Hex(encoder.encode(text))
}

async function readJson(request: Request): Promise<unknown> {
  const text = new TextDecoder().decode(await readBody(request))
  if (isDeeperThan(text, MAX_DEPTH)) {
    throw new MonitorError('bad_query', `must have at most ${MAX_DEPTH} objects and lists inside each other`, 'body')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MonitorError('bad_query', 'must be JSON', 'body', { cause })
  }
  return checkObject(value, ['input', 'modelOutput', 'embedding', 'client', 'id'], '', 'bad_query')
}

async function readBody(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_BYTES) throw new MonitorError('bad_query', `must be at most ${MAX_BYTES} bytes`, 'body')
    chunks.push(chunk)
  }
  return join(chunks)
}

function failed(status: number, code: string, message: string, path = ''): Response {
  return Response.json({ error: { code, message, path } }, { status })
}
