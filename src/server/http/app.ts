/**
 * The server as a hono app: a function from requests to answers that touches nothing of Node, and so runs wherever
 * `fetch` does.
 */
import { type Context, Hono } from 'hono'
import type { Snapshot } from '../../core/index.ts'
import type { ServerConfig } from '../config/config.ts'
import type { Histogram } from '../metrics/histogram.ts'
import { DirectDetect } from './direct.ts'
import { errorResponse, HttpError, toHttpError } from './errors.ts'
import { statusLabels } from './labels.ts'
import { OPENAPI_PATH, openApi } from './openapi.ts'
import { ROUTES, type Route } from './routes.ts'
import { type Asset, isBug, type ServerAppOptions, Service } from './service.ts'

/** A server without a socket. */
export interface ServerApp {
  /** For adapters: `Deno.serve(app.fetch)`, `Bun.serve({ fetch: app.fetch })`, `export default app`. */
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly hono: Hono
  /** The short way of `POST /detect`, for adapters that can hand over a body of known length. */
  readonly detect: DirectDetect
  /** Histograms that the reader of the metrics adds to what the meter collects. See `createMetrics`. */
  readonly histograms: readonly Histogram[]
  /** Settles when the state is read from the stores, if there are any. Rejects with `bad_snapshot`, `store_busy` … */
  open(): Promise<void>
  /** Loads the models of embedders; until then `/ready` says no. Without such embedders there is nothing to load. */
  warmup(): Promise<void>
  /** Other thresholds and policies over the same state. Rejects with `bad_config`, everything as it was. */
  reload(config: ServerConfig | Promise<ServerConfig>): Promise<void>
  /** The state after every query accepted so far. */
  snapshot(): Promise<Snapshot>
  /** Rejects with `bad_snapshot`, everything as it was, for the state of other models or detectors. */
  restore(snapshot: Snapshot): Promise<void>
  /** Refuses new requests from now on, and ends the streams of events; those under way are finished. */
  drain(): void
  /** Frees everything. */
  dispose(): Promise<void>
}

/** Makes the app. Throws `bad_config`. */
export function createServerApp(options: ServerAppOptions): ServerApp {
  const service = new Service(options)
  const hono = new Hono()
  const assets = options.assets ?? new Map<string, Asset>()
  for (const route of ROUTES) {
    if (!assets.has(route.path)) hono.on(route.method.toUpperCase(), route.path, handlerOf(service, route))
  }
  for (const [path, asset] of assets) hono.get(path, () => assetResponse(asset))
  const document = JSON.stringify(
    openApi(ROUTES, { version: service.build.version, isGuarded: service.guard.hasToken }),
  )
  hono.get(OPENAPI_PATH, () => new Response(document, { headers: { 'content-type': 'application/json' } }))
  hono.notFound((c) => elsewhere(service, c, assets))
  hono.onError((thrown) => {
    service.failed(thrown)
    return errorResponse(toHttpError(thrown))
  })
  return {
    fetch: (request) => hono.fetch(request),
    hono,
    histograms: service.instruments.histograms,
    detect: new DirectDetect(service),
    open: () => service.open(),
    warmup: () => service.warmup(),
    reload: (config) => service.reload(config),
    snapshot: () => service.snapshot(),
    restore: (snapshot) => service.restore(snapshot),
    drain() {
      service.gate.drain()
      service.hub.close()
    },
    dispose: () => service.dispose(),
  }
}

/** The handler of a route with everything around it: access, limits, counting. */
function handlerOf(service: Service, route: Route): (c: Context) => Promise<Response> {
  const { gate, guard, instruments } = service
  const { path, method, handle, access, isCounted = true } = route
  const labels = statusLabels(service, path, method.toUpperCase())
  const changes = method !== 'get'
  const hasCors = service.config.cors.length > 0
  return async function handleRoute(c) {
    const startMs = performance.now()
    let isInside = false
    let response: Response
    try {
      if (isCounted) {
        gate.enter()
        isInside = true
      }
      if (changes) guard.checkOrigin(c.req.raw)
      if (access === 'operator') await guard.checkOperator(c.req.raw)
      response = await handle(service, c)
    } catch (thrown) {
      if (isBug(thrown)) service.failed(thrown)
      response = errorResponse(toHttpError(thrown))
    } finally {
      if (isInside) gate.leave()
    }
    if (hasCors) addHeaders(response, guard.corsHeaders(c.req.raw))
    instruments.requested(labels(response.status), (performance.now() - startMs) / 1000)
    return response
  }
}

function addHeaders(response: Response, headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
}

/** What no route takes: the wrong method, a question before a request of another site, or nothing at all. */
function elsewhere(service: Service, c: Context, assets: ReadonlyMap<string, Asset>): Response {
  const allowed = methodsOf(new URL(c.req.url).pathname, assets)
  const response = allowed.length > 0 && c.req.method === 'OPTIONS' ? preflight(service, c, allowed) : undefined
  const answer = response ?? errorResponse(allowed.length > 0 ? notAllowed(c.req.method, allowed) : notFound())
  service.instruments.requested(
    service.instruments.requestAttributes('none', 'other', `${Math.floor(answer.status / 100)}xx`),
    0,
  )
  return answer
}

function methodsOf(path: string, assets: ReadonlyMap<string, Asset>): string[] {
  const fitting = ROUTES.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method.toUpperCase())
  return path === OPENAPI_PATH || assets.has(path) ? [...new Set([...fitting, 'GET'])] : fitting
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)
}

function notAllowed(method: string, allowed: readonly string[]): HttpError {
  const message = `${method.slice(0, 20)} is not taken here; use ${allowed.join(' or ')}`
  return new HttpError(405, 'method_not_allowed', message, { headers: { allow: allowed.join(', ') } })
}

function notFound(): HttpError {
  return new HttpError(404, 'not_found', 'there is no such route; /openapi.json lists all of them')
}

/** The answer to a browser that asks before it sends; undefined where no other site may send anything. */
function preflight({ guard }: Service, c: Context, allowed: readonly string[]): Response | undefined {
  const headers = guard.corsHeaders(c.req.raw)
  if (headers?.['access-control-allow-origin'] === undefined) return undefined
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      'access-control-allow-methods': allowed.join(', '),
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600',
    },
  })
}

/** What a page of the cockpit may load: its own files. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ')

function assetResponse({ type, body }: Asset): Response {
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    },
  })
}
