/** The story of the demo page in a real browser: it runs by itself, nothing leaves the page, and everybody can use it. */
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { StoryEvent } from '../demo/story/events.ts'
import { getDetector } from '../src/index.ts'
import { launchChromium } from './tools/chromium.ts'
import { demoHost } from './tools/demoHost.ts'
import { freePort, startServer, stopped } from './tools/demoServer.ts'
import { withWords, wordsIn } from './tools/picture.ts'

const REPORTS = fileURLToPath(new URL('../reports', import.meta.url))
const PICTURE = fileURLToPath(new URL('../docs/demo.png', import.meta.url))
const RENEW =
  "docs/demo.png is not as the page is: MONITAUR_PICTURE=write npx vitest run test/demoStoryPage.test.ts -t 'by itself'"
/** A run at this speed is over within some seconds of an idle machine. */
const FAST = '?speed=4'
const PATIENCE = { timeout: 120_000, interval: 100 }

let server: ChildProcess
let address: string
/** Where the page of this test came from. */
let origin: string
let browser: Browser
let context: BrowserContext | undefined
let page: Page
/** Addresses asked for by the page, its workers and its service worker. */
let requests: string[]
let complaints: string[]

beforeAll(async () => {
  ;({ server, address } = await startServer(await freePort()))
  browser = await launchChromium({ webgpu: true })
  await mkdir(REPORTS, { recursive: true })
})

afterAll(async () => {
  await browser?.close()
  await stopped(server)
})

afterEach(async () => {
  await context?.close()
  context = undefined
  expect(complaints).toEqual([])
  expect(requests.filter((url) => !url.startsWith(origin) && !/^(?:data|blob):/.test(url))).toEqual([])
})

/** `before` runs in the page ahead of its own scripts. */
async function open(
  search = FAST,
  options: BrowserContextOptions = {},
  at = address,
  before = () => {},
): Promise<void> {
  origin = at
  context = await browser.newContext({ viewport: { width: 1280, height: 960 }, ...options })
  requests = []
  complaints = []
  context.on('request', (one) => requests.push(one.url()))
  page = await context.newPage()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.addInitScript(before)
  await page.goto(at + search)
}

function storyState(): Promise<string | undefined> {
  return page.getByTestId('story').evaluate((story) => (story as HTMLElement).dataset['state'])
}

async function ended(): Promise<void> {
  await expect
    .poll(() => page.getByTestId('story').evaluate((story) => 'ended' in (story as HTMLElement).dataset), PATIENCE)
    .toBe(true)
}

function laneStates(): Promise<(string | undefined)[]> {
  return page.locator('user-lane').evaluateAll((lanes) => lanes.map((lane) => (lane as HTMLElement).dataset['state']))
}

async function verdict(): Promise<string> {
  return (await page.getByTestId('story-verdict').textContent()) ?? ''
}

test('the story comes to its verdict by itself: the attacker is flagged, the others are not', async () => {
  await open()
  await expect.poll(storyState, PATIENCE).toBe('caught')
  expect(await verdict()).toMatch(
    /It is user C\..*It tried small changes around a picture, then took a step, 4 times\..*less sure of “4”.*a correlation of −0\.79.*Suspended at query 73:/s,
  )
  await ended()
  expect(await laneStates()).toEqual(['calm', 'calm', 'caught', 'calm'])
  expect(await verdict()).toMatch(/Without protection this attack would have fooled the model at query \d+/)
  expect(await page.locator('.pair figure').count()).toBe(2)
  const labels = await page.locator('.pair strong').allTextContents()
  expect(new Set(labels).size).toBe(2)
  expect(await page.getByTestId('badge-sent').textContent()).toBe('0')
  expect(await page.getByTestId('badge-ms').textContent()).toMatch(/^\d+\.\d\d ms$/)
  const picture = await page.screenshot({ path: `${REPORTS}/demo-story-light.png` })
  await writeFile(`${REPORTS}/demo-requests.txt`, `${requests.join('\n')}\n`)
  await checkPicture(picture)
})

