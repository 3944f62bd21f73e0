/**
 * A server on loopback that plays the model hub: `/{model}/resolve/{revision}/{file}`, with lengths, ranges and ETags as
 * transformers.js asks for them. The models are those of the test data.
 */
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { dataDir, hasData } from './data.ts'
import { SIDE, tinyPictureModel, tinyTextModel } from './tinyModel.ts'

/** The model that everybody uses for texts. Its weights are not among the test data unless somebody puts them there. */
export const MINILM = 'Xenova/all-MiniLM-L6-v2'

/** A sentence embedder of 256 numbers, trained for these tests: what {@link MINILM} stands for without its weights. */
export const WORDNET = 'wordnet-static-256'

/** What the tests need of the data. */
export const HUB_DATA = `models/text/${WORDNET}/onnx/model_quantized.onnx`

const REAL_WEIGHTS = 'models/text/all-MiniLM-L6-v2-tokenizer-only/onnx/model_quantized.onnx'

/** True when the server gives the weights of {@link WORDNET} under the name of {@link MINILM}. */
export const isStandIn: boolean = !hasData(REAL_WEIGHTS)

/** A picture embedder that is not in the data but made here: see {@link tinyPictureModel}. */
export const TINY_PICTURE = 'tiny-picture'

const PICTURE_FILES: Readonly<Record<string, Uint8Array>> = {
  'config.json': json({ model_type: 'vit' }),
  'preprocessor_config.json': json({
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { height: SIDE, width: SIDE },
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  }),
  'onnx/model.onnx': tinyPictureModel(),
}

/** What is served of any text model besides the data, which lacks it: fp32, and under `q4` one that fails on all texts but those of two words. */
const TEXT_FILES: Readonly<Record<string, Uint8Array>> = {
  'onnx/model.onnx': tinyTextModel(),
  'onnx/model_q4.onnx': tinyTextModel({ isStrict: true }),
}

/** For the names of tests: never let a stand-in pass for the real model. */
export const served = `${MINILM}, ${isStandIn ? `played by ${WORDNET}: its real weights are not in the data` : 'the real one'}`

/** Bytes of the weights that are served in dtype `q8` under the name of {@link MINILM}. */
export function weightsBytes(): number {
  return statSync(join(folderOf(MINILM), 'onnx/model_quantized.onnx')).size
}

export interface Hub {
  /** Such as `http://127.0.0.1:41234/`. */
  readonly host: string
  /** Methods and paths asked for so far, in order, such as `GET /model/resolve/main/config.json`. */
  readonly requests: string[]
  /** Called before every answer; what it returns true for, it has answered itself. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** Cuts every connection and answers no more. Safe to call twice. */
  close(): Promise<void>
}

/** So that pages of another origin, isolated ones too, may read everything. */
const HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Expose-Headers': 'Content-Length, Content-Range, ETag',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': 'no-store',
}

/** Starts a hub; close it after use. */
export async function serveHub(): Promise<Hub> {
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    requests.push(`${request.method} ${path}`)
    if (hub.intercept?.(request, response)) return
    await answer(path, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hub: Hub = {
    host: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    intercept: undefined,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  }
  return hub
}

async function answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, model = '', file = ''] = /^\/(.+?)\/resolve\/[^/]+\/(.+)$/.exec(path) ?? []
  if (request.method === 'OPTIONS') return void response.writeHead(204, HEADERS).end()
  const body = await bodyOf(model, file)
  if (body === undefined) return void response.writeHead(404, HEADERS).end('Entry not found')
  const headers = { ...HEADERS, ETag: `"${createHash('sha256').update(body).digest('hex')}"`, 'Accept-Ranges': 'bytes' }
  if (request.headers['if-none-match'] === headers.ETag) return void response.writeHead(304, headers).end()
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const [from, to] = range === null ? [0, body.length - 1] : [Number(range[1]), Number(range[2] || body.length - 1)]
  const part = body.subarray(from, to + 1)
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    'Content-Length': part.length,
    'Content-Type': file.endsWith('.json') ? 'application/json' : 'application/octet-stream',
    ...(range === null ? {} : { 'Content-Range': `bytes ${from}-${to}/${body.length}` }),
  })
  response.end(request.method === 'HEAD' ? undefined : part)
}

async function bodyOf(model: string, file: string): Promise<Uint8Array | undefined> {
  if (model === TINY_PICTURE) return PICTURE_FILES[file]
  const found = join(folderOf(model), file)
  if (model !== '' && existsSync(found)) return readFile(found)
  return existsSync(join(folderOf(model), 'tokenizer.json')) ? TEXT_FILES[file] : undefined
}

function folderOf(model: string): string {
  const real = join(dataDir(), 'models/text/all-MiniLM-L6-v2-tokenizer-only')
  if (model === MINILM) return isStandIn ? join(dataDir(), 'models/text', WORDNET) : real
  return join(dataDir(), 'models/text', model)
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}
