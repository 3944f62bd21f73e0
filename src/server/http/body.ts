/** Bodies, read in bounded memory and refused before they can cost anything. */
import { isDeeperThan } from '../../core/index.ts'
import type { ServerLimits } from '../config/limits.ts'
import { HttpError } from './errors.ts'

/** What a route takes. */
export type BodyKind = 'json' | 'multipart' | 'ndjson'

const KINDS: Readonly<Record<string, BodyKind>> = {
  'application/json': 'json',
  'multipart/form-data': 'multipart',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
}

/** What the body of a request is, by its content type. Throws 415. */
export function bodyKind(type: string | null, allowed: readonly BodyKind[]): BodyKind {
  // The usual one is told without cutting strings.
  const essence = type === 'application/json' ? type : (type ?? '').split(';', 1)[0]!.trim().toLowerCase()
  const kind = Object.hasOwn(KINDS, essence) ? KINDS[essence]! : essence.endsWith('+json') ? 'json' : undefined
  if (kind !== undefined && allowed.includes(kind)) return kind
  const names = Object.keys(KINDS).filter((name) => allowed.includes(KINDS[name]!))
  const came = essence === '' ? 'none' : `'${essence.slice(0, 60)}'`
  throw new HttpError(415, 'unsupported_media_type', `the content type must be ${names.join(' or ')}, got ${came}`, {
    path: 'content-type',
  })
}

/** Whoever keeps count of the bytes under way. */
export interface BytesRoom {
  /** Throws 503 where there is no room. */
  takeBytes(bytes: number): void
  giveBytes(bytes: number): void
  /** A body begins to come: `cut` is called to give it up for others. Call what this returns once it is there. */
  receive(cut: () => void): () => void
}

/** Refused because it came too slowly while others waited for its place. */
export function tooSlow(): HttpError {
  const headers = { 'retry-after': '1', connection: 'close' }
  return new HttpError(408, 'too_slow', 'the body came too slowly while the server was full; send it again', {
    path: 'body',
    headers,
  })
}

/** What ends a slow body: rejects when it is cut. */
function arrival(room: BytesRoom): { readonly cut: Promise<never>; readonly done: () => void } {
  let reject: (thrown: unknown) => void = () => {}
  const cut = new Promise<never>((_, no) => {
    reject = no
  })
  cut.catch(() => {}) // whoever reads races against it
  return { cut, done: room.receive(() => reject(tooSlow())) }
}

/**
 * All bytes of a body. Whoever gets them gives their room back when they are done with. Throws 413 for a body above the
 * limit, however it is sent, and 415 for a compressed one.
 */
export async function readBytes(
  request: Request,
  room: BytesRoom,
  { maxBodyBytes }: ServerLimits,
): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    throw new HttpError(415, 'unsupported_media_type', 'the body must not be compressed', { path: 'content-encoding' })
  }
  const length = declaredLength(request, maxBodyBytes)
  // A server that was told the length reads no byte more than that; a body in chunks is counted as it comes.
  const bytes =
    length === undefined ? await readCounted(request, room, maxBodyBytes) : await readWhole(request, room, length)
  if (bytes.length <= maxBodyBytes) return bytes
  room.giveBytes(bytes.length)
  throw tooLarge(maxBodyBytes)
}

/** The length that a request claims; undefined where it claims none. Throws 413 for one above the limit. */
function declaredLength(request: Request, maxBodyBytes: number): number | undefined {
  const text = request.headers.get('content-length')
  if (text === null || !/^\d{1,15}$/.test(text)) return undefined
  const length = Number(text)
  if (length > maxBodyBytes) throw tooLarge(maxBodyBytes)
  return length
}

async function readWhole(request: Request, room: BytesRoom, length: number): Promise<Uint8Array> {
  room.takeBytes(length)
  const { cut, done } = arrival(room)
  try {
    const bytes = new Uint8Array(await Promise.race([request.arrayBuffer(), cut]))
    room.giveBytes(length - bytes.length)
    return bytes
  } catch (thrown) {
    room.giveBytes(length)
    throw thrown instanceof HttpError ? thrown : brokenOff()
  } finally {
    done()
  }
}

async function readCounted(request: Request, room: BytesRoom, maxBodyBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const { cut, done } = arrival(room)
  try {
    for await (const chunk of chunksOf(request, cut)) {
      if (length + chunk.length > maxBodyBytes) throw tooLarge(maxBodyBytes)
      room.takeBytes(chunk.length)
      length += chunk.length
      chunks.push(chunk)
    }
  } catch (thrown) {
    room.giveBytes(length)
    throw thrown
  } finally {
    done()
  }
  return joined(chunks, length)
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** The chunks of a body as they come; throws what `cut` rejects with. Ending early stops the sender. */
export async function* chunksOf(request: Request, cut?: Promise<never>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = request.body?.getReader()
  if (reader === undefined) return
  let isDone = false
  try {
    for (;;) {
      const next = read(reader)
      const { done, value } = await (cut === undefined ? next : Promise.race([next, cut]))
      isDone = done
      if (done) return
      yield value
    }
  } finally {
    if (!isDone) reader.cancel().catch(() => {}) // it is gone already
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    const result = await reader.read()
    if (!result.done && !(result.value instanceof Uint8Array)) throw new TypeError('not bytes')
    return result
  } catch {
    throw brokenOff()
  }
}

function brokenOff(): HttpError {
  return new HttpError(400, 'bad_request', 'the body broke off', { path: 'body' })
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'payload_too_large', `the body must have at most ${maxBytes} bytes`, { path: 'body' })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The JSON value of bytes. Throws 400. */
export function parseJson(bytes: Uint8Array, { maxDepth }: ServerLimits): unknown {
  return parseJsonText(decodeUtf8(bytes), maxDepth)
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new HttpError(400, 'bad_json', 'the body is not valid UTF-8', { path: 'body' })
  }
}

/** The value of a JSON text. Throws 400, also for more objects and lists inside each other than `maxDepth`. */
export function parseJsonText(text: string, maxDepth: number): unknown {
  if (isDeeperThan(text, maxDepth)) {
    const message = `must have at most ${maxDepth} objects and lists inside each other`
    throw new HttpError(400, 'bad_json', message, { path: 'body' })
  }
  try {
    return JSON.parse(text)
  } catch (thrown) {
    // The engine's message may quote the text; only the place is told on.
    const at = /position (\d+)/.exec((thrown as Error).message)?.[1]
    const where = text.trim() === '' ? ': it is empty' : at === undefined ? '' : `, at character ${at}`
    throw new HttpError(400, 'bad_json', `the body is not JSON${where}`, { path: 'body' })
  }
}
