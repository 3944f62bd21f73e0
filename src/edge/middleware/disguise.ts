/** `reply: 'silent'`: an answer that is of no use, and looks like any other. */

import { copyBody } from './boundedCopy.ts'
import { pack } from './encoding.ts'
import { type OpenOptions, openResponse } from './openCopy.ts'
import { isJson } from './reader.ts'

/** An answer twice, made in the same way. */
export interface Disguise {
  readonly truth: Response
  /** Undefined where there is none: the answer is no JSON, is larger than the limit, or holds what is no score. */
  readonly harmless: Response | undefined
}

const encoder = /* @__PURE__ */ new TextEncoder()

/**
 * The answer, and the same one with other JSON in it: same status, headers and packing; `content-length`, where there is
 * one, is right. Both are made for every client, so that neither time nor framing tells who gets which. The JSON is
 * written as `JSON.stringify` writes it: a handler that writes it otherwise needs a decoy of its own.
 *
 * An answer that is not of status 2xx holds nothing of the model and is harmless itself.
 */
export async function disguise(
  response: Response,
  hide: (json: unknown) => unknown,
  options: OpenOptions,
): Promise<Disguise> {
  if (!response.ok || response.body === null) return { truth: response, harmless: response }
  if (!isJson(response)) return { truth: response, harmless: undefined }
  const copied = await copyBody(response, options.maxBytes, options.lease)()
  const opened = await openResponse(response, copied, options)
  if (copied.kind === 'failed' || opened.kind === 'failed') return { truth: response, harmless: undefined }
  response.body.cancel().catch(() => {}) // the copy is whole
  const truth = withBody(response, copied.bytes)
  try {
    const plain = encoder.encode(JSON.stringify(hide(opened.copy.json())))
    const { packing } = opened
    const bytes = packing === 'gzip' || packing === 'deflate' ? await pack(plain, packing) : plain
    return { truth, harmless: withBody(response, bytes) }
  } catch {
    return { truth, harmless: undefined }
  }
}

function withBody(response: Response, bytes: Uint8Array): Response {
  const other = new Response(bytes as Uint8Array<ArrayBuffer>, response)
  if (response.headers.has('content-length')) other.headers.set('content-length', String(bytes.length))
  return other
}
