/** The documentation as it is built: it works below any path, asks nobody else, leads nowhere dead, and can be read by all. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, posix, resolve } from 'node:path'
import { promisify } from 'node:util'
import { AxeBuilder } from '@axe-core/playwright'
import { parseHTML } from 'linkedom'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { launchChromium } from './tools/chromium.ts'
import { markdownFiles, wordsOf } from './tools/markdown.ts'

vi.setConfig({ testTimeout: 240_000 })
const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'site/dist')
const BASE = '/below/some/path/'
/** What authors of texts can get wrong. Colours and the frame are the same on all pages, and are looked at on some. */
const RULES_OF_TEXTS = [
  ...['image-alt', 'link-name', 'button-name', 'label', 'frame-title', 'svg-img-alt', 'object-alt'],
  ...[
    'empty-heading',
    'heading-order',
    'empty-table-header',
    'td-headers-attr',
    'th-has-data-cells',
    'list',
    'listitem',
  ],
]
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

let server: Server
let browser: Browser | undefined
let origin: string
const missing: string[] = []
afterAll(() => browser?.close())

const htmlFiles = () =>
  readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.html') && !file.startsWith('demo/'),
  )

/** Fails the test for an error on the page, or a request to anybody else. */
async function openPage(path: string, colorScheme: 'light' | 'dark'): Promise<{ page: Page; wrong: string[] }> {
  const context = await browser!.newContext({ colorScheme, viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('pageerror', ({ message }) => wrong.push(message))
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()))
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(origin)) wrong.push(request.url())
  })
  await page.goto(`${origin}${BASE}${path}`, { waitUntil: 'networkidle' })
  return { page, wrong }
}

describe('the site', () => {
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/docs.mjs')], { cwd: root })
    server = createServer(({ url }, response) => {
      const path = decodeURIComponent(new URL(url!, 'http://localhost').pathname)
      const file = join(dist, path.slice(BASE.length).replace(/\/$|^$/, '/index.html'))
      if (!path.startsWith(BASE) || !existsSync(file)) {
        missing.push(path)
        response.writeHead(404).end()
        return
      }
      response
        .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
        .end(readFileSync(file))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser ??= await launchChromium()
  }, 600_000)
  afterAll(() => void server?.close().closeAllConnections())

  describe('the pages', () => {
    test('have links to pages, files and headings that there are', () => {
      const ids = new Map<string, Set<string>>()
      const links: { readonly from: string; readonly href: string }[] = []
      for (const file of htmlFiles()) {
        const { document } = parseHTML(readFileSync(join(dist, file), 'utf8'))
        ids.set(file, new Set([...document.querySelectorAll('[id]')].map(({ id }) => id)))
        if (file === '404.html') continue // shown at any depth
        const places = [...document.querySelectorAll('[href], [src]')]
        for (const place of places) {
          const href = place.getAttribute('href') ?? place.getAttribute('src')!
          if (!/^(?:https?|data|mailto):/.test(href)) links.push({ from: file, href })
        }
      }
      const dead = links.filter(({ from, href }) => {
        const [path, anchor] = decodeURIComponent(href).split('#')
        const target =
          path === '' ? from : posix.join(posix.dirname(from), path!).replace(/(^|\/)\.?\/?$/, '$1index.html')
        if (href.startsWith('/') || !existsSync(join(dist, target))) return true
        return anchor !== undefined && anchor !== '' && ids.has(target) && !ids.get(target)!.has(anchor)
      })
      expect(links.length).toBeGreaterThan(1000)
      expect([...new Set(dead.map(({ from, href }) => `${from}: ${href}`))]).toEqual([])
    })

    test('know no path of their own', () => {
      const texts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\.(?:html|js|css)$/.test(file),
      )
      expect(texts.length).toBeGreaterThan(100)
      expect(texts.filter((file) => readFileSync(join(dist, file), 'utf8').includes('/any-base-path/'))).toEqual([])
    })

    test('load nothing from elsewhere', () => {
      for (const file of htmlFiles()) {
        const { document } = parseHTML(readFileSync(join(dist, file), 'utf8'))
        const loaded = [...document.querySelectorAll('script[src], link[href], img[src], iframe[src]')]
        const addresses = loaded.map((element) => element.getAttribute('src') ?? element.getAttribute('href')!)
        expect(
          addresses.filter((address) => /^(?:https?:)?\/\//.test(address)),
          file,
        ).toEqual([])
      }
    })
  })

  describe('in a browser', () => {
    test('below some path, pages lead to each other and the search finds them', async () => {
      const { page, wrong } = await openPage('bench/results/server.html', 'light')
      await page.locator('.VPSidebar a', { hasText: /^The monitoring server$/ }).click()
      await page.waitForURL(`${origin}${BASE}server.html`)
      await page.locator('h1', { hasText: /^The monitoring server/ }).waitFor()
      // The page listens for the keys once it is alive, and the box comes after a download.
      const box = page.locator('.VPLocalSearchBox input')
      await expect
        .poll(
          async () => {
            if (!(await box.isVisible())) await page.keyboard.press('Control+k')
            return await box.isVisible()
          },
          { timeout: 30_000, interval: 1000 },
        )
        .toBe(true)
      await box.fill('metrics of the server')
      await page.locator('.VPLocalSearchBox .result').first().click()
      await page.waitForURL((url) => url.pathname.startsWith(BASE) && url.hash !== '')
      expect([wrong, missing]).toEqual([[], []])
      await page.context().close()
    })

    test('the demo runs in its page, and again once there is no network', async () => {
      const { page, wrong } = await openPage('demo.html', 'light')
      await page.locator('iframe').scrollIntoViewIfNeeded()
      const frame = (await (await page.locator('iframe').elementHandle())!.contentFrame())!
      const comesToVerdict = async () => {
        await frame.goto(`${origin}${BASE}demo/index.html?speed=4`)
        await frame.locator('[data-testid=story][data-state=caught]').waitFor({ timeout: 120_000 })
      }
      await comesToVerdict()
      await page.screenshot({ path: join(root, 'reports/docs-demo-light.png') })
      await frame.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
      await expect.poll(() => frame.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true)
      await page.context().setOffline(true)
      await comesToVerdict()
      expect(wrong).toEqual([])
      await page.context().close()
    })

    test('axe finds nothing to complain of in what any page of docs says', async () => {
      const context = await browser!.newContext()
      const page = await context.newPage()
      const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))
      const found: string[] = []
      for (const file of pages) {
        await page.goto(`${origin}${BASE}${file.replace('.md', '.html')}`, { waitUntil: 'domcontentloaded' })
        const said = new AxeBuilder({ page: page as never }).include('.vp-doc').withRules(RULES_OF_TEXTS)
        const { violations } = await said.setLegacyMode().analyze()
        found.push(...violations.map(({ id, nodes }) => `${file} ${id}: ${nodes.map(({ html }) => html).join(' | ')}`))
      }
      expect(pages.length).toBeGreaterThan(20)
      expect(found).toEqual([])
      await context.close()
    })

    test.each([
      ['', 'light'],
      ['choose.html', 'dark'],
      ['start-node.html', 'light'],
      ['start-node.html', 'dark'],
      ['api/worker.html', 'light'],
    ] as const)("axe finds nothing to complain of ('%s', %s)", async (path, scheme) => {
      const { page, wrong } = await openPage(path, scheme)
      const name = path.replace('.html', '').replace('/', '-') || 'home'
      await page.screenshot({ path: join(root, `reports/docs-${name}-${scheme}.png`) })
      const { violations } = await new AxeBuilder({ page: page as never }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([])
      expect(wrong).toEqual([])
      await page.context().close()
    })
  })
})

