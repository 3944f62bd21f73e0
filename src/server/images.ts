/** Image files named by data: only regular files below one folder, whatever the name tries. */
import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { MonitorError } from '../core/index.ts'
import { reasonOf } from './reason.ts'

/** Largest image file that is read, the limit of the detectors themselves. */
const MAX_IMAGE_BYTES = 64 * 2 ** 20

/**
 * The bytes of an image file below `folder`. Throws `bad_query` for an absolute name, one with `..`, one that leads out of
 * the folder through a link, and for what is no regular file, is too large or cannot be read.
 */
export async function readImage(folder: string, name: unknown): Promise<Uint8Array> {
  if (typeof name !== 'string' || name === '') refuse('must be the name of a file')
  const isOutside = isAbsolute(name) || /^[A-Za-z]:/.test(name) || name.split(/[\\/]/).includes('..')
  if (isOutside) refuse(`must lie in the folder of the data: a relative path without '..'`)
  try {
    return await readBelow(await realpath(folder), name)
  } catch (thrown) {
    if (thrown instanceof MonitorError) throw thrown
    throw new MonitorError('bad_query', `cannot be read: ${reasonOf(thrown)}`, 'image', { cause: thrown })
  }
}

async function readBelow(folder: string, name: string): Promise<Uint8Array> {
  const path = await realpath(resolve(folder, name))
  const way = relative(folder, path)
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
    refuse('must lie in the folder of the data, but a link leads out of it')
  }
  // The resolved path has no links left: one put there meanwhile is not followed. A pipe is not waited for.
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) refuse('must be a regular file')
    if (stat.size > MAX_IMAGE_BYTES) refuse(`must have at most ${MAX_IMAGE_BYTES} bytes, got ${stat.size}`)
    return new Uint8Array(await file.readFile())
  } finally {
    await file.close()
  }
}

function refuse(message: string): never {
  throw new MonitorError('bad_query', message, 'image')
}
