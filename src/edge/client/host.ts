/** What hosts hand over beside a request: an address that nobody can forge, and a way to go on after the response. */

/** The fields that are looked for, of whatever it was. */
interface HostArgument {
  /** Deno: the second argument of `Deno.serve`'s handler. */
  readonly remoteAddr?: { readonly hostname?: unknown }
  /** Bun: the server, or hono's environment there. */
  readonly requestIP?: (request: Request) => { readonly address?: unknown } | null
  readonly server?: HostArgument
  /** hono on Node: the environment. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } }
  /** hono: the context. */
  readonly env?: HostArgument
  readonly executionCtx?: unknown
  /** Cloudflare's context, a service worker's event. */
  readonly waitUntil?: WaitUntil
}

/** Keeps the host alive until the promise is settled. */
export type WaitUntil = (promise: Promise<unknown>) => void

/**
 * The client's address as the host saw it: on Cloudflare the header `cf-connecting-ip`, which is set there and cannot be
 * sent; on Deno, Bun and hono's Node server what they hand over. Undefined elsewhere.
 */
export function hostAddress(request: Request, args: readonly unknown[]): string | undefined {
  if (isCloudflare()) return request.headers.get('cf-connecting-ip') ?? undefined
  for (const argument of args) {
    const address = addressIn(request, argument) ?? addressIn(request, (argument as HostArgument | undefined)?.env)
    if (address !== undefined) return address
  }
  return undefined
}

function addressIn(request: Request, argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined
  const { remoteAddr, incoming, server } = argument as HostArgument
  const bun = (typeof server === 'object' && server !== null ? server : argument) as HostArgument
  const address =
    remoteAddr?.hostname ??
    incoming?.socket?.remoteAddress ??
    (typeof bun.requestIP === 'function' ? bun.requestIP(request)?.address : undefined)
  return typeof address === 'string' ? address : undefined
}

function isCloudflare(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}

/** The host's own `waitUntil`, where one of the arguments has it. */
export function hostWaitUntil(args: readonly unknown[]): WaitUntil | undefined {
  for (const argument of args) {
    if (typeof argument !== 'object' || argument === null) continue
    const given = argument as HostArgument
    const context = given.waitUntil === undefined ? executionContext(given) : given
    if (typeof context?.waitUntil === 'function') return (promise) => context.waitUntil!(promise)
  }
  return undefined
}

/** hono throws where the host has none. */
function executionContext(context: HostArgument): HostArgument | undefined {
  try {
    return context.executionCtx as HostArgument | undefined
  } catch {
    return undefined
  }
}
