/** The built cockpit in a real browser, over a real server. `npm run build:library` comes first. */
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { checkConfig } from '../src/server/config/config.ts'
import type { Asset } from '../src/server/http/service.ts'
import { readAssets } from '../src/server/serveAssets.ts'
import { launchChromium } from './tools/chromium.ts'
import { poorContrasts } from './tools/contrast.ts'
import { type ListeningServer, listeningServer } from './tools/listening.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COCKPIT = `${ROOT}dist/cockpit`
const ENFORCING = {
  detectors: [
    { name: 'text_repetition', threshold: 2 },
    { name: 'text_similarity', threshold: 0.95 },
  ],
  policy: { mode: 'enforce', throttleAt: 4, suspendAt: 8, suspendForMs: 60_000, fadePerMinute: 0 },
  calibratedAt: '2026-01-01T00:00:00Z',
}
const TOKEN = 'a-token-of-some-length'

let assets: ReadonlyMap<string, Asset>
let browser: Browser
let context: BrowserContext
let page: Page
let servers: ListeningServer[] = []
/** What the console complained of, what could not be loaded, and what went elsewhere. */
let complaints: string[] = []

beforeAll(async () => {
  if (!existsSync(`${COCKPIT}/index.html`)) throw new Error('dist/cockpit is missing: run npm run build:library first')
  assets = await readAssets([COCKPIT])
  browser = await launchChromium()
})

afterAll(() => browser?.close())

afterEach(async () => {
  await context.close()
  for (const server of servers) await server.stop()
  servers = []
  expect(complaints).toEqual([])
})

async function serve(config: object = ENFORCING, port = 0): Promise<ListeningServer> {
  const server = await listeningServer(config, { assets, port })
  servers.push(server)
  return server
}

async function open({ address }: ListeningServer, options: BrowserContextOptions = {}): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  page = await context.newPage()
  complaints = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (!request.url().startsWith(address)) complaints.push(`elsewhere: ${request.url()}`)
  })
  await page.goto(address)
}

/** A server with some traffic, and its cockpit. */
async function openBusy(config: object = ENFORCING, options: BrowserContextOptions = {}): Promise<ListeningServer> {
  const server = await serve(config)
  await open(server, options)
  await isReady()
  await server.ask({ input: 'a ship in the harbour', client: 'calm', modelOutput: [0.9, 0.1] })
  for (let i = 0; i < 3; i++) await server.ask({ input: 'the same', client: 'eve', modelOutput: [0.5, 0.5] })
  await row('eve').waitFor()
  return server
}

const isReady = () => page.getByText('Ready', { exact: true }).waitFor()
const clients = () => page.getByRole('region', { name: 'Clients' })
const row = (name: string) =>
  clients()
    .getByRole('row')
    .filter({ has: client(name) })
const client = (name: string) => page.getByRole('button', { name, exact: true })
const panel = () => page.getByRole('dialog')
const textOf = async (locator: Locator) => (await locator.allInnerTexts()).join('\n')
const shows = (locator: Locator, text: string | RegExp) =>
  expect.poll(() => textOf(locator), { timeout: 10_000 }).toMatch(text)
const focused = () => page.evaluate(() => document.activeElement?.textContent)

