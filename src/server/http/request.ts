/** From a request to the query in it. */
import type { Context } from 'hono'
import { type BodyKind, bodyKind, parseJson, parseJsonText, readBytes } from './body.ts'
import { HttpError } from './errors.ts'
import { type Draft, draftOfForm, draftOfJson } from './query.ts'
import type { Service } from './service.ts'

/** Reads the body, hands its value over, and gives its room back afterwards. */
export async function withBody<T>(
  service: Service,
  request: Request,
  kinds: readonly BodyKind[],
  use: (bytes: Uint8Array, kind: BodyKind) => Promise<T>,
): Promise<T> {
  const kind = bodyKind(request.headers.get('content-type'), kinds)
  const bytes = await readBytes(request, service.gate, service.config.limits)
  try {
    return await use(bytes, kind)
  } finally {
    service.gate.giveBytes(bytes.length)
  }
}

/** The query of a body. The model may stand in the address, for clients that cannot change their bodies. */
export async function readDraft(
  { service, c, strict }: { readonly service: Service; readonly c: Context; readonly strict: boolean },
  bytes: Uint8Array,
  kind: BodyKind,
): Promise<Draft> {
  const { limits } = service.config
  const draft =
    kind === 'json'
      ? draftOfJson(parseJson(bytes, limits), { strict })
      : await draftOfForm(await parseForm(bytes, c.req.raw), (text) => parseJsonText(text, limits.maxDepth))
  return draft.model === undefined && c.req.url.includes('?') ? { ...draft, model: c.req.query('model') } : draft
}

/** A JSON body that may be left out. Throws 400, 413 and 415. */
export async function readOptionalJson(service: Service, request: Request): Promise<unknown> {
  if (request.body === null || request.headers.get('content-length') === '0') return {}
  return withBody(service, request, ['json'], async (bytes) => {
    return bytes.length === 0 ? {} : parseJson(bytes, service.config.limits)
  })
}

async function parseForm(bytes: Uint8Array, request: Request): Promise<FormData> {
  const type = request.headers.get('content-type')!
  try {
    return await new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': type } }).formData()
  } catch {
    throw new HttpError(400, 'bad_request', 'the body is not a complete multipart form', { path: 'body' })
  }
}
