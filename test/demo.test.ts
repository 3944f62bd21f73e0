/** The built page in a real browser, used as a visitor would. */
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, JSHandle, Locator, Page, Request } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fromBytes } from '../src/core/index.ts'
import { launchChromium } from './tools/chromium.ts'
import { freePort, startServer, stopped } from './tools/demoServer.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** For what a worker or a device answers on a busy machine. */
const PATIENCE = { timeout: 20_000 }
const SENTENCE = 'How tall is the lighthouse of Cape Town?'

let server: ChildProcess
let address: string
/** The address of the monitoring server that stands beside the page. */
let monitoring: Promise<string>
let browser: Browser
let context: BrowserContext
let page: Page
let requests: Request[]
/** What the console complained of and what could not be loaded. */
let complaints: string[]

beforeAll(async () => {
  ;({ server, address, monitoring } = await startServer(await freePort()))
  browser = await launchChromium({ camera: true })
})

afterAll(async () => {
  await browser?.close()
  await stopped(server)
})

beforeEach(async () => {
  context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 } })
  page = await context.newPage()
  complaints = []
  requests = []
  page.on('request', (one) => requests.push(one))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (failed) => complaints.push(`failed: ${failed.url()}`))
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`)
  })
  await page.goto(address)
})

afterEach(async () => {
  await context.close()
  expect(complaints).toEqual([])
})

test('the page loads files of its own and nothing else, is isolated, and no request carries anything', async () => {
  await ask(SENTENCE)
  await card(1)
  const carrying = requests.filter((one) => {
    const { href, search } = new URL(one.url())
    return one.method() !== 'GET' || one.postData() !== null || search !== '' || !href.startsWith(address)
  })
  expect(carrying.map((one) => one.url())).toEqual([])
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  expect(await textOf(page.getByTestId('facts'))).toMatch(
    /In a Web Worker.*1 query.*median \d+\.\d ms per query.*0 bytes sent.*0 worker restarts/s,
  )
})

test('npm start serves the monitoring server too, with its cockpit', async () => {
  const origin = await monitoring
  const answer = await fetch(`${origin}detect`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input_data: 'x', model_output: [0.5, 0.5] }),
  })
  expect(await answer.json()).toMatchObject({ is_suspicious: false })
  expect(await (await fetch(origin)).text()).toContain('<html')
})

test('the browser itself keeps the page from sending', async () => {
  await page.evaluate(() => fetch('/index.html', { method: 'POST', body: 'x' }).catch(() => {}))
  expect(complaints.filter((text) => text.includes('connect-src'))).not.toHaveLength(0)
  complaints = []
})

test('the same sentence twice flags the second and points at the first', async () => {
  await ask(SENTENCE)
  expect(await verdictOf(1)).toBe('Not suspicious')
  await ask(SENTENCE.toUpperCase())
  expect(await verdictOf(2)).toBe('Suspicious')
  const second = await card(2)
  expect(await textOf(second.getByTestId('text_repetition'))).toMatch(
    /2 · threshold 2.*Query repeated 2 times\..*Last: #1\./s,
  )
  expect(await textOf(second.getByTestId('text_similarity'))).toContain('1.000 · threshold 0.90')
  expect(await second.getByTestId('earlier').getAttribute('href')).toBe('#query-1')
  await expect.poll(() => textOf(page.getByTestId('spoken'))).toContain('#2 Suspicious')
})

test('what is typed lights up before it is sent, and counts for nothing', async () => {
  await ask(SENTENCE)
  await card(1)
  const draft = page.getByTestId('draft-text')
  await page.getByTestId('text').press('End')
  await page.getByTestId('text').press('Backspace')
  await expect.poll(() => draft.getAttribute('data-tone'), PATIENCE).toBe('alarm')
  expect(await textOf(draft)).toMatch(/same text as #1, likeness (?:0\.9\d\d|1\.000), threshold 0\.90\. Sent now/)
  expect(await textOf(page.getByTestId('draft-said'))).toMatch(/same text as #1\./)
  expect(await (await card(1)).getAttribute('data-lit')).toBe('')
  await page.getByTestId('text').fill('Which cheese melts best on a pizza?')
  await expect.poll(() => draft.getAttribute('data-tone'), PATIENCE).toBe('calm')
  expect(await (await card(1)).getAttribute('data-lit')).toBeNull()
  expect(await page.getByTestId('card').count()).toBe(1)
  expect(await textOf(page.getByTestId('fact-queries'))).toBe('1 query')
  await page.getByTestId('text').press('Enter')
  expect(await verdictOf(2)).toBe('Not suspicious') // neither draft was learned
  expect(await draft.isVisible()).toBe(false)
})

test('a slider of the row lights up while it is moved', async () => {
  await page.getByTestId('tab-tabular').click()
  await page.getByTestId('row-0').click()
  await card(1)
  const draft = page.getByTestId('draft-tabular')
  await page.getByTestId('slide-age').focus()
  await page.keyboard.press('ArrowRight')
  await expect.poll(() => textOf(draft), PATIENCE).toMatch(/^Almost the same row as #1, likeness 0\.9\d\d/)
  expect(await page.locator('input[name="age"]').inputValue()).toBe('42')
  for (const [name, end] of [
    ['age', 'End'],
    ['income', 'Home'],
    ['hours', 'End'],
  ]) {
    await page.getByTestId(`slide-${name}`).press(end!)
  }
  await expect.poll(() => draft.getAttribute('data-tone'), PATIENCE).toBe('calm')
  expect(await page.getByTestId('card').count()).toBe(1)
  await page.getByTestId('send-row').click()
  expect(await verdictOf(2)).toBe('Not suspicious')
})

test('what a visitor types stays text', async () => {
  await ask('<img src=x onerror="document.title=1"><b>bold</b>')
  expect(await textOf((await card(1)).locator('q.excerpt'))).toContain('<b>bold</b>')
})

test('a sentence with typing errors is flagged by likeness alone, another sentence is not', async () => {
  for (const i of [0, 1, 3]) await page.getByTestId(`sentence-${i}`).click()
  expect(await verdictOf(2)).toBe('Suspicious')
  expect(await textOf((await card(2)).getByTestId('text_repetition'))).toContain('1 · threshold 2')
  expect(await verdictOf(3)).toBe('Not suspicious')
})

test('a dropped picture and then its blurred, noisy and brighter copies: the copies are flagged', async () => {
  await drop(await samplePicture(), 'picture.png', 'image/png')
  expect(await verdictOf(1)).toBe('Not suspicious')
  for (const i of [0, 1, 2]) await page.getByTestId(`change-${i}`).click()
  for (const number of [2, 3, 4]) expect(await verdictOf(number)).toBe('Suspicious')
  expect(await textOf((await card(2)).getByTestId('earlier'))).toContain('#1')
  await mkdir(`${ROOT}/reports`, { recursive: true })
  await page.screenshot({ path: `${ROOT}/reports/demo.png`, fullPage: true })
})

test('a picture can be pasted, whichever tab is open', async () => {
  const transfer = await fileTransfer(await samplePicture(), 'pasted.png', 'image/png')
  await page.evaluate((data) => {
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  }, transfer)
  expect(await verdictOf(1)).toBe('Not suspicious')
  expect(await page.getByTestId('tab-image').getAttribute('aria-selected')).toBe('true')
})

test('pictures of the camera are queries, and one nearly as before is flagged; then it is closed', async () => {
  await context.grantPermissions(['camera'])
  await page.getByTestId('tab-image').click()
  await page.getByTestId('camera-open').click()
  await expect.poll(() => textOf(page.getByTestId('camera-told')), PATIENCE).toContain('ask again')
  await page.getByTestId('camera-ask').click()
  expect(await verdictOf(1)).toBe('Not suspicious')
  let asked = 1
  const next = async () => {
    await page.getByTestId('camera-ask').click()
    return verdictOf(++asked)
  }
  await expect.poll(next, PATIENCE).toBe('Suspicious') // the disc is eaten within a second, and then there again
  await page.getByTestId('tab-text').click()
  const isOn = () => page.getByTestId('camera-view').evaluate((view) => (view as HTMLVideoElement).srcObject !== null)
  await expect.poll(isOn, PATIENCE).toBe(false)
})

test('a camera that may not be used is no error of the page, and it says what to do', async () => {
  await context.clearPermissions()
  await page.evaluate(() => {
    const denied = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
    Object.defineProperty(navigator.mediaDevices, 'getUserMedia', { value: denied })
  })
  await page.getByTestId('tab-image').click()
  await page.getByTestId('camera-open').click()
  await expect
    .poll(() => textOf(page.getByTestId('camera-told')))
    .toMatch(/^No camera: this page may not use it; allow it/)
})

test('the sample pictures and rows are told apart', async () => {
  await page.getByTestId('tab-image').click()
  for (const i of [0, 1, 2]) await page.getByTestId(`picture-${i}`).click()
  await card(3)
  await page.getByTestId('tab-tabular').click()
  for (const i of [0, 1, 2]) await page.getByTestId(`row-${i}`).click()
  for (const number of [1, 2, 3, 4, 5, 6]) expect(await verdictOf(number)).toBe('Not suspicious')
})

test('a row with one number nudged is flagged', async () => {
  await page.getByTestId('tab-tabular').click()
  await page.getByTestId('row-0').click()
  await page.getByTestId('nudge').click()
  expect(await verdictOf(2)).toBe('Suspicious')
  expect(await textOf((await card(2)).getByTestId('earlier'))).toContain('#1')
})

test('a text file on the picture zone is an error with code, path and message, and teaches the detectors nothing', async () => {
  await drop(Buffer.from('not a picture'), 'notes.txt', 'text/plain')
  expect(await verdictOf(1)).toBe('Could not be judged')
  const errors = await (await card(1)).getByTestId('error').allInnerTexts()
  expect(errors).toHaveLength(2)
  expect(errors[0]).toMatch(/bad_query.*image_similarity\.input.*PNG/s)
  await page.getByTestId('picture-0').click()
  expect(await textOf((await card(2)).getByTestId('why'))).toContain('The first picture')
})

test('after the worker was killed the next query still remembers', async () => {
  await ask(SENTENCE)
  await card(1)
  await page.getByTestId('hood').locator('summary').click()
  await page.getByTestId('crash').click()
  await expect.poll(() => textOf(page.getByTestId('crash-result'))).toContain('remembers 1 query.')
  await ask(SENTENCE)
  expect(await verdictOf(2)).toBe('Suspicious')
  expect(await textOf(page.getByTestId('fact-restarts'))).toBe('1 worker restart')
  expect(await textOf(page.getByTestId('fact-sent'))).toBe('0 bytes sent')
})

test('a downloaded state, loaded after a reset, goes on', async () => {
  await ask(SENTENCE)
  await card(1)
  await page.getByTestId('hood').locator('summary').click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('save').click()])
  expect(download.suggestedFilename()).toBe('monitaur-state.bin')
  const bytes = await readFile(await download.path())
  expect(fromBytes(new Uint8Array(bytes)).detector).toBe('monitor')

  await page.getByTestId('reset').click()
  await expect.poll(() => page.getByTestId('card').count()).toBe(0)
  await page
    .getByTestId('load')
    .setInputFiles({ name: 'state.bin', mimeType: 'application/octet-stream', buffer: bytes })
  await expect.poll(() => textOf(page.getByTestId('spoken'))).toContain('1 query remembered')
  await ask(SENTENCE)
  expect(await verdictOf(1)).toBe('Suspicious')
  expect(await textOf((await card(1)).getByTestId('earlier'))).toBe('query 1 of the loaded memory')
})

test('a damaged state file is refused with its reason and the memory stays', async () => {
  await ask(SENTENCE)
  await card(1)
  await page.getByTestId('load').setInputFiles({ name: 'x.bin', mimeType: '', buffer: Buffer.from('no snapshot') })
  await expect.poll(() => textOf(page.getByTestId('notice'))).toContain('bad_snapshot')
  await ask(SENTENCE)
  expect(await verdictOf(2)).toBe('Suspicious')
})

test('a slider judges the queries so far again, there and back', async () => {
  for (const i of [0, 1]) await page.getByTestId(`sentence-${i}`).click()
  expect(await verdictOf(2)).toBe('Suspicious')
  await setSlider('text', '0.99')
  await expect.poll(() => verdictOf(2)).toBe('Not suspicious')
  expect(await textOf(page.getByTestId('spoken'))).toContain('judged again: 0 suspicious, 1 before')
  await setSlider('text', '0.9')
  await expect.poll(() => verdictOf(2)).toBe('Suspicious')
})

test('the chart is walked with the arrow keys and says the numbers', async () => {
  for (const i of [0, 1, 3]) await page.getByTestId(`sentence-${i}`).click()
  await card(3)
  const chart = page.getByTestId('chart')
  await chart.focus()
  await page.keyboard.press('ArrowLeft')
  expect(await chart.getAttribute('aria-valuenow')).toBe('2')
  expect(await textOf(page.getByTestId('readout'))).toMatch(
    /#2 text: suspicious · text_similarity 0\.9\d\d, threshold 0\.90/,
  )
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('query-2')
})

test('“Show me” asks eleven queries of all three kinds and flags five of them', async () => {
  await page.getByTestId('tour').click()
  await card(11)
  const verdicts = await page.getByTestId('verdict').allInnerTexts()
  expect(verdicts.filter((verdict) => verdict.trim() === 'Suspicious')).toHaveLength(5)
})

test.each([360, 1600])('nothing sticks out at a width of %i pixels', async (width) => {
  await page.setViewportSize({ width, height: 900 })
  await ask(`${'unbreakable'.repeat(20)} ${SENTENCE}`)
  await drop(await samplePicture(), 'picture.png', 'image/png')
  await card(2)
  const { inner, content } = await page.evaluate(() => {
    return { inner: document.documentElement.clientWidth, content: document.documentElement.scrollWidth }
  })
  expect(content).toBeLessThanOrEqual(inner)
})

test('the server sends types and isolation, keeps inside its folder and takes the next port if one is taken', async () => {
  await ask(SENTENCE)
  await card(1)
  const { headers } = await get('/')
  expect(headers['content-type']).toMatch(/^text\/html/)
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers['cross-origin-opener-policy']).toBe('same-origin')
  expect(headers['cross-origin-embedder-policy']).toBe('require-corp')
  expect(headers['content-security-policy']).toContain("connect-src 'none'")
  const worker = requests.map((one) => new URL(one.url()).pathname).find((path) => path.includes('monitor.worker'))!
  const connects = async (path: string) =>
    /connect-src ([^;]+)/.exec(String((await get(path)).headers['content-security-policy']))![1]
  expect(await connects(worker)).toBe("'self'")
  expect(await connects(`${worker}?model`)).toBe(
    "'self' https://huggingface.co https://*.huggingface.co https://*.hf.co",
  )
  for (const path of ['/?model', '/index.html?model', '/icon.svg?model']) expect(await connects(path)).toBe("'none'")
  for (const path of ['/../package.json', '/..%2f..%2fpackage.json', '/%2e%2e/%2e%2e/package.json', '/nothing']) {
    const { status, body } = await get(path)
    expect(`${path} ${status}`).toMatch(/ 40[034]$/)
    expect(body).not.toContain('devDependencies')
  }
  const second = await startServer(Number(new URL(address).port))
  expect(second.address).not.toBe(address)
  expect(await stopped(second.server)).toBe(0)
})

async function ask(text: string): Promise<void> {
  await page.getByTestId('tab-text').click()
  await page.getByTestId('text').fill(text)
  await page.getByTestId('text').press('Enter')
}

async function card(number: number): Promise<Locator> {
  const found = page.locator(`#query-${number}`)
  await found.waitFor()
  return found
}

async function verdictOf(number: number): Promise<string> {
  return textOf((await card(number)).getByTestId('verdict'))
}

async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? ''
}

async function drop(bytes: Buffer, name: string, type: string): Promise<void> {
  const transfer = await fileTransfer(bytes, name, type)
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.locator('body').dispatchEvent(event, { dataTransfer: transfer })
  }
}

function fileTransfer(bytes: Buffer, name: string, type: string): Promise<JSHandle<DataTransfer>> {
  return page.evaluateHandle(
    ({ base64, name, type }) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const made = new DataTransfer()
      made.items.add(new File([bytes], name, { type }))
      return made
    },
    { base64: bytes.toString('base64'), name, type },
  )
}

/** A picture that the visitor brings along: here one of the page's own canvases, saved as PNG. */
async function samplePicture(): Promise<Buffer> {
  const url = await page.evaluate(() => document.querySelector<HTMLCanvasElement>('#pictures canvas')!.toDataURL())
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

async function setSlider(name: string, value: string): Promise<void> {
  await page.getByTestId(`slider-${name}`).fill(value)
}

/** A path as it is: `fetch` would tidy the dots away. */
function get(path: string): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    call.once('error', reject)
    call.end()
  })
}
