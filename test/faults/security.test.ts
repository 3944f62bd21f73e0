/** What ships runs no text as code, its pages may load nothing from elsewhere, and its licences are known. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAssets } from '../../src/server/serveAssets.ts'
import { testServer } from '../tools/serverApp.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-security-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function filesIn(place: string, ending: string): string[] {
  if (!existsSync(place)) throw new Error(`${place} is missing: run npm run build first`)
  return readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending))
}

describe('the built files', () => {
  /** Third-party runtimes of the demo, which are theirs: the page's policy keeps them from it all the same. */
  const isTheirs = (name: string) => /(?:^|\/)(?:ort[-.]|transformers)/.test(name)

  test.each(filesIn(dist, '.js').filter((name) => !isTheirs(name)))('%s runs no text as code', (name) => {
    const text = readFileSync(join(dist, name), 'utf8')
    for (const pattern of [
      /\beval\s*\(/,
      /\bnew Function\b/,
      /\bFunction\s*\(\s*['"`]/,
      /set(?:Timeout|Interval)\s*\(\s*['"`]/,
    ]) {
      expect(pattern.exec(text)?.[0]).toBeUndefined()
    }
  })

  test('no page of ours writes text into its markup', () => {
    for (const place of ['src/server/cockpit', 'demo']) {
      for (const name of filesIn(join(root, place), '.ts')) {
        const text = readFileSync(join(root, place, name), 'utf8')
        expect([name, /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b/.exec(text)?.[0]]).toEqual([
          name,
          undefined,
        ])
      }
    }
  })

  test('none of them names a host that it would load from', () => {
    const pages = filesIn(dist, '.html').map((name) => readFileSync(join(dist, name), 'utf8'))
    expect(pages.length).toBeGreaterThanOrEqual(2)
    for (const page of pages) expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  })
})

/** A policy as its directives. */
function directivesOf(policy: string): Map<string, string> {
  return new Map(
    policy.split(';').map((one) => {
      const [name = '', ...sources] = one.trim().split(/\s+/)
      return [name, sources.join(' ')]
    }),
  )
}

function expectStrict(policy: string): void {
  const directives = directivesOf(policy)
  expect(directives.get('default-src')).toBe("'self'")
  expect(policy).not.toMatch(/'unsafe-eval'|\*|https?:|script-src[^;]*'unsafe-inline'/)
  for (const name of ['base-uri', 'form-action', 'object-src']) expect(directives.get(name)).toBe("'none'")
}

describe('the policies of the pages', () => {
  test('every file of the cockpit comes with one that lets nothing in from elsewhere', async () => {
    const assets = await readAssets([join(dist, 'cockpit')])
    expect(assets.size).toBeGreaterThan(2)
    const { get } = await testServer({}, { assets })
    for (const path of assets.keys()) {
      const { status, headers } = await get(path)
      expect([path, status]).toEqual([path, 200])
      expectStrict(headers.get('content-security-policy') ?? '')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(directivesOf(headers.get('content-security-policy')!).get('frame-ancestors')).toBe("'none'")
    }
  })

  test('the demo carries its own, and `npm start` sends the same and more', () => {
    const page = readFileSync(join(dist, 'demo/index.html'), 'utf8')
    const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/i.exec(page)?.[1] ?? ''
    expectStrict(policy)
    expect(directivesOf(policy).get('connect-src')).toBe("'none'")
    const start = readFileSync(join(root, 'scripts/start.mjs'), 'utf8')
    for (const [name, sources] of directivesOf(policy)) {
      if (name !== 'connect-src') expect(start).toContain(`"${name} ${sources}"`)
    }
    // Of the page it is the page's own; a worker's script comes with leave to load files of the page, and of the hub if it
    // is the one that a visitor has asked for. What is sent stands in test/demo.test.ts.
    expect(start).toMatch(/`connect-src \$\{connect\}`/)
    expect(start).toContain(`policyFor(connectOf(request.url ?? ''))`)
    expect(start).toContain(`if (!isWorker(url)) return "'none'"`)
    expect(start).toContain(`"frame-ancestors 'none'"`)
  })
})

describe('licences', () => {
  const licences = join(root, 'scripts/licences.mjs')

  test('of what ships are all allowed, and every dependency is among them', () => {
    const rows = JSON.parse(execFileSync(process.execPath, [licences, '--json'], { encoding: 'utf8' })) as {
      name: string
      how: string
    }[]
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const installed = rows.filter(({ how }) => how === 'installed').map(({ name }) => name)
    expect(installed).toEqual(expect.arrayContaining(Object.keys(dependencies)))
    expect(rows.filter(({ how }) => how === 'inlined').map(({ name }) => name)).toEqual(['uplot'])
  })

  test.each(['GPL-3.0', 'SSPL-1.0', '(MIT AND GPL-2.0)', undefined])('a dependency under %s is refused', (license) => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    lock.packages['node_modules/hono'].license = license
    const file = join(folder, 'package-lock.json')
    writeFileSync(file, JSON.stringify(lock))
    const { status, stderr } = spawnSync(process.execPath, [licences, '--lock', file], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringContaining('hono 4.')])
  })

  test('of what makes the documentation are read too, and no exception is there in vain', () => {
    const siteLock = JSON.parse(readFileSync(join(root, 'site/package-lock.json'), 'utf8'))
    const rows = JSON.parse(execFileSync(process.execPath, [licences, '--json'], { encoding: 'utf8' })) as {
      readonly name: string
      readonly how: string
    }[]
    const documentation = rows.filter(({ how }) => how === 'documentation').map(({ name }) => name)
    expect(documentation).toEqual(expect.arrayContaining(['vitepress', 'vue', 'typedoc', 'cspell-lib']))
    expect(documentation).toHaveLength(Object.keys(siteLock.packages).length - 1)
    const [, exceptions] = /MAKE_PAGES = \{(.*?)\n\}/s.exec(readFileSync(licences, 'utf8'))!
    for (const [, quoted, bare] of exceptions!.matchAll(/^ {2}(?:'(.+?)'|(\w+)):/gm)) {
      expect(documentation).toContain(quoted ?? bare)
    }
    siteLock.packages['node_modules/vue'].license = 'CC-BY-NC-4.0'
    const file = join(folder, 'site-lock.json')
    writeFileSync(file, JSON.stringify(siteLock))
    const { status, stderr } = spawnSync(process.execPath, [licences, '--site-lock', file], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^licences: vue \S+ ships under 'CC-BY-NC-4\.0'/)])
  })

  test('a choice of which one is allowed will do', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    lock.packages['node_modules/hono'].license = '(GPL-2.0 OR MIT)'
    const file = join(folder, 'package-lock.json')
    writeFileSync(file, JSON.stringify(lock))
    expect(spawnSync(process.execPath, [licences, '--lock', file]).status).toBe(0)
  })

  test('packages that our files import are dependencies, optional peers, or known to stand inside', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const known = [...Object.keys(dependencies), ...Object.keys(peerDependencies), 'uplot', 'vite', 'vitest']
    const found = filesIn(join(root, 'src'), '.ts').flatMap((name) => {
      const text = readFileSync(join(root, 'src', name), 'utf8')
      return [...text.matchAll(/^(?:import|export)[^'"]*? from '([a-z@][^']*)'/gm)].map(([, from]) => from!)
    })
    const packages = found
      .filter((from) => !/^(?:node|cloudflare):/.test(from))
      .map((from) => {
        return from
          .split('/')
          .slice(0, from.startsWith('@') ? 2 : 1)
          .join('/')
      })
    expect(new Set(packages).size).toBeGreaterThan(5)
    expect(packages.filter((one) => !known.includes(one))).toEqual([])
  })
})

