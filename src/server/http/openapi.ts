/** The OpenAPI 3.1 document, made from the table of routes. */
import type { Bodies, Route } from './routes.ts'
import { SCHEMAS, type Schema } from './schemas.ts'

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The body cannot be read',
  401: 'The token is missing or wrong',
  403: 'The client is suspended, or the page may not ask',
  404: 'There is no such thing',
  408: 'The body came too slowly while the server was full',
  413: 'The body is too large',
  415: 'The content type is not taken',
  422: 'A field is missing or wrong',
  429: 'Too many queries of this client are under way',
  503: 'The server is busy, starting, stopping, or cannot write its log; retry-after says when to come back',
}

export const OPENAPI_PATH = '/openapi.json'

/** The document. `isGuarded` says whether the operator's routes ask for a token. */
export function openApi(routes: readonly Route[], { version, isGuarded }: { version: string; isGuarded: boolean }) {
  const paths: Record<string, Record<string, unknown>> = {
    [OPENAPI_PATH]: {
      get: { summary: 'This document', tags: ['service'], responses: { 200: { description: 'Done' } } },
    },
  }
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method]: operation(route, isGuarded) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'monitaur', version, description: 'Says which queries, and which clients, are suspicious.' },
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }
}

function operation(
  { summary, tag, access, path, query = {}, body, isBodyOptional, answer, refusals }: Route,
  isGuarded: boolean,
) {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } }
  })
  const inQuery = Object.entries(query).map(([name, description]) => {
    return { name, in: 'query', required: false, description, schema: { type: 'string' } }
  })
  const all = access === 'operator' ? [...refusals, ...(isGuarded ? [401] : []), 403] : refusals
  return {
    summary,
    tags: [tag],
    ...(inPath.length + inQuery.length === 0 ? {} : { parameters: [...inPath, ...inQuery] }),
    ...(body === undefined ? {} : { requestBody: { required: isBodyOptional !== true, content: contentOf(body) } }),
    ...(access === 'operator' && isGuarded ? { security: [{ token: [] }] } : {}),
    responses: {
      200: { description: 'Done', content: contentOf(answer) },
      ...Object.fromEntries([...new Set(all)].sort().map((status) => [status, refusal(status)])),
    },
  }
}

function refusal(status: number) {
  return { description: REFUSALS[status], content: contentOf({ 'application/json': 'Error' }) }
}

function contentOf(bodies: Bodies): Readonly<Record<string, { readonly schema: Schema }>> {
  return Object.fromEntries(
    Object.entries(bodies).map(([type, name]) => {
      return [type, { schema: name === '' ? { type: 'string' } : { $ref: `#/components/schemas/${name}` } }]
    }),
  )
}
