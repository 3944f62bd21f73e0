/** Who may ask what: the operator's token, the pages that may read answers, and the pages that may not even ask. */
import { HttpError } from './errors.ts'

export interface GuardOptions {
  /** What the operator's routes ask for. */
  readonly token?: string | undefined
  /** Without a token: true if only this machine reaches the server, and the operator's routes are open to it. */
  readonly isLocal: boolean
  /** Origins whose pages may read the answers; `*` for all. */
  readonly cors: readonly string[]
}

const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
const encoder = new TextEncoder()

/** The rules of one server. */
export class Guard {
  readonly #options: GuardOptions
  /** Digests are compared, so the time tells nothing of the token, not even its length. */
  readonly #digest: Promise<Uint8Array> | undefined

  constructor(options: GuardOptions) {
    this.#options = options
    this.#digest = options.token === undefined ? undefined : sha256(options.token)
  }

  /** True if the operator's routes ask for a token. */
  get hasToken(): boolean {
    return this.#digest !== undefined
  }

  /** Throws 401 or 403 for whoever is not the operator. */
  async checkOperator(request: Request): Promise<void> {
    if (this.#digest === undefined) {
      // A page of another name that resolves to this machine must not pass for this machine.
      if (this.#options.isLocal && LOCAL_HOST.test(new URL(request.url).host)) return
      const message = 'the routes of the operator are closed: configure a token, or listen on a loopback address'
      throw new HttpError(403, 'forbidden', message)
    }
    const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
    const isRight = given !== undefined && equal(await sha256(given), await this.#digest)
    if (isRight) return
    const headers = { 'www-authenticate': 'Bearer realm="monitaur"' }
    throw new HttpError(401, 'unauthorized', "send the operator's token as 'authorization: Bearer …'", {
      path: 'authorization',
      headers,
    })
  }

  /**
   * Throws 403 for what a page of another site asks, unless it is in the list: browsers send forms across sites without
   * asking, and a form can change what the detectors remember.
   */
  checkOrigin(request: Request): void {
    const origin = request.headers.get('origin')
    if (origin === null || this.allows(origin) || origin === new URL(request.url).origin) return
    if (origin.replace(/^https?:\/\//, '') === request.headers.get('host')) return // behind a proxy that ends TLS
    throw new HttpError(403, 'forbidden', 'pages of other sites may not ask; add the origin to cors', {
      path: 'origin',
    })
  }

  allows(origin: string): boolean {
    const { cors } = this.#options
    return cors.includes(origin) || cors.includes('*')
  }

  /** What lets the page of an allowed origin read an answer; undefined for all others. */
  corsHeaders(request: Request): Readonly<Record<string, string>> | undefined {
    if (this.#options.cors.length === 0) return undefined
    const origin = request.headers.get('origin')
    if (origin === null || !this.allows(origin)) return { vary: 'origin' }
    return { 'access-control-allow-origin': origin, vary: 'origin' }
  }
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
}

/** Looks at every byte, whatever it finds. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
