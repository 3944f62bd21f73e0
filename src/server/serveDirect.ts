/**
 * The short way of the busiest route: a plain `POST /detect` goes from Node's request to the route's own functions and
 * back, without the objects of `fetch`, which cost more than the detection. Everything unusual takes the long way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DirectAnswer, DirectDetect } from './http/direct.ts'

/** A body above this takes the long way. */
const MOST_BYTES = 1024 * 1024

/** Answers the request if it is a plain one; false if it is not, and nothing has been done. */
export function takeDirectly(detect: DirectDetect, incoming: IncomingMessage, outgoing: ServerResponse): boolean {
  const length = plainLength(incoming)
  if (length === undefined) return false
  const refusal = detect.enter(length)
  if (refusal !== undefined) {
    incoming.resume()
    send(outgoing, refusal)
    return true
  }
  let first: Uint8Array | undefined
  let chunks: Uint8Array[] | undefined
  let isOver = false
  const arrived = detect.receive(() => {
    isOver = true
    send(outgoing, detect.giveUp(length)) // it says that the connection closes, and Node closes it
  })
  incoming.on('data', (chunk: Uint8Array) => {
    if (first === undefined) first = chunk
    else if (chunks === undefined) chunks = [first, chunk]
    else chunks.push(chunk)
  })
  incoming.on('end', () => {
    if (isOver) return
    isOver = true // and as long as it said: Node sees to that
    arrived()
    const bytes = chunks !== undefined ? Buffer.concat(chunks) : (first ?? new Uint8Array(0))
    const answer = detect.answerNow(bytes)
    if (answer !== undefined) send(outgoing, answer)
    else detect.answer(bytes).then((later) => send(outgoing, later))
  })
  incoming.on('close', () => {
    if (isOver) return
    isOver = true
    arrived()
    detect.abandon(length)
  })
  return true // an error, which Node keeps to itself where nobody listens, ends in 'close' too
}

/** The length of a plain request's body; undefined for one that is not plain. */
function plainLength({ url, method, headers }: IncomingMessage): number | undefined {
  if (url !== '/detect' || method !== 'POST' || headers['content-type'] !== 'application/json') return undefined
  const length = Number(headers['content-length'] ?? Number.NaN)
  const isUnusual =
    headers.origin !== undefined ||
    headers['content-encoding'] !== undefined ||
    headers['transfer-encoding'] !== undefined ||
    headers.expect !== undefined ||
    headers.upgrade !== undefined
  return length <= MOST_BYTES && !isUnusual ? length : undefined
}

/**
 * One piece for the socket: `end(text)` alone makes two of it, the second one empty, and Node then joins them. What
 * follows another answer on its connection has no socket yet.
 */
function send(outgoing: ServerResponse, { status, text, headers }: DirectAnswer): void {
  if (outgoing.destroyed) return
  const length = Buffer.byteLength(text)
  const head = ['content-type', 'application/json', 'content-length', String(length)]
  for (const name in headers) head.push(name, headers[name]!)
  outgoing.writeHead(status, head)
  const encoding = length === text.length ? 'latin1' : 'utf8' // the same bytes of ASCII, copied as they are
  const { socket } = outgoing
  if (socket === null) {
    outgoing.end(text, encoding)
    return
  }
  socket.cork()
  outgoing.write(text, encoding)
  socket.uncork()
  outgoing.end()
}
