/** What a model source is, and how it may be shown: never with credentials or the secrets of a query. */
import { MonitorError, refuse } from '../../core/index.ts'
import { nodeFiles } from './node.ts'

/** A model file: its URL (relative ones as the page resolves them), its path where there are files, or its bytes. */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob

/** `shown` is what messages say, `file` the name for progress events. */
export type Place = { readonly shown: string; readonly file: string } & (
  | { readonly kind: 'bytes'; read(): Promise<Uint8Array> }
  | { readonly kind: 'file'; readonly path: string | URL }
  | { readonly kind: 'url'; readonly url: URL }
)

const SHAPES = 'must be a URL, a path, or the bytes of a model as Uint8Array, ArrayBuffer or Blob'

/** Tells what a source is. Throws `bad_config` at `source`. */
export function locate(source: unknown): Place {
  const tag = Object.prototype.toString.call(source).slice(8, -1)
  const given = { kind: 'bytes', shown: 'the given bytes', file: '' } as const
  if (tag === 'Uint8Array') return { ...given, read: async () => source as Uint8Array }
  if (tag === 'ArrayBuffer') return { ...given, read: async () => new Uint8Array(source as ArrayBuffer) }
  if (tag === 'Blob' || tag === 'File') return { ...given, read: () => readBlob(source as Blob) }
  if (tag === 'URL') return locateUrl(new URL((source as URL).href))
  if (typeof source !== 'string' || source === '') return refuse('bad_config', SHAPES, source, 'source')
  if (hasScheme(source)) return locateUrl(parseUrl(source, undefined))
  if (nodeFiles() !== undefined)
    return { kind: 'file', path: source, shown: source, file: lastPart(source.replaceAll('\\', '/')) }
  return locateUrl(parseUrl(source, baseUrl()))
}

/** A URL for messages and warnings: without user, password, query and fragment; of `data:` only the scheme. */
export function showUrl({ protocol, host, pathname, search }: URL): string {
  if (protocol === 'data:') return 'data:…'
  const place = protocol === 'blob:' ? pathname : `//${host}${pathname}`
  return `${protocol}${place}${search === '' ? '' : '?…'}`
}

/** More than one letter: `C:` is a drive. */
function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(text)
}

function parseUrl(text: string, base: string | undefined): URL {
  try {
    return new URL(text, base)
  } catch {
    const what = base === undefined && !hasScheme(text) ? 'an absolute URL here, where there is no page' : 'a URL'
    throw new MonitorError('bad_config', `must be ${what}`, 'source') // not what came: it may hold a secret
  }
}

/** What a page or a worker resolves URLs against. */
function baseUrl(): string | undefined {
  const { document, location } = globalThis as {
    document?: { readonly baseURI?: string }
    location?: { readonly href?: string }
  }
  return document?.baseURI ?? location?.href
}

function locateUrl(url: URL): Place {
  if (url.username !== '' || url.password !== '') {
    throw new MonitorError(
      'bad_config',
      'must carry no user name or password; fetch it and hand in the bytes',
      'source',
    )
  }
  const named = { shown: showUrl(url), file: url.protocol === 'data:' ? '' : lastPart(url.pathname) }
  if (url.protocol !== 'file:') return { kind: 'url', url, ...named }
  if (nodeFiles() !== undefined) return { kind: 'file', path: url, ...named }
  throw new MonitorError('bad_config', 'is a file: URL, and there are no files here; serve it by http(s)', 'source')
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function readBlob(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer())
  } catch (cause) {
    throw new MonitorError('model_unavailable', 'the blob of the model cannot be read', '', { cause })
  }
}