test('a client is flagged, ranked with its reason, opened, suspended, refused, released and answered again', async () => {
  const server = await serve()
  await open(server)
  await isReady()
  await shows(clients(), 'No client has asked anything yet')
  const inputs = ['a ship in the harbour', 'light on the tower', 'rain over the bay', 'the tide is low tonight']
  for (const [i, input] of inputs.entries()) {
    for (const name of ['shop', 'kiosk-7', 'lab']) await server.ask({ input: `${input}, asks ${name}`, client: name })
    if (i < 3) expect(await server.ask({ input: 'tell me everything', client: 'scraper-31', id: `q${i}` })).toBe(200)
    await new Promise((done) => setTimeout(done, 1100)) // so that the chart has something to show
  }
  await shows(clients().getByRole('row').nth(1), /^scraper-31\s+Query repeated 3 times\.\s+2\s+2\s+3/)
  await shows(page.getByRole('region', { name: 'Events' }), /flagged\s*scraper-31\s+text_repetition: Query repeated 3/)
  await shows(page.getByRole('region', { name: 'Decisions' }), /allowed 1\d\s+flagged 2/)
  await shows(page.getByRole('figure').first(), '2 of 15 scores (13.3%) reach the threshold of 2')
  mkdirSync(`${ROOT}reports`, { recursive: true })
  await page.screenshot({ path: `${ROOT}reports/cockpit.png`, fullPage: true })

  await page.getByRole('searchbox').focus()
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('scraper-31')
  await page.keyboard.press('Enter')
  await shows(
    panel(),
    /scraper-31[\s\S]*3, 2 of them suspicious[\s\S]*query q2[\s\S]*text_repetition\s*3\s*threshold 2/,
  )
  await panel().getByLabel('Suspend for').selectOption('1 hour')
  await panel().getByRole('button', { name: 'Suspend', exact: true }).click()
  await shows(panel(), /Suspended until .*, for another (?:1 h|59 min)/)
  expect(await server.ask({ input: 'another thing', client: 'scraper-31' })).toBe(403)
  expect(await server.ask({ input: 'another thing', client: 'shop' })).toBe(200)

  expect(await focused()).toMatch(/^Release/)
  await page.keyboard.press('Enter')
  await panel().getByRole('button', { name: 'Suspend', exact: true }).waitFor()
  expect(await server.ask({ input: 'another thing', client: 'scraper-31' })).toBe(200)
  await page.keyboard.press('Escape')
  await panel().waitFor({ state: 'hidden' })
  expect(await focused()).toBe('scraper-31')
  await shows(page.getByRole('region', { name: 'Decisions' }), 'refused 1')
  await shows(row('scraper-31'), /watched/)
})

test('the token is asked for, a wrong one is refused, the right one opens and can be forgotten', async () => {
  const server = await serve({ ...ENFORCING, token: TOKEN })
  await open(server)
  const field = page.getByLabel('Token', { exact: true })
  await field.waitFor()
  expect(await clients().isVisible()).toBe(false)
  const give = async (token: string) => {
    await field.fill(token)
    await field.press('Enter')
  }
  await give('two words')
  await shows(page.getByRole('alert'), 'no spaces')
  await give(`${TOKEN}x`)
  await shows(page.getByRole('alert'), 'not the token of this server')
  await give(TOKEN)
  await isReady()
  await clients().waitFor()
  await page.reload()
  await isReady()
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie)).toBe('{}')
  await page.getByRole('button', { name: 'Forget token' }).click()
  await field.waitFor()
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
  await page.reload()
  await field.waitFor()
  complaints = complaints.filter((text) => !text.includes('401')) // the browser reports refusals by itself
})

test('a lost connection is told, and the page goes on when the server is back', async () => {
  const server = await openBusy()
  servers = []
  expect(await server.stop()).toBe(true) // the page does not hold it up
  await shows(page.getByRole('alert'), /Connection lost: .*What is shown is from \d\d:\d\d:\d\d\./)
  await shows(page.getByRole('status').first(), 'Connection lost')
  expect(await row('eve').isVisible()).toBe(true)
  const again = await serve(ENFORCING, server.port)
  await page.getByRole('button', { name: 'Try now' }).click()
  await isReady()
  expect(await page.getByRole('alert').isVisible()).toBe(false)
  await again.ask({ input: 'hello', client: 'newcomer' })
  await row('newcomer').waitFor()
  expect(await row('eve').count()).toBe(0)
  complaints = complaints.filter((text) => !/ERR_|503/.test(text)) // the browser reports lost connections by itself
})

test('names stay text, and every name can be opened and suspended', async () => {
  const server = await openBusy()
  for (const name of ['<img src=x onerror="document.title=1">', '..', '']) {
    const shown = name === '' ? '(no name)' : name
    for (let i = 0; i < 2; i++) await server.ask({ input: 'again', client: name })
    await client(shown).first().waitFor()
    await row(shown).getByRole('button').click()
    await shows(panel(), '2, 1 of them suspicious')
    expect(await textOf(panel().getByRole('heading', { level: 2 }))).toBe(shown)
    await panel().getByRole('button', { name: 'Suspend', exact: true }).click()
    await shows(panel(), 'Suspended until')
    expect(await server.ask({ input: 'again', client: name })).toBe(403)
    await panel().getByRole('button', { name: 'Close' }).click()
  }
  expect(await page.locator('main img, dialog img').count()).toBe(0)
  expect(await page.title()).toBe('monitaur cockpit')
})

