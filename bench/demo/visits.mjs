/** First visits to the built page in a real browser: what they load, when what is shown, and what holds the page up. */
import { createReadStream, existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { launchChromium } from '../chromium.mjs'

const FOLDER = fileURLToPath(new URL('../../dist/demo', import.meta.url))
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

/** So many visits, each in a new browser context, until the verdict. */
export async function visit(count) {
  if (!existsSync(join(FOLDER, 'index.html'))) throw new Error('dist/demo is missing: run npm run build:demo first')
  const server = await serve()
  const address = `http://127.0.0.1:${server.address().port}/`
  const browser = await launchChromium()
  const found = []
  for (let n = 0; n < count; n++) found.push(await visitOnce(browser, address))
  await browser.close()
  server.close()
  return found
}

async function visitOnce(browser, address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  const loaded = new Set()
  context.on('request', (request) => loaded.add(request.url()))
  await page.addInitScript(watchTasks)
  await page.goto(address)
  await page.waitForFunction(() => document.querySelector('.lane-count')?.textContent !== 'no query yet')
  const firstQueryMs = await page.evaluate(() => performance.now())
  await page.waitForFunction(() => document.querySelector('attack-story').dataset.state === 'caught', undefined, {
    timeout: 120_000,
  })
  const verdictMs = await page.evaluate(() => performance.now())
  const before = [...loaded].filter((url) => !url.endsWith('/sw.js'))
  const measured = await page.evaluate(() => ({
    paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    tasks: globalThis.longTasks,
    frames: globalThis.longFrames,
  }))
  await context.close()
  return { ...measured, firstQueryMs, verdictMs, files: before.map((url) => new URL(url).pathname.slice(1)) }
}

/** In the page: long tasks, and the scripts of long frames, which alone tell what ran. */
function watchTasks() {
  globalThis.longTasks = []
  globalThis.longFrames = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) globalThis.longTasks.push({ startTime, duration })
  }).observe({ type: 'longtask', buffered: true })
  new PerformanceObserver((list) => {
    for (const { startTime, duration, scripts } of list.getEntries()) {
      const ran = scripts.map((script) => ({
        invoker: script.invoker.replace(/^https?:\/\/[^/]+\//, ''),
        file: script.sourceURL.split('/').at(-1),
        startTime: script.startTime,
        duration: script.duration,
      }))
      globalThis.longFrames.push({ startTime, duration, scripts: ran })
    }
  }).observe({ type: 'long-animation-frame', buffered: true })
}

async function serve() {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname)
    const file = join(FOLDER, path.endsWith('/') ? `${path}index.html` : path)
    if (!file.startsWith(FOLDER) || !existsSync(file)) return response.writeHead(404).end()
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Every file that was loaded, with its sizes and the detectors whose code is in it. */
export async function filesOf(found, detectors) {
  const names = [...new Set(found.flatMap(({ files }) => files.map((file) => file || 'index.html')))].sort()
  return Promise.all(
    names.map(async (file) => {
      const bytes = await readFile(join(FOLDER, file))
      const held = detectors.filter(({ summary }) => bytes.includes(summary)).length
      return { file: bare(file), bytes: bytes.length, packed: gzipSync(bytes).length, held }
    }),
  )
}

/** The name without the hash. */
export function bare(file) {
  return file.replace(/-[\w-]{8}(?=\.)/, '')
}
