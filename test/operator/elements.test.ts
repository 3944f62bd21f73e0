/** The operator's view and the recorded traces in a real browser, on a page of their own, under the page's own policy. */
import { mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { figuresOf } from '../../demo/traces/figures.ts'
import { readTraces } from '../../demo/traces/traces.ts'
import { ROWS } from '../../deploy/grafana/rows.ts'
import { fromBytes } from '../../src/core/index.ts'
import { openApp, type TestApp } from '../tools/app.ts'
import { poorContrasts } from '../tools/contrast.ts'

const REPORTS = fileURLToPath(new URL('../../reports', import.meta.url))
const RECORDED = new URL('../../demo/traces/recorded.json', import.meta.url)

let app: TestApp
let context: BrowserContext
let page: Page
/** What the console complained of and what could not be loaded. */
let complaints: string[]

beforeAll(async () => {
  app = await openApp(fileURLToPath(new URL('app', import.meta.url)))
  await mkdir(REPORTS, { recursive: true })
})

afterAll(() => app?.close())

afterEach(async () => {
  await context.close()
  expect(complaints).toEqual([])
})

async function open(options: BrowserContextOptions = {}): Promise<void> {
  context = await app.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  page = await context.newPage()
  complaints = []
  page.on('console', (message) => {
    const isIcon = message.location().url.endsWith('/favicon.ico')
    if (['error', 'warning'].includes(message.type()) && !isIcon) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(app.server.origin)
  await page.waitForFunction(() => 'fixture' in window)
}

/** Asks `count` questions, every third of them the same one, by one client. */
async function ask(count: number): Promise<void> {
  await page.evaluate(async (many) => {
    for (let i = 0; i < many; i++) {
      const input = i % 3 === 0 ? 'the same again' : `question ${i} of ${performance.now()}`
      await window.fixture.ask({
        input,
        modelOutput: [0.01, 0.99],
        client: i % 3 === 0 ? 'mallory' : `user ${i}`,
      })
    }
  }, count)
}

const panel = (title: string): Locator => page.getByRole('figure', { name: title, exact: false }).first()
const queries = () => page.evaluate(() => window.fixture.queries())

test('the panels are those of the dashboard, and live numbers come into words and pictures', async () => {
  await open()
  const titles = await page
    .locator('.op-panel h4')
    .evaluateAll((heads) => heads.map((one) => one.firstChild!.textContent))
  const expected = ROWS.flatMap(({ panels, each }) => {
    const units = each === undefined ? [''] : ['cosine', 'count', 'nats']
    return units.flatMap((unit) => panels.map(({ title }) => title.replace('$unit', unit)))
  })
  expect(titles).toEqual(expected)
  for (let i = 0; i < 3; i++) {
    await ask(12)
    await page.waitForTimeout(1000)
  }
  const judged = panel('Queries judged')
  await expect.poll(() => judged.locator('.op-big').textContent()).toMatch(/^[1-9].*\/s$/)
  const taken = panel('Actions taken')
  expect(await taken.getByRole('img').getAttribute('aria-label')).toMatch(
    /^Actions taken, latest: allow [\d.]+\/s, flag [\d.]+\/s, throttle [\d.]+\/s, suspend [\d.]+\/s$/,
  )
  expect(await taken.getByRole('row').count()).toBe(5)
  expect(await coloured(taken)).toBeGreaterThan(200)
  expect(await panel('Policy').textContent()).toContain('enforces page')
  expect(await panel('Clients suspended').locator('.op-big').textContent()).toBe('1')
  expect(await panel('Failed requests').textContent()).toContain('measured where a server runs')
})

/** Pixels of a chart that are neither grey nor empty. */
function coloured(place: Locator): Promise<number> {
  return place.locator('canvas').evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement
    const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
    let count = 0
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b, a] = [data[i]!, data[i + 1]!, data[i + 2]!, data[i + 3]!]
      if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) count++
    }
    return count
  })
}

test('closed rows open by keyboard, and how to read a panel is one key away', async () => {
  await open()
  const row = page.locator('.op-row > summary', { hasText: 'what is remembered' })
  await row.focus()
  await page.keyboard.press('Enter')
  await ask(6)
  await expect.poll(() => panel('Clients remembered').getByRole('row').count()).toBe(3)
  await page.getByLabel('How to read Clients remembered').focus()
  await page.keyboard.press('Enter')
  expect(await panel('Clients remembered').textContent()).toContain('Dashed: the limit')
})

test('Pause stops the charts, and Go on brings them up to date', async () => {
  await open()
  await page.getByRole('button', { name: 'Pause' }).click()
  await ask(9)
  await page.waitForTimeout(1500)
  expect(await panel('Queries judged').textContent()).toContain('No data yet')
  await page.getByRole('button', { name: 'Go on' }).click()
  await expect.poll(() => panel('Queries judged').locator('.op-big').textContent()).toMatch(/^[1-9]/)
})

test('with reduced motion the charts step on every five seconds', async () => {
  await open({ reducedMotion: 'reduce' })
  await page.evaluate(() => {
    const place = document.querySelector('.op-panel .op-body')!
    Object.assign(window, { changes: [] })
    new MutationObserver(() => (window as unknown as { changes: number[] }).changes.push(performance.now())).observe(
      place,
      { subtree: true, attributes: true, attributeFilter: ['aria-label'] },
    )
  })
  await page.waitForTimeout(9000)
  const times = await page.evaluate(() => (window as unknown as { changes: number[] }).changes)
  expect(times.length).toBeGreaterThanOrEqual(1)
  expect(times.length).toBeLessThanOrEqual(2)
})

