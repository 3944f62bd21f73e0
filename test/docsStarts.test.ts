/** The five-minute starts, done as they are written. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchChromium } from './tools/chromium.ts'
import { dataDir, hasData } from './tools/data.ts'
import { WALKED } from './tools/docsPages.ts'
import { findProgram, installByApt } from './tools/programs.ts'
import { walk } from './tools/walkthrough.ts'

const MODEL = 'models/text/banking77-intent'
const PATIENCE_MS = 45_000
vi.setConfig({ testTimeout: 180_000 })
let browser: Browser
beforeAll(async () => {
  if ((await findProgram(['curl'], [])) === undefined) await installByApt('curl')
  browser = await launchChromium()
})
afterAll(() => browser?.close())

/** The text of the page once it has what is expected, or what it has when patience ends. A model hub is played by the test data. */
async function open(address: string, expected: string): Promise<string> {
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.route('https://huggingface.co/**', async (route) => {
    const [, file] = /\/resolve\/[^/]+\/([^?]+)/.exec(route.request().url())!
    if (!hasData(`${MODEL}/${file}`)) return route.fulfill({ status: 404 })
    return route.fulfill({ body: readFileSync(join(dataDir(), MODEL, file!)) })
  })
  await page.goto(address)
  const text = async () => (await page.locator('body').textContent()) ?? ''
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && errors.length === 0; ) {
    if ((await text()).includes(expected)) break
    await page.waitForTimeout(100)
  }
  const found = [await text(), ...errors].join('\n')
  await page.close()
  return found
}

const title = 'the start of a browser app with transformers.js does what it says'
const missing = hasData(MODEL) ? '' : ` (SKIPPED: no ${MODEL} in ${dataDir()})`
test.skipIf(missing !== '')(`${title}${missing}`, async () => {
  expect(await walk('start-browser', { open })).toBe(1)
})

test('the start of an onnxruntime-web app does what it says', async () => {
  expect(await walk('start-onnx', { open })).toBe(1)
})

test('calibration does what it says', async () => {
  const texts = [
    'where is my card',
    'how do I change my address',
    'what does a transfer abroad cost',
    'close my account',
  ]
  const lines = Array.from({ length: 9000 }, (_, i) => {
    const client = `client ${i % 4500}`
    const sure = 0.7 + (i % 29) / 100
    return JSON.stringify({ input: `${texts[i % 4]} ${i}`, client, timeMs: i * 1000, modelOutput: [sure, 1 - sure] })
  })
  let record = ''
  const prepare = (folder: string) => {
    record = join(folder, 'calibration.json')
    writeFileSync(join(folder, 'traffic.ndjson'), lines.join('\n'))
  }
  await walk('calibration', { prepare })
  expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ alpha: 0.001 })
})

const plain = WALKED.filter((page) => !['start-browser', 'start-onnx', 'calibration'].includes(page))
test.each(plain.map((page) => [page]))('%s does what it says', async (page) => {
  expect(await walk(page)).toBeGreaterThan(0)
})