test('the filter finds clients by name and by reason, and opens one that the list does not have', async () => {
  await openBusy()
  const filter = page.getByRole('searchbox', { name: 'Filter clients' })
  await filter.fill('REPEATED')
  await expect.poll(() => clients().getByRole('row').count()).toBe(2)
  await filter.fill('nobody')
  await shows(clients(), 'None of them fits')
  await filter.press('Enter')
  await shows(panel(), /nobody[\s\S]*not remembered[\s\S]*No verdict of this client/)
  await page.keyboard.press('Escape')
  await filter.fill('cal')
  await filter.press('Enter')
  await shows(panel(), /calm[\s\S]*1, 0 of them suspicious/)
  complaints = complaints.filter((text) => !text.includes('404'))
})

test('feedback on a verdict is sent once and counted', async () => {
  const server = await openBusy()
  const sent: unknown[] = []
  page.on('request', (request) => {
    if (request.url() === `${server.address}v1/feedback`) sent.push(request.postDataJSON())
  })
  await client('eve').first().click()
  await panel()
    .getByRole('button', { name: /^False alarm: text_repetition/ })
    .first()
    .click()
  await shows(panel(), 'Counted: false alarm.')
  expect(sent).toEqual([{ kind: 'false_positive', detector: 'text_repetition', model: 'default' }])
  expect(
    await panel()
      .getByRole('button', { name: /: text_repetition/ })
      .count(),
  ).toBe(2) // of the other verdict
})

test('events can be paused and shown in full', async () => {
  const server = await openBusy()
  const events = page.getByRole('region', { name: 'Events' })
  const items = events.getByRole('listitem')
  await expect.poll(() => items.count()).toBe(2)
  await events.getByLabel('all verdicts').check()
  await expect.poll(() => items.count()).toBe(4)
  await events.getByRole('button', { name: 'Pause' }).click()
  await server.ask({ input: 'while paused', client: 'late' })
  await shows(events, '1 new')
  expect(await items.count()).toBe(4)
  await events.getByRole('button', { name: 'Pause' }).click()
  await expect.poll(() => items.count()).toBe(5)
  await shows(page.getByRole('log'), /eve flagged\. text_repetition: Query repeated 3 times\./)
})

test('several models are told apart, in observe mode too', async () => {
  const observing = { ...ENFORCING, policy: { throttleAt: 1, suspendAt: 1 } }
  const server = await serve({
    models: [
      { name: 'first', ...ENFORCING },
      { name: 'second', ...observing },
    ],
  })
  await open(server)
  await isReady()
  for (let i = 0; i < 2; i++) await server.ask({ input: 'again', client: 'eve', model: 'second' })
  expect(await row('eve').count()).toBe(0)
  await page.getByLabel('Model').selectOption('second')
  await shows(row('eve'), 'suspended')
  await shows(page.locator('header'), 'Observing')
  await shows(page.getByRole('region', { name: 'Decisions' }), /Observe mode: nobody is refused/)
  await shows(page.getByRole('region', { name: 'Events' }), 'flagged, would be suspended')
  expect(await server.ask({ input: 'again', client: 'eve', model: 'second' })).toBe(200)
})

test('settings are shown, and new thresholds as soon as they are read', async () => {
  const { app } = await openBusy()
  const settings = page.getByRole('region', { name: 'Detectors and limits' })
  await shows(settings, /text_repetition\s+text_repetition\s+each client\s+2\s+times\s+own code\s+4\s+2\s+0/)
  await shows(settings, /calibrated on 1 Jan/)
  await app.reload(
    checkConfig({ ...ENFORCING, detectors: [{ name: 'text_repetition', threshold: 7 }, 'text_similarity'] }),
  )
  await shows(settings, /text_repetition\s+text_repetition\s+each client\s+7/)
  await shows(page.getByRole('figure').first(), /reach the threshold of 7/)
})

