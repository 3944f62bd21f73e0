/**
 * The library under test, by its doors. `MONITAUR_DIST` points at a folder with another build (`core.js`, `embed.js`).
 * What a build does not have yet is undefined, and the row that needs it says so.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env['MONITAUR_DIST']

function door(file) {
  return import(pathToFileURL(resolve(join(dist, file))).href)
}

/** The names of `monitaur/core`. */
export const core = await (dist === undefined ? import('monitaur/core') : door('core.js'))
/** The names of `monitaur/embed`. */
export const embed = await (dist === undefined ? import('monitaur/embed') : door('embed.js'))

/** A file of the repository, or undefined where it is not. */
export function repositoryFile(path) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  return existsSync(file) ? file : undefined
}