describe('a release', () => {
  test('is not published from a machine that cannot prove what it is', () => {
    const env = { ...process.env, ACTIONS_ID_TOKEN_REQUEST_URL: undefined, SIGSTORE_ID_TOKEN: undefined }
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/release.mjs'), '--publish'], {
      encoding: 'utf8',
      env,
    })
    expect([status, stderr]).toEqual([1, expect.stringContaining('prove where it runs')])
  })
})

describe('known vulnerabilities', () => {
  let answer: { readonly status: number; readonly advisories: unknown }
  let registry: Server
  beforeAll(async () => {
    registry = createServer(({ method, url }, response) => {
      const name = decodeURIComponent(url!.slice(1)) // npm asks for the versions of what is told of
      const said = method === 'POST' ? answer.advisories : { name, versions: { '1.0.0': { name, version: '1.0.0' } } }
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })
    await new Promise<void>((done) => registry.listen(0, '127.0.0.1', done))
  })
  afterAll(() => void registry?.close().closeAllConnections())

  async function audit(): Promise<{ readonly code: number; readonly lines: string[] }> {
    const env = {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
      npm_config_cache: join(folder, 'npm-cache'),
      npm_config_fetch_retries: '0',
    }
    const running = promisify(execFile)(process.execPath, [join(root, 'scripts/audit.mjs')], { env })
    type Ended = { readonly stdout: string; readonly code?: number }
    const { code = 0, stdout } = await running.catch((error) => error).then((ended: Ended) => ended)
    return { code, lines: stdout.trim().split('\n') }
  }

  const advisory = (id: number, severity: string) => [
    { id, url: 'https://example.org', title: 'a', severity, vulnerable_versions: '*', cwe: [], cvss: { score: 8 } },
  ]

  test('fail if they are high, in the package or in what makes the documentation', async () => {
    answer = { status: 200, advisories: { yaml: advisory(1, 'low'), vue: advisory(2, 'high') } }
    const { code, lines } = await audit()
    expect(code).toBe(1)
    expect(lines).toContainEqual(expect.stringMatching(/^audit: the documentation \(site\/\): high vue /))
    expect(lines).toContain('audit: the package: 1 known vulnerabilities, 0 critical, 0 high')
  })

  test('that nobody tells are not passed over: the last lines say so of both', async () => {
    answer = { status: 405, advisories: {} }
    const { code, lines } = await audit()
    expect(code).toBe(0)
    expect(lines).toEqual([
      expect.stringMatching(/^audit: NOT AUDITED: the package: .*405/),
      expect.stringMatching(/^audit: NOT AUDITED: the documentation \(site\/\): .*405/),
    ])
  })
})
