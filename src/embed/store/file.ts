/** Model files on a disk. */
import { MonitorError } from '../../core/index.ts'
import { tooLarge } from './download.ts'
import { nodeFiles } from './node.ts'

/** Where a file is, and what to call it. */
export interface FilePlace {
  readonly path: string | URL
  readonly shown: string
}

/** Reads a whole file of at most `maxBytes`. Throws `model_unavailable`. */
export async function readModelFile({ path, shown }: FilePlace, maxBytes: number): Promise<Uint8Array> {
  const files = nodeFiles()!
  let bytes: Uint8Array
  try {
    const { size } = await files.stat(path)
    if (size > maxBytes) throw tooLarge(shown, size, maxBytes)
    bytes = await files.readFile(path)
  } catch (cause) {
    if (cause instanceof MonitorError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : (code ?? message)
    throw new MonitorError('model_unavailable', `${shown} cannot be read: ${reason}`, '', { cause })
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) // no Buffer: its slice shares memory
}
