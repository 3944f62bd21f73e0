/** The tarball: what is in it, that types and code agree for every way to resolve them, and that nothing is asked for in vain. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Consumer, createConsumer } from './tools/consumer.ts'

const MOST_BYTES = 2_700_000

/** Every file of the tarball is of one of these kinds. */
const KINDS: readonly RegExp[] = [
  /^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^deploy\/prometheus\/rules\.yml$/,
  /^dist\/(?:index|core|edge|embed|laws|worker|eval|eval-node|server|cli|copy-net|monitor\.worker)\.js$/,
  /^dist\/(?:server|eval-node)-elsewhere\.js$/,
  /^dist\/kernels\.wasm$/,
  /^dist\/chunks\/[A-Za-z]+-[\w-]{8}\.js$/,
  /^dist\/cockpit\/(?:index\.html|assets\/[a-z]+-[\w-]{8}\.(?:js|css|svg))$/,
  /^dist\/types\/(?:index|core|edge|embed|laws|worker|eval|eval-node|server|script|kernels)\.d\.ts$/,
  /^dist\/types\/shared\/[A-Za-z]+-[\w-]{8}\.d\.ts$/,
]

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

let consumer: Consumer
let place: string
let manifest: Manifest
beforeAll(() => {
  consumer = createConsumer({ alone: true })
  place = join(consumer.folder, 'node_modules/monitaur')
  manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
})
afterAll(() => {
  consumer?.remove()
})

const read = (path: string) => readFileSync(join(place, path), 'utf8')

/** Packages that a file of code imports; relative ones apart. */
function importsOf(path: string): { readonly own: string[]; readonly packages: string[] } {
  const found = [...read(path).matchAll(/(?:\bfrom|^\s*import|\bimport(?:Package)?\()\s*['"]([^'"\s]+)['"]/gm)].map(
    ([, at]) => at!,
  )
  const own = found.filter((at) => at.startsWith('.')).map((at) => join(dirname(path), at))
  const packages = found.filter((at) => !at.startsWith('.') && !isBuiltin(at))
  return { own, packages: packages.map((at) => at.split('/', at.startsWith('@') ? 2 : 1).join('/')) }
}

describe('the tarball', () => {
  test('holds files of known kinds only, and no more than it must', () => {
    const strange = consumer.packed.paths.filter((path) => !KINDS.some((kind) => kind.test(path)))
    expect(strange).toEqual([])
    expect(consumer.packed.bytes).toBeLessThanOrEqual(MOST_BYTES)
  })

  test('holds no code and no declaration that no door leads to', () => {
    const targets = Object.values(manifest.exports).flatMap((one) =>
      typeof one === 'string' ? [] : Object.values(one),
    )
    const reached = new Set([...targets, './dist/cli.js'].map((path) => path.slice(2)))
    for (const path of reached) {
      if (!/\.(?:js|ts)$/.test(path)) continue
      for (const other of importsOf(path).own) {
        reached.add(path.endsWith('.d.ts') ? other.replace(/\.js$/, '.d.ts') : other)
      }
    }
    const code = consumer.packed.paths.filter((path) => /^dist\/(?!cockpit).*\.(?:js|ts)$/.test(path))
    expect(code.filter((path) => !reached.has(path))).toEqual([])
    expect([...reached].filter((path) => !consumer.packed.paths.includes(path))).toEqual([])
  })

  test('imports what it declares, and declares what it imports', () => {
    const code = consumer.packed.paths.filter((path) => /^dist\/(?!cockpit|types).*\.js$/.test(path))
    const imported = new Set(code.flatMap((path) => importsOf(path).packages))
    const { dependencies, peerDependencies } = manifest
    const declared = { ...dependencies, ...peerDependencies }
    expect([...imported].sort()).toEqual(Object.keys(declared).sort())
  })

  test('has nothing that publint --strict finds', async () => {
    const tarball = readFileSync(consumer.packed.file)
    const { messages, pkg } = await publint({ strict: true, pack: { tarball: tarball.buffer as ArrayBuffer } })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  /** As `attw --profile esm-only`: Node 10 knows no exports, and `require` of a module is for Node 20.19 and later. */
  test('has types that are right for every way to resolve them', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(consumer.packed.file)))
    if (analysis.types === false) throw new Error('the package has no types')
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && /^node1(?:0|6-cjs)$/.test(problem.resolutionKind)),
    )
    expect(problems).toEqual([])
    expect(Object.keys(analysis.entrypoints).sort()).toEqual(Object.keys(manifest.exports).sort())
  })
})

test('the page on installing names the tarball that is packed', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/install.md'), 'utf8')
  expect(new Set(page.match(/monitaur-[\w.-]+\.tgz/g))).toEqual(new Set([basename(consumer.packed.file)]))
})

/** As https://keepachangelog.com has it. */
test('the changelog has the headings that readers and tools look for', () => {
  const text = readFileSync(join(import.meta.dirname, '../CHANGELOG.md'), 'utf8')
  const headings = [...text.matchAll(/^(##+) (.*)$/gm)].map(([, level, title]) => ({
    level: level!.length,
    title: title!,
  }))
  const releases = headings.filter(({ level }) => level === 2).map(({ title }) => title)
  expect(releases[0]).toBe('Unreleased')
  for (const title of releases.slice(1)) expect(title).toMatch(/^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$/)
  const kinds = headings.filter(({ level }) => level === 3).map(({ title }) => title)
  expect(kinds.length).toBeGreaterThan(0)
  for (const kind of kinds) expect(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']).toContain(kind)
})

describe('the package of JSR, which is the source', () => {
  const root = join(import.meta.dirname, '..')
  const own = JSON.parse(readFileSync(join(root, 'jsr.json'), 'utf8')) as {
    readonly version: string
    readonly imports: Readonly<Record<string, string>>
  }

  test('has the versions of the one of npm', () => {
    const { version, dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const all = { ...dependencies, ...devDependencies }
    expect(own.version).toBe(version)
    for (const [name, from] of Object.entries(own.imports)) expect(from).toBe(`npm:${name}@${all[name]}`)
  })

  test('would be taken, with nothing to be said but that types are inferred and optional packages found late', () => {
    const args = ['publish', '--dry-run', '--allow-dirty', '--no-check', '--allow-slow-types']
    const { status, stderr, stdout } = spawnSync(join(root, 'node_modules/.bin/deno'), args, {
      ...{ cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } },
    })
    const said = `${stderr}${stdout}`
    expect(status, said).toBe(0)
    const warnings = [...said.matchAll(/^(?:warning|error)\[([a-z-]+)\]/gm)].map(([, kind]) => kind)
    expect(warnings.filter((kind) => !/^unanalyzable-dynamic-import$|^missing-explicit-/.test(kind!))).toEqual([])
    const files = [...said.matchAll(/file:\/\/\S+?\/((?:src\/|jsr|README|LICENSE)\S*) \(/g)].map(([, path]) => path!)
    expect(files.length).toBeGreaterThan(200)
    expect(files.filter((path) => /^src\/server|^src\/eval\/node|assembly/.test(path))).toEqual([])
  })
})
