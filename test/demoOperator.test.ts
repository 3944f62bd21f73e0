/** The operator's part of the built page: what the story and the visitor do comes into its charts, its text and its state. */
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContext, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDetector, fromBytes, toBytes } from '../src/core/index.ts'
import { launchChromium } from './tools/chromium.ts'
import { freePort, startServer, stopped } from './tools/demoServer.ts'
import { metric } from './tools/serverApp.ts'

/** For what a worker answers on a busy machine. */
const PATIENCE = { timeout: 20_000 }

let server: ChildProcess
let address: string
let browser: Browser
let context: BrowserContext
let page: Page
let complaints: string[]

beforeAll(async () => {
  ;({ server, address } = await startServer(await freePort()))
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await stopped(server)
})

beforeEach(async () => {
  context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 } })
  page = await context.newPage()
  complaints = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${address}?speed=4`)
  await page.locator('operator-view').getByRole('tab').first().waitFor()
})

afterEach(async () => {
  await context.close()
  expect(complaints).toEqual([])
})

/** The metrics as the page tells them. */
async function metrics(): Promise<string> {
  await page.getByRole('tab', { name: 'Metrics as text' }).click()
  return (await page.locator('.op-metrics').textContent()) ?? ''
}

test("the story's queries, its suspension and the refusals are counted as a server would", async () => {
  await page.locator('attack-story[data-state="caught"]').waitFor({ timeout: 45_000 })
  await page.locator('attack-story[data-ended]').waitFor({ timeout: 45_000 })
  const told = async () => metric(await metrics(), 'monitaur_suspensions_total{model="story"}')
  await expect.poll(told, { timeout: 10_000 }).toBe(1)
  const text = await metrics()
  const judged = metric(text, 'detector_requests_total{detector="answer_following",model="story"}')!
  expect(judged).toBeGreaterThan(100)
  expect(metric(text, 'monitaur_phase_duration_seconds_count{model="story",phase="detect"}')).toBe(judged)
  expect(metric(text, 'monitaur_refused_total{model="story"}')).toBeGreaterThan(0)
  expect(metric(text, 'monitaur_clients_active{model="story"}')).toBe(4)
  await page.getByRole('tab', { name: 'Charts' }).click()
  const suspended = page.getByRole('figure', { name: 'Clients suspended' })
  await expect.poll(() => suspended.locator('.op-big').textContent()).toBe('1')
})

test("the visitor's queries are counted, and the state goes to a file and back", async () => {
  const ask = async (text: string) => {
    await page.getByTestId('text').fill(text)
    await page.getByTestId('text').press('Enter')
  }
  const queries = 'detector_requests_total{detector="text_similarity",model="visitor"}'
  const inState = () => page.getByTestId('op-state-visitor-said').textContent()
  await ask('How tall is the lighthouse of Cape Town?')
  await ask('How tall is the lighthouse of Cape Town?')
  await expect.poll(async () => metric(await metrics(), queries)).toBe(2)
  await page.getByRole('tab', { name: 'Detector state' }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByTestId('op-state-visitor-save').click(),
  ])
  const bytes = await readFile(await download.path())
  expect(fromBytes(bytes).detector).toBe('monitor')
  const file = page.getByTestId('op-state-visitor-file')
  await file.setInputFiles({ name: 'cut.bin', mimeType: '', buffer: bytes.subarray(20) })
  await expect
    .poll(() => page.getByTestId('op-state-visitor-problem').textContent())
    .toMatch(/nothing has changed: .{10}/)
  expect(await page.getByTestId('card').count()).toBe(2)
  await file.setInputFiles({ name: 'state.bin', mimeType: '', buffer: bytes })
  await expect.poll(inState).toBe('Loaded state.bin: 2 queries of 1 clients.')
  await expect.poll(() => page.getByTestId('card').count()).toBe(0)
  await ask('How tall is the lighthouse of Cape Town?')
  await expect.poll(() => page.getByTestId('card').first().getByTestId('verdict').textContent()).toBe('Suspicious')
})

test("the story's state goes to a file, and a run that is played from it refuses the attacker at once", async () => {
  await page.locator('attack-story[data-ended]').waitFor({ timeout: 60_000 })
  await page.getByRole('tab', { name: 'Detector state' }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('op-state-story-save').click()])
  const bytes = await readFile(await download.path())
  const said = (what: 'said' | 'problem') => page.getByTestId(`op-state-story-${what}`).textContent()
  const file = page.getByTestId('op-state-story-file')
  await file.setInputFiles({ name: 'cut.bin', mimeType: '', buffer: bytes.subarray(20) })
  await expect.poll(() => said('problem'), PATIENCE).toMatch(/nothing has changed: .{10}/)
  const other = Buffer.from(toBytes(createDetector('similarity').snapshot()))
  await file.setInputFiles({ name: 'other.bin', mimeType: '', buffer: other })
  await expect.poll(() => said('problem'), PATIENCE).toMatch(/nothing has changed: .*similarity/)
  expect(await page.locator('attack-story').getAttribute('data-ended')).toBe('3')
  await file.setInputFiles({ name: 'state.bin', mimeType: '', buffer: bytes })
  await expect.poll(() => said('said'), PATIENCE).toMatch(/^Loaded state\.bin: \d{3} queries of 4 clients\.$/)
  await expect
    .poll(() => page.getByTestId('story-verdict').textContent(), PATIENCE)
    .toContain('User C is suspended already.')
  expect(await page.getByTestId('lane-2').textContent()).toMatch(/no query yet.*Suspended by the loaded state/)
})

test('the recorded traces answer to the choice of the visitor', async () => {
  const explorer = page.locator('traces-explorer')
  await explorer.scrollIntoViewIfNeeded()
  await explorer.getByLabel('Detector', { exact: true }).selectOption('content_fingerprint')
  await explorer.getByLabel('Attack', { exact: true }).selectOption('simba')
  expect(await explorer.getByRole('status').textContent()).toContain('Caught in time: 20 of 20')
  expect(await explorer.locator('.tr-workloads tbody tr').count()).toBe(10)
})
