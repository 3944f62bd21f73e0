/**
 * A release: `node scripts/release.mjs` prepares one and publishes nothing; `--publish` publishes, from a runner that can
 * prove where the package was made (npm's provenance: an OpenID token of GitHub Actions or GitLab CI).
 *
 *   1 the working tree is clean, and the version has a heading in the changelog     4 the list of what is inside (CycloneDX)
 *   2 `npm test`, unless --skip-tests                                               5 the package, and what must not be in it
 *   3 licences, known vulnerabilities                                               6 `npm publish --provenance`, `deno publish`
 *
 * The list and the package lie in reports/release/.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = `${root}reports/release`
const { values } = parseArgs({
  options: { publish: { type: 'boolean' }, 'skip-tests': { type: 'boolean' }, 'allow-dirty': { type: 'boolean' } },
})
/** The types of detectors and attacks are inferred from their tables: see docs/decisions.md. */
const SLOW_TYPES = ['--allow-slow-types']
const deno = `${root}node_modules/.bin/deno`
const { name, version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

try {
  main()
} catch (error) {
  console.error(`release: ${error.message}`)
  process.exitCode = 1
}

function main() {
  if (values.publish) checkPublisher()
  checkTree()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  if (!values['skip-tests']) run('npm', ['test'])
  run(process.execPath, ['scripts/licences.mjs'])
  run(process.execPath, ['scripts/audit.mjs'])
  const bill = writeBill()
  const file = pack()
  output(deno, [
    'publish',
    '--dry-run',
    '--no-check',
    ...SLOW_TYPES,
    ...(values['allow-dirty'] ? ['--allow-dirty'] : []),
  ])
  console.log(`release: ${name} ${version}: ${bill} components in sbom.cdx.json, ${file}`)
  if (!values.publish) return console.log('release: nothing was published; --publish does that')
  run('npm', ['publish', `${folder}/${file}`, '--provenance', '--access', 'public'])
  run(deno, ['publish', '--no-check', ...SLOW_TYPES]) // to JSR, with provenance too
}

function checkPublisher() {
  if (values['allow-dirty'] || values['skip-tests']) throw new Error('--publish takes no shortcuts')
  const hasToken = process.env.ACTIONS_ID_TOKEN_REQUEST_URL !== undefined || process.env.SIGSTORE_ID_TOKEN !== undefined
  if (hasToken) return
  throw new Error(
    '--publish needs a runner that can prove where it runs: GitHub Actions with id-token: write, or GitLab CI',
  )
}

function checkTree() {
  const changed = output('git', ['status', '--porcelain']).trim()
  if (changed !== '' && !values['allow-dirty']) throw new Error(`there are changes that are not committed:\n${changed}`)
  const changelog = readFileSync(`${root}CHANGELOG.md`, 'utf8')
  const isNamed = changelog.includes(`## ${version} - `)
  if (isNamed) return
  if (values.publish) throw new Error(`CHANGELOG.md has no heading '## ${version} - <date>'`)
  console.log(`release: CHANGELOG.md has no heading '## ${version} - <date>' yet; --publish will ask for it`)
}

/**
 * What ships, by our own list of it: `npm sbom --omit dev` leaves out packages that tools of development ask for as well.
 * Returns how many there are.
 */
function writeBill() {
  const bill = JSON.parse(output('npm', ['sbom', '--sbom-format', 'cyclonedx']))
  const own = bill.metadata.component
  const ships = JSON.parse(output(process.execPath, ['scripts/licences.mjs', '--json'])).filter(
    ({ how }) => how === 'installed' || how === 'inlined',
  )
  const refs = new Set([own['bom-ref'], ...ships.map((one) => `${one.name}@${one.version}`)])
  own.name = name
  bill.components = bill.components.filter((one) => refs.has(one['bom-ref']))
  if (bill.components.length !== ships.length) throw new Error('the list of what is inside is not complete')
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }))
  writeFileSync(`${folder}/sbom.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`)
  return bill.components.length
}

/** Builds the library alone and packs it. Throws for a file that is none of the package's business. */
function pack() {
  run('npm', ['run', 'build:library'])
  const [{ filename, files }] = JSON.parse(
    output('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]),
  )
  const strange = files.find(({ path }) => /^(?:src|test|bench|dist\/demo)\/|\.env|\.pem$|\.key$/.test(path))
  if (strange !== undefined) throw new Error(`${strange.path} must not be in the package`)
  return filename
}

function run(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}`)
}

function output(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}: ${stderr.slice(-500)}`)
  return stdout
}
