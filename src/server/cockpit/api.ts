/** Requests to the server that this page came from, wherever a proxy has put it: all addresses are relative. */

/** A refusal, or no answer at all: then the status is 0. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const TIMEOUT_MS = 15_000

/** Speaks for the operator. */
export class Api {
  /** Sent with every request, if there is one. */
  token: string | undefined
  readonly #onUnauthorized: () => void

  /** `onUnauthorized` hears that the token is missing or wrong. */
  constructor(token: string | undefined, onUnauthorized: () => void) {
    this.token = token
    this.#onUnauthorized = onUnauthorized
  }

  /** The JSON of an answer. Rejects with an {@link ApiError}. */
  get<T>(path: string): Promise<T> {
    return this.#json<T>(path, {})
  }

  /** The same for a JSON body. */
  post<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    return this.#json<T>(path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  /** The stream of events, as soon as it has begun. */
  events(signal: AbortSignal): Promise<Response> {
    return this.#fetch('v1/events', { signal })
  }

  async #json<T>(path: string, init: RequestInit): Promise<T> {
    const response = await this.#fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
    return (await response.json()) as T
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { token } = this
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    const response = await fetch(path, { ...init, headers, cache: 'no-store' }).catch(() => {
      throw new ApiError(0, 'the server does not answer')
    })
    if (response.ok) return response
    if (response.status === 401 && token === this.token) this.#onUnauthorized()
    throw new ApiError(response.status, await messageOf(response))
  }
}

async function messageOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { readonly error: { readonly message: string } }
    return error.message
  } catch {
    return `the server answered with ${response.status}`
  }
}

/** Of a client's name: in quotes, without which '', '.' and '..' could not stand in an address. */
export function clientPath(id: string, model: string, verb = ''): string {
  return `v1/clients/${encodeURIComponent(`"${id}"`)}${verb}?model=${encodeURIComponent(model)}`
}
