/** The opt-in to a sentence model: nothing is asked of anybody before the visitor says so, and then only for the model. */
import type { ChildProcess } from 'node:child_process'
import type { Browser, BrowserContext, Page, Route } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { HUB, MODEL, megabytes, placeOf } from '../demo/meaning/place.ts'
import { launchChromium } from './tools/chromium.ts'
import { type DemoHost, demoHost } from './tools/demoHost.ts'
import { freePort, startServer, stopped } from './tools/demoServer.ts'
import { tinyTextFiles } from './tools/tinyModel.ts'

const TINY = tinyTextFiles()
const BYTES = Object.values(TINY).reduce((sum, { length }) => sum + length, 0)
const PATIENCE = { timeout: 90_000, interval: 100 }

let browser: Browser
let context: BrowserContext
let page: Page
let host: DemoHost | undefined
let server: ChildProcess | undefined
/** Addresses asked for by the page and its workers. */
let requests: string[]
let complaints: string[]

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
})

afterEach(async () => {
  await context.close()
  host?.close()
  if (server !== undefined) await stopped(server)
  host = undefined
  server = undefined
  expect(complaints).toEqual([])
})

/** `hub` answers in the place of the hub, which no test asks itself. */
async function open(address: string, hub?: (route: Route) => unknown): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  requests = []
  complaints = []
  if (hub !== undefined) await context.route(/^https:/, hub)
  context.on('request', (one) => requests.push(one.url()))
  page = await context.newPage()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(address)
}

const text = (id: string) => page.getByTestId(id).textContent()

async function ask(query: string): Promise<void> {
  await page.getByTestId('text').fill(query)
  await page.getByTestId('text').press('Enter')
}

async function choose(choice: { readonly model: string; readonly from: string }): Promise<void> {
  const panel = page.getByTestId('meaning')
  if ((await panel.getAttribute('open')) === null) await panel.locator('summary').click()
  await page.getByTestId('meaning-model').fill(choice.model)
  await page.getByTestId('meaning-from').fill(choice.from)
}

test("a model in a folder of the page's own site: size, then download with a bar, then use, then back", async () => {
  const files = Object.entries(TINY).map(([file, bytes]) => [`models/tiny/${file}`, bytes] as const)
  host = await demoHost('/page/', Object.fromEntries(files))
  await open(host.address)
  await ask('Will it rain in Lisbon tomorrow?')
  await page.locator('#query-1').waitFor()
  const heavy = () => host!.requests.filter((one) => /transformers|\.wasm|^GET models|ort\./.test(one))
  await choose({ model: 'tiny', from: 'models/' })
  expect(heavy()).toEqual([])

  await page.getByTestId('meaning-size').click()
  await expect.poll(() => text('meaning-told'), PATIENCE).toContain(`${megabytes(BYTES)} of model from 127.0.0.1`)
  expect(await text('meaning-told')).toContain('27 MB of runtime')
  expect(host.requests.filter((one) => one.includes('models/'))).toHaveLength(4) // asked for, with HEAD
  expect(heavy()).toEqual([])

  await page.evaluate(() => {
    const bar = document.querySelector<HTMLProgressElement>('[data-testid=meaning-bar]')!
    const seen: number[] = []
    Object.assign(globalThis, { seen })
    new MutationObserver(() => seen.push(bar.value)).observe(bar, { attributes: true })
  })
  await page.getByTestId('meaning-load').click()
  await expect.poll(() => text('meaning-told'), PATIENCE).toMatch(/^In use: tiny from 127\.0\.0\.1:\d+, wasm, 1 thread/)
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: number[] }).seen)
  expect(seen.length).toBeGreaterThan(3)
  expect(Math.max(...seen)).toBeGreaterThanOrEqual(0.9)
  expect(await text('spoken')).toContain('judged again')
  expect(await text('ledger')).toContain('a worker has loaded the model tiny from 127.0.0.1')

  await ask('Will it rain in Lisbon tomorrow?')
  const second = page.locator('#query-2')
  expect(await second.getByTestId('verdict').textContent()).toBe('Suspicious')
  expect(await second.getByTestId('text_similarity').textContent()).toContain('1.000')
  expect(await text('fact-sent')).toBe('0 bytes sent')
  expect(requests.filter((url) => !url.startsWith(host!.address) && !/^(?:data|blob):/.test(url))).toEqual([])

  await page.getByTestId('meaning-back').click()
  await expect.poll(() => text('meaning-told'), PATIENCE).toContain('by their wording again')
  await ask('Will it rain in Lisbon tomorrow?')
  expect(await page.locator('#query-3').getByTestId('verdict').textContent()).toBe('Suspicious')
})

