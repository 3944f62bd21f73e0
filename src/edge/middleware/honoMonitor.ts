/** The middleware of a hono app. */
import type { Context, MiddlewareHandler } from 'hono'
import { Engine } from './engine.ts'
import type { Watched } from './monitorFetch.ts'
import { checkOptions, type MonitorOptions } from './options.ts'

/**
 * Puts a monitor in front of the routes of a hono app:
 *
 *     app.use('/v1/*', honoMonitor({ monitor, query: fromJson({ input: '$.prompt' }) }))
 *
 * Functions among the options get hono's context beside the request. It must stand before whatever reads the body. An
 * error that hono has turned into an answer counts as that answer.
 *
 * Throws `bad_config`.
 */
export function honoMonitor(options: MonitorOptions<[context: Context]>): MiddlewareHandler & Watched {
  const engine = new Engine(checkOptions(options))
  const monitorMiddleware: MiddlewareHandler = async (context, next) => {
    const response = await engine.handle(context.req.raw, [context], async (request) => {
      if (request !== context.req.raw) context.req.raw = request
      await next()
      return context.res
    })
    if (response === context.res) return
    context.res = undefined // else hono would put the headers of the old one on the new one
    context.res = response
  }
  return Object.assign(monitorMiddleware, { counts: () => engine.tally.counts(), settled: () => engine.settled() })
}