/** That of the README is made here, with `MONITAUR_PICTURE=write`, and must not grow old. */
async function checkPicture(picture: Buffer): Promise<void> {
  const parts = page.locator('header.top, .story-head, .map-panel, .lanes-panel, .verdict-panel, .story-controls')
  const words = (await parts.allInnerTexts()).join('\n').replace(/\d+ more refused/, 'more refused') // how many is a matter of time
  if (process.env['MONITAUR_PICTURE'] === 'write') await writeFile(PICTURE, withWords(picture, words))
  const kept = await readFile(PICTURE)
  expect(wordsIn(kept), RENEW).toBe(words)
  expect([kept.readUInt32BE(16), kept.readUInt32BE(20)], RENEW).toEqual(Object.values(page.viewportSize()!))
  const likeness = getDetector('image_similarity', { threshold: 0.97 })
  await likeness.process({ input: kept })
  expect(await likeness.process({ input: picture }), RENEW).toMatchObject({ suspicious: true })
}

test('with protection off the same run succeeds at the query that was foretold', async () => {
  await open()
  await ended()
  const foretold = /would have fooled the model at query (\d+)/.exec(await verdict())![1]
  await page.getByTestId('protection').focus()
  await page.keyboard.press('Space')
  expect(await page.getByTestId('protection').getAttribute('aria-checked')).toBe('false')
  expect(new URL(page.url()).search).toContain('protection=off')
  await expect.poll(storyState, PATIENCE).toBe('broken')
  expect(await verdict()).toContain(`User C has fooled the model at query ${foretold}.`)
  await page.screenshot({ path: `${REPORTS}/demo-story-unprotected.png` })
})

test('an explain tool is not flagged; the honest miss is not caught, and the page says so', async () => {
  await open()
  await page.getByTestId('cast-explainer').click()
  await expect.poll(verdict, PATIENCE).toMatch(/Not flagged: all 400 queries of an explain tool passed/)
  expect(await laneStates()).toEqual(['calm'])
  await page.getByTestId('cast-miss').click()
  await expect.poll(storyState, PATIENCE).toBe('broken')
  await expect.poll(verdict, PATIENCE).toMatch(/Nobody noticed\. This attacker asks in turn from four accounts/)
  expect(await laneStates()).not.toContain('caught')
})

test('where an honest user is taken for an attacker too, the page calls it a false alarm', async () => {
  await open(FAST, {}, address, accuse)
  await ended()
  expect(await verdict()).toMatch(/It is user C\..*False alarm: user A is honest/s)
  expect((await laneStates()).filter((state) => state === 'caught')).toHaveLength(2)
  const does = await page.locator('.lane[data-state="caught"] .lane-does').allTextContents()
  expect(does.map((text) => text.split(':')[0])).toEqual(['Honest', 'Attacker'])
})

/** Adds an alarm for user A on its way from the worker: in none of the seeds that were tried is an honest user flagged. */
function accuse(): void {
  globalThis.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given)
      this.addEventListener('message', ({ data: { kind, events } }) => {
        if (kind !== 'events') return
        const at = events.findIndex(
          (event: StoryEvent) => event.kind === 'query' && event.lane === 0 && event.number === 9,
        )
        const following = { test: 'bisection', halvings: 9, towards: 9 }
        if (at >= 0) events.splice(at + 1, 0, { kind: 'caught', lane: 0, number: 9, reason: '', following })
      })
    }
  }
}

test('the runtimes give the same labels: onnxruntime WASM, then WebGPU', async () => {
  await open()
  for (const [backend, title] of [
    ['wasm', 'onnxruntime WASM'],
    ['webgpu', 'onnxruntime WebGPU'],
  ] as const) {
    await page.getByTestId('story-backend').selectOption(backend)
    await expect.poll(() => page.getByTestId('badge-backend').textContent(), PATIENCE).toContain(title)
    expect(await page.getByTestId('story-told').textContent()).toMatch(/on 100 digits: 100 labels equal/)
  }
})

test('a worker that is killed in the middle is replaced, and the story goes on to the same verdict', async () => {
  await open('')
  await expect.poll(() => page.locator('.lane-count').first().textContent(), PATIENCE).toMatch(/^\d+ queries/)
  expect(await storyState()).toBe('running')
  await page.getByTestId('story-crash').click()
  expect(await page.getByTestId('story-told').textContent()).toContain('another one plays the same run on')
  await page.getByTestId('story-speed').selectOption('4')
  await expect.poll(storyState, PATIENCE).toBe('caught')
  expect(await verdict()).toContain('Suspended at query 73:')
})

