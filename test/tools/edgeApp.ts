/** Watched handlers as a server of any runtime has them: no import of Node or of a test runner. */
import {
  type EdgeEvent,
  fromBody,
  fromJson,
  fromMultipart,
  monitorFetch,
  probabilitiesAt,
} from '../../src/edge/index.ts'
import { createMonitor } from '../../src/embed/index.ts'

type Args = readonly unknown[]

const query = fromJson({ input: '$.text' })
const output = probabilitiesAt('$.scores')
const encoder = new TextEncoder()

/** `/watched/…` is observed, `/enforced` and `/silent` suspend who repeats, `/events` tells what happened. */
export function createEdgeApp(): (request: Request, ...args: Args) => Promise<Response> {
  const events: EdgeEvent[] = []
  const onEvent = (event: EdgeEvent) => events.push(event)
  const observing = createMonitor({ detectors: ['text_repetition', 'confidence'] })
  const enforcing = () =>
    createMonitor({
      detectors: [{ name: 'text_repetition', threshold: 2 }],
      policy: { mode: 'enforce', throttleAt: 1, suspendAt: 2, fadePerMinute: 0 },
    })
  const limits = { bodyBytes: 1000 }
  const routes: Readonly<Record<string, (request: Request, ...args: Args) => Promise<Response>>> = {
    classify: monitorFetch(classify, { monitor: observing, query, output, limits, onEvent }),
    echo: monitorFetch(echo, { monitor: observing, query: fromBody({ kind: 'text' }), limits, onEvent }),
    mirror: monitorFetch(mirror, { monitor: observing, query: fromBody({ kind: 'text' }), limits, onEvent }),
    stream: monitorFetch(stream, { monitor: observing, query: fromBody({ kind: 'text' }), output, onEvent }),
    form: monitorFetch(classifyForm, { monitor: observing, query: fromMultipart({ field: 'text' }), output, onEvent }),
    tagged: monitorFetch(tagOf, {
      monitor: observing,
      query: fromJson({ input: '$.text' }),
      reply: 'tag',
      when: 'before',
    }),
    enforced: monitorFetch(classify, { monitor: enforcing(), query, when: 'before', limits, onEvent }),
    silent: monitorFetch(classify, { monitor: enforcing(), query, output, reply: 'silent', when: 'between' }),
    throwing: monitorFetch(fail, { monitor: observing, query, onEvent }),
  }

  return async (request, ...args) => {
    const [, name = ''] = new URL(request.url).pathname.split('/')
    if (name === 'events') return Response.json(events.splice(0).map(inShort))
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined
    if (route === undefined) return new Response('no such route', { status: 404 })
    try {
      return await route(request, ...args)
    } catch (thrown) {
      return new Response(`thrown: ${(thrown as Error).message}`, { status: 500 })
    }
  }
}

async function classify(request: Request): Promise<Response> {
  const { text } = (await request.json()) as { text: string }
  return Response.json({ text, scores: [0.7, 0.2, 0.1] }, { headers: { 'x-model': 'm' } })
}

async function classifyForm(request: Request): Promise<Response> {
  return Response.json({ text: (await request.formData()).get('text'), scores: [0.7, 0.2, 0.1] })
}

/** Answers while it is asked. */
async function echo(request: Request): Promise<Response> {
  return new Response(request.body, { headers: { 'content-type': 'application/octet-stream' } })
}

/** Answers when it has been asked. */
async function mirror(request: Request): Promise<Response> {
  return new Response(await request.arrayBuffer(), { headers: { 'content-type': 'application/octet-stream' } })
}

async function tagOf(request: Request): Promise<Response> {
  return Response.json({ tag: request.headers.get('x-monitaur-action'), text: await request.text() })
}

/** Bun drops what it has not read of a request with its response: a handler that reads nothing hides the query there. */
async function fail(request: Request): Promise<Response> {
  await request.text()
  throw new Error('the model is gone')
}

/** Two events; the second one a while after the first. */
function stream(): Response {
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      at++
      if (at === 2) await new Promise((resolve) => setTimeout(resolve, 200))
      controller.enqueue(encoder.encode(`data: ${at}\n\n`))
      if (at === 2) controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

/** Without what differs between runs: keys are random, so names of clients are, too. */
function inShort(event: EdgeEvent): object {
  const client = event.client.slice(0, 2)
  if (event.kind !== 'verdict') return { ...event, client }
  const { suspicious, detections, errors } = event.verdict
  return { kind: 'verdict', client, suspicious, scores: detections.map(({ score }) => score), errors: errors.length }
}