describe('the README, as hosts of repositories show it', () => {
  const SCREEN = { width: 1000, height: 1080 }
  let page: Page
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/docs.mjs'), '--install'], { cwd: root })
    browser ??= await launchChromium()
    page = await (await browser.newContext({ viewport: SCREEN })).newPage()
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'site/readmePage.mjs')])
    await page.route('**/*', (route) => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/') return route.fulfill({ body: stdout, contentType: 'text/html' })
      return route.fulfill(existsSync(join(root, pathname)) ? { path: join(root, pathname) } : { status: 404 })
    })
  }, 600_000)
  afterAll(() => page?.context().close())

  test.each(['light', 'dark'] as const)(
    'fits on two screens, shows its picture, and can be read by all (%s)',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme })
      await page.goto('http://readme.example/', { waitUntil: 'networkidle' })
      await page.screenshot({ path: join(root, `reports/readme-${colorScheme}.png`), fullPage: true })
      const { height, pictures } = await page.evaluate(() => {
        const widths = [...document.images].map(({ naturalWidth }) => naturalWidth)
        return { height: document.documentElement.scrollHeight, pictures: widths }
      })
      expect(height).toBeLessThanOrEqual(2 * SCREEN.height)
      expect(pictures).toEqual([1280])
      // Whether links are underlined is up to the host, and to its readers.
      const { violations } = await new AxeBuilder({ page: page as never }).disableRules('link-in-text-block').analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([])
    },
  )
})

describe('the spelling', () => {
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/docs.mjs'), '--install'], { cwd: root })
  }, 600_000)

  const misspelt = async (
    texts: Readonly<Record<string, string>>,
  ): Promise<{ file: string; line: number; word: string }[]> => {
    const checking = promisify(execFile)(process.execPath, [join(root, 'site/spelling.mjs')])
    checking.child.stdin!.end(JSON.stringify(texts))
    return JSON.parse((await checking).stdout)
  }

  test('is right, or the word is one of site/words.txt', async () => {
    const files = markdownFiles(root).filter((file) => !file.startsWith('bench/results/'))
    const texts = files.map((file) => [file, wordsOf(readFileSync(join(root, file), 'utf8'))])
    const notebooks = readdirSync(join(root, 'notebooks')).filter((file) => file.endsWith('.ipynb'))
    const cells = notebooks.map((file) => {
      const notebook = JSON.parse(readFileSync(join(root, 'notebooks', file), 'utf8'))
      const prose = notebook.cells.filter(({ cell_type }: { cell_type: string }) => cell_type === 'markdown')
      return [file, prose.map(({ source }: { source: string[] }) => wordsOf(source.join(''))).join('\n')]
    })
    const all = Object.fromEntries([...texts, ...cells, ['a mistake', 'Every mistaek is found.']])
    const found = await misspelt(all)
    expect(found.map(({ file, line, word }) => `${file}:${line} ${word}`)).toEqual(['a mistake:1 mistaek'])
  })
})