test("the hub is asked once the visitor wants it, and by its own worker only; the server's policy lets nobody else be", async () => {
  const started = await startServer(await freePort())
  server = started.server
  await open(started.address, (route) => {
    const { hostname, pathname } = new URL(route.request().url())
    const body = TINY[pathname.replace(`/${MODEL}/resolve/main/`, '')]
    const headers = { 'access-control-allow-origin': '*' }
    if (hostname !== 'huggingface.co' || body === undefined) return route.fulfill({ status: 404, headers })
    return route.fulfill({ status: 200, headers, body: Buffer.from(body), contentType: 'application/octet-stream' })
  })
  const abroad = () => requests.filter((url) => !url.startsWith(started.address) && !/^(?:data|blob):/.test(url))
  await ask('Will it rain in Lisbon tomorrow?')
  await page.locator('#query-1').waitFor()
  await choose({ model: MODEL, from: HUB })
  expect(await text('meaning-size')).toBe('Ask huggingface.co for its size')
  expect(abroad()).toEqual([])
  await page.getByTestId('meaning-size').click()
  await expect
    .poll(() => text('meaning-load'), PATIENCE)
    .toMatch(/^Download (?:at least )?\d+\.\d MB and compare by meaning$/)
  await page.getByTestId('meaning-load').click()
  await expect.poll(() => text('meaning-told'), PATIENCE).toContain(`In use: ${MODEL} from huggingface.co`)
  await ask('Will it rain in Lisbon tomorrow?')
  expect(await page.locator('#query-2').getByTestId('verdict').textContent()).toBe('Suspicious')
  expect(new Set(abroad().map((url) => new URL(url).href.replace(/main\/.*/, 'main/')))).toEqual(
    new Set([`${HUB}${MODEL}/resolve/main/`]),
  )
  const before = abroad().length
  await choose({ model: MODEL, from: 'https://example.org/' })
  await page.getByTestId('meaning-size').click()
  await expect.poll(() => text('meaning-problem'), PATIENCE).toContain('example.org cannot be reached')
  expect(abroad()).toHaveLength(before)
  complaints = complaints.filter((one) => !/connect-src/.test(one)) // that the policy forbids it is the point
})

test('a download can be stopped, and all stays as it was', async () => {
  const started = await startServer(await freePort())
  server = started.server
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await open(started.address, async (route) => {
    const { pathname } = new URL(route.request().url())
    const body = TINY[pathname.replace(`/${MODEL}/resolve/main/`, '')] ?? new Uint8Array()
    if (pathname.endsWith('.onnx') && route.request().method() === 'GET') await held
    const headers = { 'access-control-allow-origin': '*' }
    await route.fulfill({ status: 200, headers, body: Buffer.from(body) }).catch(() => {}) // nobody may wait for it any more
  })
  await choose({ model: MODEL, from: HUB })
  await page.getByTestId('meaning-size').click()
  await page.getByTestId('meaning-load').click(PATIENCE)
  await page.getByTestId('meaning-bar').waitFor()
  await expect.poll(() => requests.filter((url) => url.endsWith('.onnx')).length, PATIENCE).toBe(2) // its size, then itself
  await page.getByTestId('meaning-stop').click()
  await expect.poll(() => text('meaning-told'), PATIENCE).toBe('Stopped. Texts are compared as before.')
  expect(await page.getByTestId('meaning-bar').isVisible()).toBe(false)
  release()
  await ask('Will it rain in Lisbon tomorrow?')
  expect(await page.locator('#query-1').getByTestId('verdict').textContent()).toBe('Not suspicious')
  expect(await text('ledger')).not.toContain('a worker has loaded the model')
})

test('a model that is not there, and a name that is none, are told in words, and all stays as it was', async () => {
  host = await demoHost('/')
  await open(host.address)
  await choose({ model: 'nothing', from: 'models/' })
  await page.getByTestId('meaning-size').click()
  await expect
    .poll(() => text('meaning-problem'), PATIENCE)
    .toMatch(/models\/nothing\/config\.json is not there \(status 404\)/)
  expect(await page.getByTestId('meaning-load').isVisible()).toBe(false)
  await choose({ model: '../secret', from: 'models/' })
  await page.getByTestId('meaning-size').click()
  await expect.poll(() => text('meaning-problem'), PATIENCE).toContain('the model must be a name such as')
  await ask('Will it rain in Lisbon tomorrow?')
  expect(await page.locator('#query-1').getByTestId('verdict').textContent()).toBe('Not suspicious')
  complaints = complaints.filter((one) => !/404/.test(one)) // the browser's own word on it
})

test('a choice is made out to whom it asks, and for which files', () => {
  const here = 'https://site.example/demo/'
  expect(placeOf({ model: 'a/b', from: 'models' }, here)).toEqual({
    reader: { from: 'transformers', model: 'a/b', dtype: 'q8', backend: 'wasm', localPath: `${here}models/` },
    host: 'site.example',
    files: ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_quantized.onnx'].map(
      (file) => `${here}models/a/b/${file}`,
    ),
  })
  const { reader, files } = placeOf({ model: MODEL, from: HUB }, here)
  expect(reader).toMatchObject({ host: HUB })
  expect(files.at(-1)).toBe(`${HUB}${MODEL}/resolve/main/onnx/model_quantized.onnx`)
  expect(() => placeOf({ model: MODEL, from: 'file:///etc/' }, here)).toThrow('“From” must be an address')
})
