/** The suite over the stores of other runtimes, each where it lives: Deno KV, a Durable Object, Bun's files, IndexedDB. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApp, type TestApp } from '../tools/app.ts'
import { bundleFile } from '../tools/bundle.ts'
import { startWorkerd, workerOf } from '../tools/workerd.ts'
import type { Offered } from './browser/main.ts'
import { STORE_CHECKS, type StoreResults } from './suite.ts'

const run = promisify(execFile)
const bin = (name: string) => resolve(import.meta.dirname, '../../node_modules/.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'monitaur-stores-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Bundles the suite for another runtime. */
async function bundled(name: string): Promise<string> {
  const file = join(folder, `${name}.mjs`)
  await bundleFile(join(import.meta.dirname, `${name}.ts`), file)
  return file
}

/** One test for each check of the suite, whose results come all at once. */
function expectSuite(results: () => StoreResults): void {
  test.each(STORE_CHECKS.map(({ name }) => name))('%s', (name) => {
    expect(results()[name]).toBe('ok')
  })
}

describe('Deno KV', () => {
  let results: StoreResults = {}
  beforeAll(async () => {
    const args = [
      'run',
      '--unstable-kv',
      '--allow-read',
      '--allow-write',
      '--no-prompt',
      await bundled('inDeno'),
      folder,
    ]
    results = JSON.parse((await run(bin('deno'), args)).stdout)
  })
  expectSuite(() => results)
})

describe('files in Bun', () => {
  let results: StoreResults = {}
  beforeAll(async () => {
    results = JSON.parse((await run(bin('bun'), ['run', await bundled('inBun'), join(folder, 'bun')])).stdout)
  })
  expectSuite(() => results)
})

describe('SQLite in a Durable Object', () => {
  let results: StoreResults = {}
  beforeAll(async () => {
    const objects = { OBJECT: { className: 'StoreObject', useSQLite: true } }
    const { url, miniflare } = await startWorkerd([workerOf(await bundled('inObject'), { durableObjects: objects })])
    try {
      results = (await (await fetch(url)).json()) as StoreResults
    } finally {
      await miniflare.dispose()
    }
  })
  expectSuite(() => results)
})

describe('IndexedDB', () => {
  let app: TestApp
  let results: StoreResults = {}

  beforeAll(async () => {
    app = await openApp(join(import.meta.dirname, 'browser'))
    const page = await openPage()
    results = await page.evaluate(() => offered().runSuite())
    await page.context().close()
  })
  afterAll(async () => {
    await app?.close()
  })

  async function openPage(context = app.browser.newContext()): Promise<Page> {
    const page = await (await context).newPage()
    await page.addInitScript('globalThis.offered = () => globalThis.stores')
    await page.goto(app.server.origin)
    await page.waitForFunction(() => 'stores' in globalThis)
    return page
  }

  expectSuite(() => results)

  test('a second tab is refused while the first is there, and served once it is gone', async () => {
    const context = await app.browser.newContext()
    const [first, second] = [await openPage(Promise.resolve(context)), await openPage(Promise.resolve(context))]
    expect(await first.evaluate(() => offered().hold('shared'))).toBe('open')
    expect(await second.evaluate(() => offered().hold('shared'))).toBe('store_busy')
    expect(await second.evaluate(() => offered().hold('other'))).toBe('open')
    await first.close()
    await expect.poll(() => second.evaluate(() => offered().hold('shared'))).toBe('open')
    await context.close()
  })

  test('a tab remembers what an earlier one was told', async () => {
    const context = await app.browser.newContext()
    const first = await openPage(Promise.resolve(context))
    expect(await first.evaluate(() => offered().ask('kept', 17))).toBe(17)
    await first.close()
    const second = await openPage(Promise.resolve(context))
    expect(await second.evaluate(() => offered().ask('kept', 4))).toBe(21)
    await context.close()
  })

  test('a tab that crashes in the middle has lost nothing it was told', async () => {
    const context = await app.browser.newContext()
    let last = 0
    for (let round = 1; round <= 4; round++) {
      const page = await openPage(Promise.resolve(context))
      await page.evaluate(() => void offered().askForEver('crash'))
      const target = last + 10 + round
      await page.waitForFunction((count) => offered().counted >= count, target)
      const told = await page.evaluate(() => offered().counted)
      const crashed = new Promise((done) => page.once('crash', done))
      await page.goto('chrome://crash').catch(() => {})
      await crashed
      await page.close()
      last = told
    }
    const page = await openPage(Promise.resolve(context))
    // The one after the last answer may have been written, and the answer not seen.
    expect(await page.evaluate(() => offered().ask('crash', 1))).toBeGreaterThan(last)
    await context.close()
  })
})

declare function offered(): Offered