test('with reduced motion it is a storyboard that the keyboard leafs through', async () => {
  await open('', { reducedMotion: 'reduce' })
  const step = page.getByTestId('story-step')
  await expect.poll(() => step.isEnabled(), PATIENCE).toBe(true)
  expect(await page.getByTestId('story-play').isVisible()).toBe(false)
  expect(await page.locator('.lane-count').first().textContent()).toBe('no query yet')
  await step.focus()
  for (const still of [1, 2, 3, 4]) {
    expect(await storyState()).toBe('running')
    await page.keyboard.press('Enter')
    await page.screenshot({ path: `${REPORTS}/demo-moment-${still}.png` })
  }
  expect(await storyState()).toBe('caught')
  await page.keyboard.press('Enter')
  expect(await laneStates()).toEqual(['calm', 'calm', 'caught', 'calm'])
})

test('a drawn digit is answered, and a slightly changed one lights up as nearly the same', async () => {
  await open()
  const pad = page.getByTestId('pad')
  await pad.scrollIntoViewIfNeeded()
  const { x, y, width } = (await pad.boundingBox())!
  await page.mouse.move(x + width / 2, y + 0.2 * width)
  await page.mouse.down()
  await page.mouse.move(x + width / 2, y + 0.8 * width, { steps: 12 })
  await page.mouse.up()
  const answer = () => page.getByTestId('draw-answer').textContent()
  await expect.poll(answer, PATIENCE).toMatch(/^Query 1: the model says 1 \(\d+ %\)\. Nothing like it/)
  await page.getByTestId('draw-change').click()
  await expect
    .poll(answer, PATIENCE)
    .toMatch(/^Query 2: .*Almost the same as your query 1: no pixel differs by more than 1\d of 255/)
  await page.getByTestId('draw-sample').press('Enter')
  await expect.poll(answer, PATIENCE).toMatch(/^Query 3: .*Nothing like it/)
  expect(await page.locator('.drawn li[data-near="true"]').count()).toBe(1)
})

test('plain files in a subfolder of any host will do: no headers, no isolation, one thread', async () => {
  const host = await demoHost('/some/where/')
  await open(FAST, {}, host.address)
  await ended()
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  expect(await laneStates()).toEqual(['calm', 'calm', 'caught', 'calm'])
  await page.getByTestId('story-backend').selectOption('wasm')
  await expect.poll(() => page.getByTestId('badge-backend').textContent(), PATIENCE).toContain('onnxruntime WASM')
  expect(await page.getByTestId('badge-threads').textContent()).toBe('1, in a Web Worker')
  host.close()
})

test('it opens again once its server is gone', async () => {
  const own = await startServer(await freePort())
  try {
    await open(FAST, {}, own.address)
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null), PATIENCE).toBe(true)
  } finally {
    await stopped(own.server)
  }
  await page.reload()
  await ended()
  expect(await laneStates()).toEqual(['calm', 'calm', 'caught', 'calm'])
  complaints = complaints.filter((text) => !text.includes('ERR_CONNECTION_REFUSED')) // that the server is gone is the point
})

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['dark', 390],
] as const)('axe finds nothing to complain of (%s, %i pixels)', async (colorScheme, width) => {
  await open(FAST, { colorScheme, viewport: { width, height: 960 } })
  await ended()
  await page.screenshot({
    path: `${REPORTS}/demo-story-${width < 500 ? 'phone' : colorScheme}-end.png`,
    fullPage: width < 500,
  })
  if (width < 500) {
    await page.screenshot({ path: `${REPORTS}/demo-story-phone-first.png` })
    await page.getByTestId('sentence-0').click() // and what is hidden at first
    await page.getByTestId('card').waitFor()
    await page.getByTestId('text').press('Backspace')
    await page.getByTestId('draft-text').waitFor()
    await page.getByTestId('meaning').locator('summary').click()
  }
  const { violations } = await new AxeBuilder({ page: page as never }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([])
  const { inner, content } = await page.evaluate(() => {
    return { inner: document.documentElement.clientWidth, content: document.documentElement.scrollWidth }
  })
  expect(content).toBeLessThanOrEqual(inner)
})
