/** Bodies that came compressed. */
import { type Copied, readBounded } from './boundedCopy.ts'
import type { Lease } from './leases.ts'

/** What a body is packed in. */
export type Packing = 'none' | 'gzip' | 'deflate' | 'unknown'

/**
 * What the body really is packed in: the header alone does not tell, since some hosts unpack what they fetch and leave the
 * header as it is, and a client may write what it likes.
 */
export function packingOf(headers: Headers, bytes: Uint8Array): Packing {
  const said = (headers.get('content-encoding') ?? '').trim().toLowerCase()
  if (said === '' || said === 'identity') return 'none'
  if (said === 'gzip' || said === 'x-gzip') return isGzip(bytes) ? 'gzip' : 'none'
  if (said === 'deflate') return isZlib(bytes) ? 'deflate' : 'none'
  return 'unknown'
}

/** RFC 1952, section 2.3.1. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** RFC 1950, section 2.2. */
function isZlib(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && (bytes[0]! & 15) === 8 && ((bytes[0]! << 8) | bytes[1]!) % 31 === 0
}

/** Unpacks within the limit: a small body may hold a large one. Never rejects. */
export function unpack(
  bytes: Uint8Array,
  packing: 'gzip' | 'deflate',
  maxBytes: number,
  lease: Lease,
): Promise<Copied> {
  return readBounded(streamOf(bytes).pipeThrough(new DecompressionStream(packing)), maxBytes, lease)
}

/** Packs again. */
export async function pack(bytes: Uint8Array, packing: 'gzip' | 'deflate'): Promise<Uint8Array> {
  const packed = new Response(streamOf(bytes).pipeThrough(new CompressionStream(packing)))
  return new Uint8Array(await packed.arrayBuffer())
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Response(bytes as Uint8Array<ArrayBuffer>).body!
}