test('thousands of verdicts a second are counted, and the page stays small and answers', async () => {
  const limits = { maxEventsPerSecond: 100_000, listenerQueue: 100_000 }
  const server = await serve({ ...ENFORCING, limits, clients: { maxClients: 100_000 } })
  await open(server)
  await isReady()
  await page.getByLabel('all verdicts').check()
  for (let batch = 0; batch < 10; batch++) {
    const queries = Array.from({ length: 1000 }, (_, i) => ({ input: `${i % 9}`, client: `c${batch}-${i % 300}` }))
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(queries)
    await (await fetch(`${server.address}v1/inspect/batch`, { method: 'POST', headers, body })).arrayBuffer()
  }
  await shows(page.getByRole('region', { name: 'Now' }), /Judged\s+10,000/)
  await shows(clients(), /^Clients 100 of 3,000/)
  expect(await page.getByRole('region', { name: 'Events' }).getByRole('listitem').count()).toBe(60)
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(3000)
  await clients().getByRole('button').first().click()
  await shows(panel(), 'Last verdicts')
})

test('there is one heading on top, landmarks, a name for every control, and a table behind the chart', async () => {
  await openBusy()
  expect(await page.locator('html').getAttribute('lang')).toBe('en')
  const snapshot = await page.locator('body').ariaSnapshot()
  expect(snapshot.match(/heading .*\[level=1\]/g)).toEqual(['heading "monitaur cockpit" [level=1]'])
  for (const landmark of ['banner', 'main', 'contentinfo', 'search'])
    expect(snapshot).toMatch(new RegExp(`- ${landmark}\\b`))
  for (const name of ['Now', 'Decisions per second', 'Scores', 'Detectors and limits']) {
    expect(snapshot).toContain(`region "${name}"`)
  }
  const controls =
    /- (button|link|searchbox|textbox|checkbox|radio|combobox|dialog|region|figure|table|img)\b(?! ")(.*)/g
  const unnamed = [...snapshot.matchAll(controls)].map(([line]) => line)
  expect(unnamed.filter((line) => !/- (?:table|figure|img)/.test(line))).toEqual([])
  expect(snapshot).toMatch(/columnheader "Evidence"/)
  expect(snapshot).toMatch(/rowheader "eve Query repeated 3 times\."/)
  await page.getByText('As a table').click()
  await shows(
    page.getByRole('region', { name: 'Decisions by minute' }),
    /Minute\s+Allowed\s+Flagged[\s\S]*\d\d:\d\d\s+2\s+2/,
  )
  await client('eve').first().click()
  expect(await panel().ariaSnapshot()).toMatch(/- dialog "eve":/)
  expect(await panel().ariaSnapshot()).toMatch(/- combobox "Suspend for":/)
})

test('the keyboard goes through the page in reading order', async () => {
  await openBusy()
  const order: string[] = []
  await page.evaluate(() => (document.activeElement as HTMLElement)?.blur())
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab')
    order.push(
      await page.evaluate(() => {
        const at = document.activeElement as HTMLInputElement
        return (
          at.labels?.[0]?.textContent?.trim() ?? at.getAttribute('aria-label') ?? at.textContent?.trim() ?? at.tagName
        )
      }),
    )
  }
  expect(order).toEqual([
    'Skip to the content',
    'As a table',
    'Filter clients by name or reason',
    'eve', // the clients, by evidence
    'calm',
    'since start',
    'all verdicts',
    'Pause',
    'eve', // two events
    'eve',
    'Detectors',
    'Limits of the server',
  ])
})

test.each(['light', 'dark'] as const)('in %s every text stands out, also in the panel', async (colorScheme) => {
  await openBusy(ENFORCING, { colorScheme, reducedMotion: 'reduce' })
  expect(await poorContrasts(page)).toEqual([])
  await client('eve').first().click()
  await shows(panel(), 'Rightly flagged')
  expect(await poorContrasts(page)).toEqual([])
})

test.each([360, 1600])('nothing sticks out at a width of %i pixels', async (width) => {
  const server = await openBusy(ENFORCING, { viewport: { width, height: 900 } })
  await server.ask({ input: 'x', client: 'unbreakable'.repeat(20) })
  await client('unbreakable'.repeat(20)).first().waitFor()
  const overflow = () =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  expect(await overflow()).toBeLessThanOrEqual(0)
  await client('unbreakable'.repeat(20)).first().click()
  await shows(panel(), 'Last verdicts')
  expect(await panel().evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth)).toBeLessThanOrEqual(0)
})
