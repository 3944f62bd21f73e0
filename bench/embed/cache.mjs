/**
 * Figures of the peers between runs, in `reports/embed-cache.json`: a peer is measured again only when its files, the
 * transformations, the data or the scoring change. Never holds figures of the library's own methods.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('../../reports/embed-cache.json', import.meta.url))
const SHARED = ['transforms', 'geometry', 'marks', 'tones', 'random', 'datasets', 'evaluate', 'scores']

const shared = createHash('sha256')
for (const name of SHARED) shared.update(readFileSync(new URL(`${name}.mjs`, import.meta.url)))
const sharedDigest = shared.digest('hex')

/** The cache of a run: `fresh` begins with an empty one, without `keep` nothing is written. */
export function openCache({ fresh, keep }) {
  const kept = !fresh && existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}
  return { get: (key) => kept[key], set }

  function set(key, value) {
    kept[key] = value
    if (!keep) return
    mkdirSync(dirname(FILE), { recursive: true })
    writeFileSync(FILE, JSON.stringify(kept))
  }
}

/** What the figures of a method on a data set depend on, in one word; undefined for methods that are not kept. */
export function cacheKey(method, { name, indices }) {
  if (method.ours || method.files.length === 0) return undefined
  const hash = createHash('sha256').update(`${sharedDigest} ${name} ${indices}`)
  for (const file of method.files) hash.update(readFileSync(file))
  return `${method.key} ${name} ${hash.digest('hex').slice(0, 24)}`
}
