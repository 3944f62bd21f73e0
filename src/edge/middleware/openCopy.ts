/** What extractors see of a request or an answer: a copy of the body, whole and unpacked. */
import { isDeeperThan, MonitorError } from '../../core/index.ts'
import type { Copied } from './boundedCopy.ts'
import { type Packing, packingOf, unpack } from './encoding.ts'
import type { Lease } from './leases.ts'

/** A body, and what its sender said of it. */
export interface BodyCopy {
  readonly headers: Headers
  /** Unpacked. Empty where there is no body. */
  readonly bytes: Uint8Array
  /** As `request.text()` reads it: wrong UTF-8 becomes U+FFFD. */
  text(): string
  /** The value of the JSON in it, parsed once: do not change it. Throws `bad_query`. */
  json(): unknown
  /** The fields of a form. Rejects with `bad_query`. */
  form(): Promise<FormData>
}

/** A request, as its handler gets it. */
export interface RequestCopy extends BodyCopy {
  readonly method: string
  readonly url: string
}

/** Objects and lists inside each other, at most. */
const MAX_DEPTH = 64
const utf8 = /* @__PURE__ */ new TextDecoder()

class Body implements BodyCopy {
  readonly headers: Headers
  readonly bytes: Uint8Array
  #json: { readonly value: unknown } | undefined

  constructor(headers: Headers, bytes: Uint8Array) {
    this.headers = headers
    this.bytes = bytes
  }

  text(): string {
    return utf8.decode(this.bytes)
  }

  json(): unknown {
    this.#json ??= { value: parse(this.text()) }
    return this.#json.value
  }

  async form(): Promise<FormData> {
    const type = this.headers.get('content-type') ?? ''
    try {
      // Without the encoding: it has been undone.
      const body = this.bytes as Uint8Array<ArrayBuffer>
      return await new Response(body, { headers: { 'content-type': type } }).formData()
    } catch {
      throw new MonitorError('bad_query', 'must be a complete form of the type that content-type says', 'body')
    }
  }
}

class Asked extends Body implements RequestCopy {
  readonly method: string
  readonly url: string

  constructor({ headers, method, url }: Request, bytes: Uint8Array) {
    super(headers, bytes)
    this.method = method
    this.url = url
  }
}

function parse(text: string): unknown {
  if (isDeeperThan(text, MAX_DEPTH)) {
    throw new MonitorError('bad_query', `must have at most ${MAX_DEPTH} objects and lists inside each other`, 'body')
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new MonitorError('bad_query', 'must be JSON', 'body') // the engine's message may quote the text
  }
}

/** The copy, or why there is none. */
export type Opened<T extends BodyCopy> =
  | { readonly kind: 'opened'; readonly copy: T; readonly packing: Packing }
  | { readonly kind: 'failed'; readonly code: OpenFailure }

export type OpenFailure = (Copied & { kind: 'failed' })['code'] | 'unknown_encoding'

export interface OpenOptions {
  readonly maxBytes: number
  readonly lease: Lease
}

/** A request's copy. An encoding that is not known here is refused: its handler may know it. */
export async function openRequest(
  request: Request,
  copied: Copied,
  options: OpenOptions,
): Promise<Opened<RequestCopy>> {
  const body = await unpacked(request.headers, copied, options)
  if (body.kind === 'failed') return body
  if (body.packing === 'unknown') return { kind: 'failed', code: 'unknown_encoding' }
  return { kind: 'opened', copy: new Asked(request, body.bytes), packing: body.packing }
}

/** An answer's copy. What looks packed in an unknown way may be what the host has unpacked. */
export async function openResponse(
  response: Response,
  copied: Copied,
  options: OpenOptions,
): Promise<Opened<BodyCopy>> {
  const body = await unpacked(response.headers, copied, options)
  if (body.kind === 'failed') return body
  return { kind: 'opened', copy: new Body(response.headers, body.bytes), packing: body.packing }
}

async function unpacked(headers: Headers, copied: Copied, { maxBytes, lease }: OpenOptions) {
  if (copied.kind === 'failed') return copied
  const packing = packingOf(headers, copied.bytes)
  if (packing === 'none' || packing === 'unknown') return { ...copied, packing }
  const plain = await unpack(copied.bytes, packing, maxBytes, lease)
  return plain.kind === 'failed' ? plain : { ...plain, packing }
}
