/** What a request asks: from the fields of a body to a query. Paths in errors are the names that the caller wrote. */
import { hint, isPlainObject, MonitorError, type PlainError, refuse } from '../../core/index.ts'
import { type InputKind, imageOfBase64, kindOf, type Query } from '../../embed/index.ts'

/** A query and which model it is of. */
export interface Draft {
  readonly query: Query
  /** As the caller says; undefined for the first one. */
  readonly model: string | undefined
  /** The names under which the caller gave the fields, for paths in errors. */
  readonly names: Readonly<Record<string, string>>
}

/** Every field under all its names: those of the reference server's requests, and those of a query. */
const FIELDS: Readonly<Record<string, string>> = {
  input_data: 'input',
  input: 'input',
  model_output: 'modelOutput',
  modelOutput: 'modelOutput',
  embedding: 'embedding',
  client_id: 'client',
  client: 'client',
  group_id: 'group',
  group: 'group',
  id: 'id',
  modality: 'modality',
  model: 'model',
  metadata: 'metadata',
}
const MODALITIES = ['text', 'tabular', 'image', 'any']

/**
 * The query of a JSON object. `strict` refuses unknown fields, as a slip of the pen would otherwise switch a detector
 * off; the reference ignores them. Throws 422.
 */
export function draftOfJson(value: unknown, { strict }: { readonly strict: boolean }): Draft {
  if (!isPlainObject(value)) refuse('bad_query', `must be an object with the fields of a query`, value, '')
  const fields: Record<string, unknown> = {}
  const names: Record<string, string> = {}
  for (const key of Object.keys(value)) {
    const field = Object.hasOwn(FIELDS, key) ? FIELDS[key]! : undefined
    if (field === undefined) {
      if (strict) throw bad(key.slice(0, 60), `unknown field; ${hint(key, Object.keys(FIELDS))}`)
      continue
    }
    const content = value[key]
    if (names[field] !== undefined) throw bad(key, `is given twice, as '${names[field]}' too`)
    names[field] = key
    if (content !== null) fields[field] = content
  }
  return draftOf(fields, names)
}

function draftOf(fields: Readonly<Record<string, unknown>>, names: Readonly<Record<string, string>>): Draft {
  const { input, modelOutput, embedding, client, id, modality, model } = fields
  const at = (field: string) => names[field] ?? field
  if (model !== undefined && typeof model !== 'string') refuse('bad_query', `must be a text`, model, at('model'))
  if (client !== undefined && typeof client !== 'string') {
    refuse('bad_query', `must be a text`, client, at('client'))
  }
  if (id !== undefined && typeof id !== 'string') refuse('bad_query', `must be a text`, id, at('id'))
  const query: Record<string, unknown> = {}
  if (input !== undefined) query['input'] = checkInput(input, modality, at)
  if (modelOutput !== undefined) query['modelOutput'] = checkList(modelOutput, at('modelOutput'))
  if (embedding !== undefined) query['embedding'] = checkList(embedding, at('embedding'))
  if (client !== undefined) query['client'] = client
  if (id !== undefined) query['id'] = id
  return { query, model, names }
}

function checkList(value: unknown, path: string): number[] {
  if (!Array.isArray(value)) refuse('bad_query', `must be a list of numbers`, value, path)
  return value
}

function checkInput(input: unknown, modality: unknown, at: (field: string) => string): unknown {
  if (modality !== undefined && !MODALITIES.includes(modality as string)) {
    refuse('bad_query', `must be one of ${MODALITIES.join(', ')}`, modality, at('modality'))
  }
  if (modality === 'image') return imageOf(input, at('input'))
  const kind = kindOf(input)
  const expected = modality === undefined || modality === 'any' ? undefined : (modality as InputKind)
  if (kind === undefined || kind === 'image' || (expected !== undefined && kind !== expected)) {
    const form = { text: 'a text or a list of texts', tabular: 'an object of columns', image: '', any: '' }
    const wanted = form[expected ?? 'any'] || `${form.text}, or ${form.tabular}`
    refuse('bad_query', `must be ${wanted}`, input, at('input'))
  }
  return input
}

/** The bytes of a picture in base64, with or without `data:image/png;base64,` in front. */
function imageOf(input: unknown, path: string): Uint8Array {
  if (input instanceof Uint8Array) return input
  if (typeof input !== 'string' || input === '') refuse('bad_query', `must be a picture in base64`, input, path)
  return imageOfBase64(input, path)
}

/** The query of a form: a file `image` (or `input_data`), and the other fields as text or JSON. Throws 422. */
export async function draftOfForm(form: FormData, parse: (text: string) => unknown): Promise<Draft> {
  const fields: Record<string, unknown> = {}
  let image: Uint8Array | undefined
  for (const [key, content] of form as unknown as Iterable<[string, File | string]>) {
    if (key !== 'image' && !Object.hasOwn(FIELDS, key)) {
      throw bad(key.slice(0, 60), `unknown field; ${hint(key, ['image', ...Object.keys(FIELDS)])}`)
    }
    const isImage = typeof content !== 'string'
    if (Object.hasOwn(fields, key) || (isImage && image !== undefined)) throw bad(key, 'is given twice')
    if (isImage) image = new Uint8Array(await content.arrayBuffer())
    else fields[key] = TEXT_FIELDS.includes(key) ? content : formValue(key, content, parse)
  }
  if (image === undefined) return draftOfJson(fields, { strict: true })
  if ('input' in fields || 'input_data' in fields) throw bad('input_data', 'must not stand beside a file')
  const draft = draftOfJson({ ...fields, input: image, modality: 'image' }, { strict: true })
  return { ...draft, names: { ...draft.names, input: 'image' } }
}

const TEXT_FIELDS = ['client_id', 'client', 'id', 'modality', 'model', 'image']

/** Lists and objects are JSON; an input that is no JSON list or object is a text. */
function formValue(key: string, content: string, parse: (text: string) => unknown): unknown {
  const isText = FIELDS[key] === 'input' && !/^\s*[[{]/.test(content)
  if (isText) return content
  try {
    return parse(content)
  } catch {
    throw bad(key, 'must be JSON')
  }
}

/** The error of a detector in the caller's words: `confidence.modelOutput[1]` is `model_output[1]` there. */
export function inCallersWords(error: PlainError, labels: readonly string[], names: Draft['names']): HttpErrorParts {
  const { code, message, path } = error
  const bare = path !== '' && message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message
  const label = labels.find((one) => path === one || path.startsWith(`${one}.`))
  const inside = label === undefined ? path : path.slice(label.length + 1)
  const [, field = '', rest = ''] = /^([A-Za-z]*)(.*)$/s.exec(inside) ?? []
  const known = OBSERVED[field] ?? field
  return { code, message: bare, path: (names[known] ?? CANONICAL[known] ?? known) + rest }
}

export interface HttpErrorParts {
  readonly code: PlainError['code']
  readonly message: string
  readonly path: string
}

/** The features of an observation, and the field of the query that each comes from. */
const OBSERVED: Readonly<Record<string, string>> = { probabilities: 'modelOutput', row: 'input' }
/** Names of fields that were not given. */
const CANONICAL: Readonly<Record<string, string>> = {
  input: 'input_data',
  modelOutput: 'model_output',
  client: 'client_id',
}

function bad(path: string, message: string): MonitorError {
  return new MonitorError('bad_query', message, path)
}
