/** The middleware of a fetch-style handler. */
import { Engine } from './engine.ts'
import { checkOptions, type MonitorOptions } from './options.ts'
import type { EdgeCounts } from './tally.ts'

/** A handler as `Deno.serve`, `Bun.serve`, Cloudflare and service workers take it. */
export type Handler<Args extends readonly unknown[]> = (request: Request, ...args: Args) => Response | Promise<Response>

/** What every middleware tells of itself. */
export interface Watched {
  /** Counts since the start. */
  counts(): EdgeCounts
  /**
   * Everything after responses is done, as far as no host keeps it alive itself, or `limits.holdMs` are over: to be
   * awaited before a process ends.
   */
  settled(): Promise<void>
}

/** A watched handler: it takes what the handler takes. */
export interface WatchedHandler<Args extends readonly unknown[]> extends Watched {
  (request: Request, ...args: Args): Promise<Response>
}

/**
 * Puts a monitor in front of a handler:
 *
 *     const watched = monitorFetch(handler, { monitor, query: fromJson({ input: '$.prompt' }), output: probabilitiesAt('$.scores') })
 *     Deno.serve(watched)
 *
 * The handler gets the request and the client gets the response as they are, byte for byte and chunk by chunk, unless
 * `reply` says otherwise. A body above `limits.bodyBytes` is not kept. What the handler throws is thrown on.
 *
 * Throws `bad_config`.
 */
export function monitorFetch<Args extends readonly unknown[] = readonly unknown[]>(
  handler: Handler<Args>,
  options: MonitorOptions<Args>,
): WatchedHandler<Args> {
  const engine = new Engine(checkOptions(options))
  const watchedHandler = (request: Request, ...args: Args) =>
    engine.handle(request, args, (forwarded) => handler(forwarded, ...args))
  return Object.assign(watchedHandler, { counts: () => engine.tally.counts(), settled: () => engine.settled() })
}
