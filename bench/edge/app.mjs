/** Handlers, bare and watched, as a Worker and as a server of Node: `POST /<handler>/<way>`. */
import { fromJson, identifyClient, monitorFetch, probabilitiesAt } from '../../src/edge/index.ts'
import { createMonitor } from '../../src/embed/index.ts'

const KEY = 'a secret of more than 16 bytes'
/** What a small classifier multiplies: about a millisecond. */
const WEIGHTS = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i))
const PASSES = 300

/** Kept, so that no engine leaves out what nobody looks at. */
const names = { last: '' }

const HANDLERS = {
  /** Nothing but the JSON. */
  atOnce: async (request) => answer(await request.json(), [0.7, 0.2, 0.1]),
  /** A model of its own. */
  model: async (request) => answer(await request.json(), classify()),
  /** A model behind an API. */
  api: (request, env) => fetch(env.API, request),
}

function answer({ text }, scores) {
  return Response.json({ label: 'a', scores, length: text.length })
}

function classify() {
  let sum = 0
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < WEIGHTS.length; i++) sum += WEIGHTS[i] * WEIGHTS[(i + pass) % 1000]
  }
  const p = 0.5 + Math.min(Math.abs(sum), 1) / 10
  return [p, 1 - p, 0]
}

/** Ways to serve a handler. `again` is `bare` once more: how much they differ is what the measurement cannot see. */
const WAYS = {
  bare: (handler) => handler,
  again: (handler) => handler,
  /** The least that a middleware needs that knows its clients by a name which tells nothing of them. */
  named: (handler) => {
    const identify = identifyClient({ key: KEY })
    return (request, ...args) => {
      names.last = identify(request, ...args)
      return handler(request, ...args)
    }
  },
  /** The least that a middleware needs that looks at bodies after the response. */
  copied: (handler) => async (request, env, context) => {
    const copy = request.clone()
    const response = await handler(request, env, context)
    const read = copy.arrayBuffer()
    context?.waitUntil(read)
    return response
  },
  admit: (handler) => {
    const monitor = createMonitor({ detectors: ['text_repetition'], policy: { mode: 'enforce' } })
    return monitorFetch(handler, { monitor, key: KEY })
  },
  input: (handler) => observed(handler, ['text_repetition']),
  output: (handler) => observed(handler, ['text_repetition', 'confidence'], probabilitiesAt('$.scores')),
  similarity: (handler) =>
    observed(handler, ['text_repetition', 'confidence', 'text_similarity'], probabilitiesAt('$.scores')),
}

function observed(handler, detectors, output) {
  const monitor = createMonitor({ detectors })
  const options = { monitor, query: fromJson({ input: '$.text' }), key: KEY }
  return monitorFetch(handler, output === undefined ? options : { ...options, output })
}

const routes = new Map(
  Object.entries(HANDLERS).flatMap(([name, handler]) =>
    Object.entries(WAYS).map(([way, watch]) => [`/${name}/${way}`, watch(handler)]),
  ),
)

export function handle(request, env, context) {
  const { url } = request
  return routes.get(url.slice(url.indexOf('/', 8)))(request, env, context)
}

export default { fetch: handle }
