/** Routes that tell how the server is. */
import type { Context } from 'hono'
import { answerWith, HttpError } from './errors.ts'
import type { Service } from './service.ts'

const TEXT_HEADERS = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

/** `GET /health`: the process answers. The body is the reference's. */
export function health(): Response {
  return answerWith({ status: 'ok' })
}

/** `GET /ready`: queries are taken. */
export function ready({ gate, isReady, isRefusing }: Service): Response {
  if (gate.isDraining) return answerWith({ status: 'stopping' }, 503)
  if (isRefusing) return answerWith({ status: 'store_failed' }, 503)
  return isReady ? answerWith({ status: 'ready' }) : answerWith({ status: 'starting' }, 503)
}

/** `GET /metrics` for Prometheus. */
export async function metrics({ options }: Service): Promise<Response> {
  if (options.exposition === undefined) throw new HttpError(404, 'not_found', 'this server keeps no metrics of its own')
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' }
  return new Response(await options.exposition(), { headers })
}

/** `GET /v1/status`: what runs, with which settings. */
export function status(service: Service): Response {
  const { build, startedMs, now, config, guard, gate, hub, instruments } = service
  const nowMs = now()
  return answerWith({
    build,
    startedMs,
    nowMs,
    uptimeSeconds: (nowMs - startedMs) / 1000,
    state: gate.isDraining ? 'stopping' : service.isReady ? 'ready' : 'starting',
    isGuarded: guard.hasToken,
    inFlight: gate.requests,
    listeners: hub.size,
    limits: config.limits,
    models: [...service.watches.values()].map((watch) => {
      const { policy, clients, counts, evidence, calibration = null } = watch.describe()
      const backends = service.backendsOf(watch.name)
      const detectors = watch.detectors.map((one) => {
        return { ...one, backend: backends[one.label] ?? null, ...instruments.countsOf(watch.name, one.label) }
      })
      const { calibratedAt = null } = watch.config
      const log = watch.describeLog() ?? null
      return { name: watch.name, calibratedAt, calibration, evidence, policy, clients, counts, log, detectors }
    }),
  })
}

/** `GET /v1/events`: verdicts and what happens to clients, as server-sent events. */
export function events({ hub, gate }: Service, _c: Context): Response {
  gate.checkOpen() // a listener that comes back at once must not hold up the end
  const headers = {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  }
  return new Response(hub.listen(), { headers })
}

/** `GET /` where no cockpit is at hand. */
export function home({ build }: Service): Response {
  const lines = [
    `monitaur ${build.version}`,
    '',
    'POST /detect          one query, as the reference server takes it',
    'POST /v1/inspect      one query, the full verdict',
    'GET  /metrics         for Prometheus',
    'GET  /openapi.json    every route',
    '',
  ]
  return new Response(lines.join('\n'), { headers: TEXT_HEADERS })
}
