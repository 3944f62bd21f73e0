/** From a request to a query of the monitor. */
import { checkChoice, checkObject, MonitorError, refuse } from '../../core/index.ts'
import { imageOfBase64, kindOf, type Query } from '../../embed/index.ts'
import { find, type JsonPath, parseJsonPath } from './jsonPath.ts'
import type { RequestCopy } from './openCopy.ts'

/**
 * The query in a request; undefined for a request that is none, which is then not inspected. What it throws counts as
 * `bad_body`, and the policy decides. Its `client` is not looked at. `args` is what the host gave beside the request.
 */
export type ReadQuery<Args extends readonly unknown[] = readonly unknown[]> = (
  copy: RequestCopy,
  ...args: Args
) => Query | undefined | Promise<Query | undefined>

/** Paths as {@link fromJson} reads them: `$.messages[-1].content`, `$['a key'][0]`, `$.messages[*].content`. */
export interface FromJsonOptions {
  /** Where the input stands; of several paths the first one that leads somewhere. */
  readonly input?: string | readonly string[]
  /** What a text there is: `text`, or a picture in base64, with or without `data:image/…;base64,`. Default `text`. */
  readonly kind?: 'text' | 'image'
  /** Where an embedding stands. */
  readonly embedding?: string
  /** Where a text stands that names the query; one that is no id (above 256 characters, say) is left out. */
  readonly id?: string
}

/**
 * The query in a JSON body, whatever its content type says, as handlers do not look at that either. A request of GET or
 * HEAD without a body is no query. A body that is no JSON, or in which `input` or `embedding` leads nowhere, is refused.
 *
 * Throws `bad_config`.
 */
export function fromJson(options: FromJsonOptions): ReadQuery {
  checkObject(options, ['input', 'kind', 'embedding', 'id'], 'query')
  const { input = [], kind = 'text', embedding, id } = options
  checkChoice(kind, ['text', 'image'], 'query.kind')
  const inputs = (typeof input === 'string' ? [input] : input).map((text, i) =>
    parseJsonPath(text, `query.input[${i}]`),
  )
  const vector = embedding === undefined ? undefined : parseJsonPath(embedding, 'query.embedding')
  const name = id === undefined ? undefined : parseJsonPath(id, 'query.id')
  if (inputs.length === 0 && vector === undefined) {
    throw new MonitorError('bad_config', 'must say where to find the input, the embedding, or both', 'query')
  }

  return function readJson(copy) {
    if (isBodyless(copy)) return undefined
    const json = copy.json()
    const query: { -readonly [K in keyof Query]: Query[K] } = {}
    if (inputs.length > 0) query.input = inputIn(json, inputs, kind)
    if (vector !== undefined) query.embedding = numbersAt(json, vector)
    const named = name === undefined ? undefined : find(json, name)
    if (isId(named)) query.id = named
    return query
  }
}

/** What a monitor takes as an id: a client must not get around the detectors by a bad one. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 256 && !/\p{Cs}/u.test(value)
}

function isBodyless({ bytes, method }: RequestCopy): boolean {
  return bytes.length === 0 && (method === 'GET' || method === 'HEAD')
}

function inputIn(json: unknown, paths: readonly JsonPath[], kind: 'text' | 'image'): unknown {
  for (const path of paths) {
    const found = find(json, path)
    if (found === undefined || found === null) continue
    if (kind === 'image' && typeof found === 'string') return imageOfBase64(found, path.text)
    if (kind === 'text' && kindOf(found) !== undefined) return found
    throw new MonitorError('bad_query', `must be ${INPUTS[kind]}`, path.text)
  }
  throw new MonitorError('bad_query', 'is missing', paths[0]!.text)
}

const INPUTS = { text: 'a text, a list of texts or an object of columns', image: 'a picture in base64' }

function numbersAt(json: unknown, path: JsonPath): number[] {
  const found = find(json, path)
  if (Array.isArray(found) && found.every((value) => typeof value === 'number')) return found
  throw new MonitorError('bad_query', 'must be a list of numbers', path.text)
}

/**
 * The query in a form: the file (a picture) or the text of one field. A form in which the field is missing or stands
 * twice is refused, as nobody knows which one the handler takes.
 *
 * Throws `bad_config`.
 */
export function fromMultipart(options: { readonly field: string }): ReadQuery {
  checkObject(options, ['field'], 'query')
  const { field } = options
  if (typeof field !== 'string' || field === '') refuse('bad_config', 'must be a name', field, 'query.field')

  return async function readForm(copy) {
    if (isBodyless(copy)) return undefined
    const [content, ...others] = (await copy.form()).getAll(field)
    if (content === undefined) throw new MonitorError('bad_query', 'is missing', field)
    if (others.length > 0) throw new MonitorError('bad_query', 'is given twice', field)
    return { input: typeof content === 'string' ? content : new Uint8Array(await content.arrayBuffer()) }
  }
}

/**
 * The body itself: an encoded picture, or a text.
 *
 * Throws `bad_config`.
 */
export function fromBody(options: { readonly kind: 'image' | 'text' }): ReadQuery {
  checkObject(options, ['kind'], 'query')
  const kind = checkChoice(options.kind, ['image', 'text'], 'query.kind')

  return function readBody(copy) {
    if (isBodyless(copy)) return undefined
    return { input: kind === 'text' ? copy.text() : copy.bytes }
  }
}
