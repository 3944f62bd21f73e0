/**
 * The licences of what ships: the packages that users install with ours, those whose code stands inside our files, and those
 * that make the documentation, whose pages have code of some of them inside.
 * `node scripts/licences.mjs [--json] [--lock package-lock.json] [--site-lock site/package-lock.json]` prints the list; it
 * exits with 1 for a licence that is not on the list of allowed ones, or for one that a package does not tell.
 *
 * Optional peers are named too, for information: who wants them installs them, and their licences bind that user only.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Permissive ones, whose only demand is to be named. */
const ALLOWED = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'])
/** Packages of development whose code the build puts into files of ours. */
const INLINED = ['uplot']

/** Make the documentation under other terms: word lists, pictures that no page has, and tools. Nothing of them is in a page. */
const MAKE_PAGES = {
  '@cspell/dict-django': 'WTFPL',
  '@cspell/dict-en-common-misspellings': 'CC BY-SA 4.0',
  '@iconify-json/simple-icons': 'CC0-1.0',
  argparse: 'Python-2.0',
  minimatch: 'BlueOak-1.0.0',
}

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, lock: { type: 'string' }, 'site-lock': { type: 'string' } },
})
const lock = readLock(values.lock ?? `${root}package-lock.json`)
const siteLock = readLock(values['site-lock'] ?? `${root}site/package-lock.json`)
const { peerDependencies = {} } = lock.packages['']

const rows = [
  ...Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
    .map(([path, one]) => rowOf(path, one, 'installed')),
  ...INLINED.flatMap((name) => found(name, 'inlined')),
  ...Object.keys(peerDependencies).flatMap((name) => found(name, 'optional peer')),
  ...Object.entries(siteLock.packages)
    .filter(([path]) => path !== '')
    .map(([path, one]) => rowOf(path, one, 'documentation')),
].sort((a, b) => a.how.localeCompare(b.how) || a.name.localeCompare(b.name))

const refused = rows.filter((row) => row.how !== 'optional peer' && !isAllowed(row.licence) && !makesPages(row))
if (values.json) console.log(JSON.stringify(rows, null, 2))
else
  for (const { how, name, version, licence } of rows)
    console.log(`${how.padEnd(14)} ${licence.padEnd(13)} ${name} ${version}`)
for (const { name, version, licence } of refused) {
  console.error(
    `licences: ${name} ${version} ships under '${licence}', which is not allowed: ${[...ALLOWED].join(', ')}`,
  )
}
process.exitCode = refused.length > 0 ? 1 : 0

function readLock(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function makesPages({ how, name, licence }) {
  return how === 'documentation' && MAKE_PAGES[name] === licence
}

function found(name, how) {
  const one = lock.packages[`node_modules/${name}`]
  if (one === undefined) throw new Error(`${name} is ${how}, and not in the lock file`)
  return [rowOf(`node_modules/${name}`, one, how)]
}

function rowOf(path, { version, license }, how) {
  return { how, name: path.slice(path.lastIndexOf('node_modules/') + 13), version, licence: license ?? 'none told' }
}

/** One licence, or a choice of which one is allowed. All of a sum must be. */
function isAllowed(licence) {
  const bare = licence.replace(/^\((.*)\)$/, '$1')
  if (bare.includes(' AND ')) return bare.split(' AND ').every(isAllowed)
  return bare.split(' OR ').some((one) => ALLOWED.has(one))
}
