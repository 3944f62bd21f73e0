/** `reply: 'tag'`: what is thought of a query, for whoever stands before or behind. */
import type { Action } from '../../core/monitor/index.ts'

const HEADER = 'x-monitaur-action'

/** The same request with the tag in place of whatever the client wrote there. */
export function taggedRequest(request: Request, action: Action): Request {
  const headers = new Headers(request.headers)
  headers.set(HEADER, action)
  try {
    return new Request(request, { headers })
  } catch {
    return ofParts(request, headers)
  }
}

/** For what only looks like a request, as hono makes it on Node, and for one whose body somebody has read. */
function ofParts({ url, method, body, bodyUsed, signal }: Request, headers: Headers): Request {
  const stream = bodyUsed || body === null ? {} : { body, duplex: 'half' }
  return new Request(url, { method, headers, signal, ...stream })
}

/** The same response with the tag. One that changes the protocol, or none (`Response.error()`), stays as it is. */
export function taggedResponse(response: Response, action: Action): Response {
  if (response.status < 200) return response
  const tagged = new Response(response.body, response)
  tagged.headers.set(HEADER, action)
  return tagged
}
