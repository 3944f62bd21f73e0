/** Where the queries of a replay come from: a file, standard input, or a folder of images. */
import { createReadStream } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { isMonitorError, MonitorError } from '../core/index.ts'
import { parseRecord, type Query } from '../embed/index.ts'
import { readImage } from './images.ts'
import { type Line, readLines } from './lines.ts'
import { reasonOf } from './reason.ts'
import {
  checkHeader,
  type Draft,
  decodeLine,
  draftOfJson,
  draftOfRow,
  type RecordShape,
  rowOfFields,
} from './records.ts'

/** One query of the source, or what stands in its place. `line` counts from 1; in a folder it counts the images. */
export type Item =
  | {
      readonly kind: 'query'
      readonly line: number
      readonly query: Query
      /** Of an image: its file. */
      readonly name?: string
      /** What it holds in memory, about. */
      readonly bytes: number
    }
  | { readonly kind: 'bad'; readonly line: number; readonly error: MonitorError }

export interface Source {
  /** For messages. */
  readonly name: string
  /** In bytes, if it is known beforehand. */
  readonly totalBytes?: number
  /** Bytes read so far. */
  readonly readBytes: () => number
  readonly items: AsyncIterable<Item>
}

export interface SourceOptions extends RecordShape {
  readonly format?: 'csv' | 'ndjson'
  readonly maxLineBytes: number
}

const IMAGE = /\.(?:png|jpe?g|webp)$/i

/** Opens a path; `-` is standard input. Throws `bad_config` for what is not there or cannot be used so. */
export async function openSource(
  path: string,
  options: SourceOptions,
  { stdin, signal }: { readonly stdin: Readable; readonly signal?: AbortSignal | undefined },
): Promise<Source> {
  if (path === '-')
    return textSource('standard input', stoppable(stdin, signal), '.', options.format ?? 'ndjson', options)
  const found = await stat(path).catch((cause: unknown) => unreadable(path, cause))
  if (found.isDirectory()) {
    const named = options.format ?? options.column ?? options.clientColumn
    if (named === undefined && !options.rows) return imageSource(path)
    const message = 'is a folder of images, where --format, --column, --client-column and --rows mean nothing'
    throw new MonitorError('bad_config', message, path)
  }
  const format = options.format ?? (path.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson')
  const source = textSource(basename(path), stoppable(createReadStream(path), signal), dirname(path), format, options)
  return found.isFile() ? { ...source, totalBytes: found.size } : source
}

function stoppable(stream: Readable, signal: AbortSignal | undefined): Readable {
  return signal === undefined ? stream : addAbortSignal(signal, stream)
}

function unreadable(path: string, cause: unknown): never {
  throw new MonitorError('bad_config', `cannot be read: ${reasonOf(cause)}`, path, { cause })
}

function textSource(
  name: string,
  stream: Readable,
  folder: string,
  format: 'csv' | 'ndjson',
  options: SourceOptions,
): Source {
  let read = 0
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      read += chunk.length
      yield chunk
    }
  }
  const lines = readLines(counted(), { maxBytes: options.maxLineBytes, quotes: format === 'csv' })
  const items = format === 'csv' ? csvItems(lines, name, options) : jsonItems(lines, folder, options)
  return { name, readBytes: () => read, items }
}

async function* jsonItems(
  lines: AsyncIterable<Line>,
  folder: string,
  options: SourceOptions,
): AsyncGenerator<Item, void, undefined> {
  for await (const line of lines) {
    const item = await toItem(line, options, async (text) => {
      if (text.trim() === '') return undefined
      return withImage(draftOfJson(text, options), folder)
    })
    if (item !== undefined) yield item
  }
}

async function* csvItems(
  lines: AsyncIterable<Line>,
  name: string,
  options: SourceOptions,
): AsyncGenerator<Item, void, undefined> {
  let header: string[] | undefined
  for await (const line of lines) {
    if (header === undefined) {
      header = readHeader(line, name, options)
      continue
    }
    const columns: readonly string[] = header
    const item = await toItem(line, options, async (text) => {
      if (text === '') return undefined
      return draftOfRow(rowOfFields(columns, parseRecord(text), options.column), options)
    })
    if (item !== undefined) yield item
  }
  if (header === undefined) throw new MonitorError('bad_config', 'is empty: the first line must name the columns', name)
}

function readHeader(line: Line, name: string, options: SourceOptions): string[] {
  try {
    if (line.kind === 'too_long') throw tooLong(options)
    const header = parseRecord(decodeLine(line.bytes))
    checkHeader(header, options)
    return header
  } catch (thrown) {
    if (!isMonitorError(thrown) || thrown.code === 'bad_config') throw thrown
    throw new MonitorError('bad_config', `the header ${thrown.message}`, name, { cause: thrown })
  }
}

/** The item of a line; nothing for a blank one. */
async function toItem(
  line: Line,
  options: SourceOptions,
  read: (text: string) => Promise<(Draft & { readonly name?: string }) | undefined>,
): Promise<Item | undefined> {
  try {
    if (line.kind === 'too_long') throw tooLong(options)
    const draft = await read(decodeLine(line.bytes))
    if (draft === undefined) return undefined
    const { query, name } = draft
    const weight = line.bytes.length + (query.input instanceof Uint8Array ? query.input.length : 0)
    return { kind: 'query', line: line.number, query, bytes: weight, ...(name === undefined ? {} : { name }) }
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    return { kind: 'bad', line: line.number, error: thrown }
  }
}

function tooLong({ maxLineBytes }: SourceOptions): MonitorError {
  const remedy = 'raise --max-line-bytes, or close the quote if it is a CSV file'
  return new MonitorError('bad_query', `is longer than ${maxLineBytes} bytes; ${remedy}`)
}

async function withImage({ query, image }: Draft, folder: string): Promise<Draft & { readonly name?: string }> {
  if (image === undefined) return { query }
  return { query: { ...query, input: await readImage(folder, image) }, name: image as string }
}

async function imageSource(folder: string): Promise<Source> {
  const names = (await readdir(folder).catch((cause: unknown) => unreadable(folder, cause))).filter((n) =>
    IMAGE.test(n),
  )
  if (names.length === 0) throw new MonitorError('bad_config', 'has no PNG, JPEG or WebP files in it', folder)
  names.sort((a, b) => (a < b ? -1 : 1)) // by code units: the same order everywhere
  let totalBytes = 0
  for (const name of names) totalBytes += (await lstat(join(folder, name))).size
  let read = 0
  async function* items(): AsyncGenerator<Item, void, undefined> {
    for (const [i, name] of names.entries()) {
      try {
        const input = await readImage(folder, name)
        read += input.length
        yield { kind: 'query', line: i + 1, query: { input }, name, bytes: input.length }
      } catch (thrown) {
        if (!isMonitorError(thrown)) throw thrown
        yield { kind: 'bad', line: i + 1, error: thrown }
      }
    }
  }
  return { name: basename(folder), totalBytes, readBytes: () => read, items: items() }
}
