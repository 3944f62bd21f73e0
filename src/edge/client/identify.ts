/** Who asks: a name that is the same for all requests of one client, and that holds nothing of theirs. */
import { checkFunction, checkNumber, checkObject, MonitorError } from '../../core/index.ts'
import { addressPrefix } from './address.ts'
import { hostAddress } from './host.ts'
import { keyedHash, type Secret } from './keyedHash.ts'

/**
 * The name of a request's client; undefined where nothing tells who asks. `args` is what the host gave beside the
 * request. What it returns is stored, so it must be free of personal data.
 */
export type Identify<Args extends readonly unknown[] = readonly unknown[]> = (
  request: Request,
  ...args: Args
) => string | undefined | Promise<string | undefined>

export interface IdentifyOptions<Args extends readonly unknown[] = readonly unknown[]> {
  /**
   * Secret of the keyed hash, at least 16 bytes. Without it a random one: names are then forgotten when the process ends
   * and differ between processes, which suits a monitor that lives in this process alone. Give one to everything that
   * outlasts it: a durable monitor, several isolates, a Durable Object.
   */
  readonly key?: Secret
  /** Your own way: the raw name, such as the user id of a checked session. Only its keyed hash is used. */
  readonly by?: (request: Request, ...args: Args) => string | undefined
  /**
   * Headers in which the client's API key may stand, in order; of `authorization` the scheme is dropped. Default
   * `['authorization', 'x-api-key']`; `[]` for none. Name exactly the header that your handler checks: one that nobody
   * checks lets a client call itself something else with every request.
   */
  readonly keyHeaders?: readonly string[]
  /**
   * The header in which a proxy of yours writes the client's address, such as `x-forwarded-for`. Only where every request
   * comes through that proxy. Default: the address that the host itself tells (Cloudflare, Deno, Bun, hono on Node).
   */
  readonly addressHeader?: string
  /** How many proxies of yours append to `addressHeader`; the client's is that many from the end. Default 1. */
  readonly proxies?: number
}

const OPTIONS = ['key', 'by', 'keyHeaders', 'addressHeader', 'proxies']
const MAX_KEY_HEADERS = 8

/**
 * Names clients by `by`, else by their API key, else by their address (the /24 of IPv4, the /56 of IPv6); undefined where
 * there is none of them, or where the address is no address. A name is `u_`, `k_` or `a_` and a keyed hash of 128 bits:
 * keys and addresses are neither stored nor logged, and without the secret no list of addresses leads back to them.
 *
 * Throws `bad_config`.
 */
export function identifyClient<Args extends readonly unknown[] = readonly unknown[]>(
  options: IdentifyOptions<Args> = {},
): (request: Request, ...args: Args) => string | undefined {
  checkObject(options, OPTIONS, 'client')
  const { by, keyHeaders = ['authorization', 'x-api-key'], addressHeader, proxies = 1 } = options
  checkFunction(by, 'client.by')
  checkHeaders(keyHeaders)
  if (addressHeader !== undefined) checkHeader(addressHeader, 'client.addressHeader')
  checkNumber(proxies, { min: 1, max: 100, integer: true }, 'client.proxies')
  const hash = keyedHash(options.key, 'client.key')

  return function identify(request, ...args) {
    const own = by?.(request, ...args)
    if (own !== undefined && own !== '') return `u_${hash('user', own)}`
    const key = apiKey(request.headers, keyHeaders)
    if (key !== undefined) return `k_${hash('key', key)}`
    const address =
      addressHeader === undefined ? hostAddress(request, args) : nthFromEnd(request.headers.get(addressHeader), proxies)
    const prefix = address === undefined ? undefined : addressPrefix(address)
    return prefix === undefined ? undefined : `a_${hash('address', prefix)}`
  }
}

function apiKey(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers.get(name)
    if (value === null || value === '') continue
    return name === 'authorization' ? value.replace(/^\S+\s+/, '') : value
  }
  return undefined
}

function nthFromEnd(header: string | null, n: number): string | undefined {
  return header?.split(',').at(-n)
}

function checkHeaders(names: readonly string[]): void {
  if (!Array.isArray(names) || names.length > MAX_KEY_HEADERS) {
    throw new MonitorError('bad_config', `must be a list of at most ${MAX_KEY_HEADERS} names`, 'client.keyHeaders')
  }
  for (const [i, name] of names.entries()) checkHeader(name, `client.keyHeaders[${i}]`)
}

function checkHeader(name: unknown, path: string): void {
  // RFC 9110, section 5.6.2, in lower case, so that names can be compared.
  if (typeof name === 'string' && /^[!#$%&'*+.^_`|~\da-z-]+$/.test(name)) return
  throw new MonitorError('bad_config', 'must be the name of a header in lower case', path)
}
