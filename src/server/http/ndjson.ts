/**
 * Lines in, lines out. A verdict leaves as soon as it is there; nothing more is read while the reader of the answers does
 * not keep up, or while too much is under way. A bad line is told with its number and harms no other.
 */
import type { Context } from 'hono'
import { type Line, readLines } from '../lines.ts'
import { bodyKind, chunksOf, decodeUtf8, parseJsonText, tooSlow } from './body.ts'
import { HttpError } from './errors.ts'
import { inspectOne } from './judge.ts'
import type { Service } from './service.ts'

/** Lines under way, and what they may weigh together. */
const MOST_LINES = 64
const MOST_BYTES = 8 * 2 ** 20

/** A stream that has lasted longer gives way to other requests once the server is full. */
const PATIENCE_MS = 30_000

const encoder = new TextEncoder()
const HEADERS = {
  'content-type': 'application/x-ndjson',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

/** Answers a stream of queries with a stream of `{ "line", "verdict" }` and `{ "line", "error" }`, in order. */
export function inspectLines(service: Service, c: Context): Response {
  bodyKind(c.req.raw.headers.get('content-type'), ['ndjson'])
  let reject: (thrown: unknown) => void = () => {}
  const cut = new Promise<never>((_, no) => {
    reject = no
  })
  cut.catch(() => {}) // the reader of lines races against it
  const answers = answerLines(service, c.req.raw, { model: c.req.query('model'), cut })
  service.gate.stay() // for as long as the stream lasts
  const received = service.gate.receive(() => reject(tooSlow()), PATIENCE_MS)
  let isOpen = true
  const leave = () => {
    received()
    if (isOpen) service.gate.leave()
    isOpen = false
  }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await answers.next()
        if (!done) return controller.enqueue(encoder.encode(value))
        controller.close()
      } catch (thrown) {
        controller.error(thrown)
      }
      leave()
    },
    async cancel() {
      leave()
      await answers.return()
    },
  })
  return new Response(stream, { headers: HEADERS })
}

/** Lines of answers, as many at a time as were ready together. */
async function* answerLines(
  service: Service,
  request: Request,
  { model, cut }: { readonly model: string | undefined; readonly cut: Promise<never> },
): AsyncGenerator<string, void, undefined> {
  const { limits } = service.config
  const lines = readLines(chunksOf(request, cut), { maxBytes: limits.maxBodyBytes })
  let pending: Promise<string>[] = []
  let bytes = 0
  let number = 0
  try {
    let next = lines.next()
    for (;;) {
      const isFull = pending.length >= MOST_LINES || bytes >= MOST_BYTES
      const item = pending.length === 0 ? await next : isFull ? undefined : await Promise.race([next, settled(pending)])
      if (item === undefined) {
        yield (await Promise.all(pending)).join('')
        pending = []
        bytes = 0
        continue
      }
      if (item.done) break
      number = item.value.number
      if (service.gate.isDraining) throw new HttpError(503, 'draining', 'the server is stopping; send the rest again')
      const answer = answerLine(service, item.value, model)
      if (answer !== undefined) pending.push(answer)
      bytes += item.value.kind === 'line' ? item.value.bytes.length : 0
      next = lines.next()
    }
    if (pending.length > 0) yield (await Promise.all(pending)).join('')
  } catch (thrown) {
    const rest = await Promise.all(pending)
    yield `${rest.join('')}${lineOf(number, broken(service, thrown))}`
  } finally {
    await lines.return()
  }
}

/** All of them, and a moment in which more lines may come: answers of a quick sender then leave together. */
async function settled(pending: readonly Promise<string>[]): Promise<undefined> {
  await Promise.all(pending)
  await new Promise((resolve) => setTimeout(resolve, 0))
  return undefined
}

/** The answer to a line; undefined for a blank one. Reads the line before it returns. */
function answerLine(service: Service, line: Line, model: string | undefined): Promise<string> | undefined {
  const { limits } = service.config
  if (line.kind === 'line' && line.bytes.every((byte) => byte === 0x20 || byte === 0x09)) return undefined
  const read = () => {
    if (line.kind === 'line') return parseJsonText(decodeUtf8(line.bytes), limits.maxDepth)
    const message = `the line is longer than ${limits.maxBodyBytes} bytes`
    throw new HttpError(413, 'payload_too_large', message, { path: 'body' })
  }
  return inspectOne(service, read, model).then((answer) => lineOf(line.number, answer))
}

function lineOf(line: number, answer: object): string {
  return `${JSON.stringify({ line, ...answer })}\n`
}

/** Why a stream ended before its time. */
function broken(service: Service, thrown: unknown): object {
  if (!(thrown instanceof HttpError)) service.failed(thrown)
  const { code, message, path } =
    thrown instanceof HttpError ? thrown : new HttpError(500, 'internal', 'the server failed; its log says why')
  return { error: { code, message, path } }
}