test('tabs go by arrow keys; the text is that of the metrics, and can be copied', async () => {
  await open()
  await ask(4)
  await page.getByRole('tab', { name: 'Charts' }).focus()
  await page.keyboard.press('ArrowRight')
  expect(await page.getByRole('tab', { name: 'Metrics as text' }).getAttribute('aria-selected')).toBe('true')
  const text = page.getByLabel('Metrics as text', { exact: true }).locator('xpath=self::pre')
  await expect.poll(() => text.textContent()).toContain('detector_requests_total{detector="text_similarity"} 4\n')
  await page.getByRole('button', { name: 'Copy the text' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^# HELP detector_requests_total/)
})

test('the state goes to a file and back; a damaged file is told and changes nothing', async () => {
  await open({ acceptDownloads: true })
  await ask(6)
  await page.getByRole('tab', { name: 'Detector state' }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('op-state-page-save').click()])
  expect(download.suggestedFilename()).toBe('monitaur-state.bin')
  const bytes = await readFile(await download.path())
  expect(fromBytes(bytes).detector).toBe('monitor')
  await ask(3)
  expect(await queries()).toBe(9)
  const file = page.getByTestId('op-state-page-file')
  await file.setInputFiles({ name: 'cut.bin', mimeType: '', buffer: bytes.subarray(0, bytes.length - 5) })
  await expect
    .poll(() => page.getByTestId('op-state-page-problem').textContent())
    .toMatch(/^This file was not loaded, and nothing has changed: .{10}/)
  expect(await queries()).toBe(9)
  await file.setInputFiles({ name: 'good.bin', mimeType: '', buffer: bytes })
  await expect
    .poll(() => page.getByTestId('op-state-page-said').textContent())
    .toMatch(/^Loaded good\.bin: 6 queries of \d/)
  expect(await page.getByTestId('op-state-page-problem').textContent()).toBe('')
  expect(await queries()).toBe(6)
})

test('the code for one’s own app is ten lines with the detectors in force', async () => {
  await open()
  await page.getByRole('tab', { name: 'Your own app' }).click()
  await page.getByRole('button', { name: 'Copy code' }).click()
  const code = await page.evaluate(() => navigator.clipboard.readText())
  expect(code.trimEnd().split('\n')).toHaveLength(10)
  expect(code).toContain("{ name: 'text_repetition', threshold: 3 }")
  await expect.poll(() => page.getByRole('button', { name: 'Copied' }).count()).toBe(1)
})

test('the traces give the figures of the file for the choice of the visitor', async () => {
  await open()
  const traces = readTraces(JSON.parse((await readFile(RECORDED)).toString()))
  const explorer = page.locator('traces-explorer')
  await explorer.getByLabel('Attack', { exact: true }).selectOption('square')
  await explorer.getByLabel('Detector', { exact: true }).selectOption('content_fingerprint')
  const slider = explorer.getByLabel('Alarm threshold')
  expect(await slider.getAttribute('aria-valuetext')).toBe('> 25, its own')
  await slider.focus()
  for (let i = 0; i < 7; i++) await page.keyboard.press('ArrowRight')
  expect(await slider.getAttribute('aria-valuetext')).toBe('> 32')
  const { caught, workloads } = figuresOf(traces, { attack: 'square', detector: 'content_fingerprint', level: 32 })
  expect(await explorer.locator('.tr-caught').textContent()).toContain(
    `Caught in time: ${caught.count} of ${caught.of} (`,
  )
  const rows = await explorer.locator('.tr-workloads tbody tr').evaluateAll((all) => {
    return all.map((one) => one.children[1]!.firstChild!.textContent!.trim())
  })
  expect(rows).toEqual(workloads.map(({ count, of }) => `${count} of ${of}`))
  await page.keyboard.press('End')
  expect(await slider.getAttribute('aria-valuetext')).toBe('never')
  expect(await explorer.locator('.tr-caught').textContent()).toContain('Caught in time: 0 of 20')
  await explorer.getByRole('button', { name: 'Its own threshold' }).click()
  expect(await slider.getAttribute('aria-valuetext')).toBe('> 25, its own')
  await explorer.getByRole('button', { name: /^Most sensitive/ }).click()
  const worst = await explorer.locator('.tr-workloads tbody tr').first().textContent()
  expect(worst).toMatch(/[01] of 20/)
})

for (const [name, options] of Object.entries({
  light: {},
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true },
} as const)) {
  test(`${name}: every text can be read, and nothing sticks out`, async () => {
    await open(options)
    for (let i = 0; i < 6; i++) {
      await ask(9)
      await page.waitForTimeout(1000)
    }
    expect(await poorContrasts(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
    await page.locator('#operator').screenshot({ path: `${REPORTS}/operator-${name}.png` })
    await page.locator('#traces').screenshot({ path: `${REPORTS}/traces-${name}.png` })
    for (const id of ['op-text', 'op-state', 'op-code']) {
      await page.locator(`#${id}-tab`).click()
      expect(await poorContrasts(page)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
    }
  })
}

test('nothing is loaded but files of the page', async () => {
  await open()
  const others = await page.evaluate(() => {
    const names = performance.getEntriesByType('resource').map(({ name }) => name)
    return names.filter((name) => new URL(name).origin !== location.origin)
  })
  expect(others).toEqual([])
})
