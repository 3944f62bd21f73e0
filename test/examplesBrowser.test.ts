/** The examples that are pages, each started by its own command and used in a real Chromium. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from './tools/chromium.ts'
import { dataDir, hasData } from './tools/data.ts'
import { EDITS, HONEST, type RunningExample, type StartOptions, startCommand, startExample } from './tools/example.ts'
import { until } from './tools/until.ts'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-examples-'))
let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function held(starting: Promise<RunningExample>): Promise<RunningExample> {
  const running = await starting
  ends.push(running.stop)
  return running
}

/** The built page, served as its host would. */
async function startBuilt(name: string, { env = {} }: StartOptions = {}): Promise<RunningExample> {
  const out = `--outDir ${join(folder, name)}`
  const place = `examples/${name}`
  return held(startCommand(`npx vite build ${place} ${out} && npx vite preview ${place} ${out} --port 0`, { env }))
}

interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** Asks the form of the example; gives the lines that came of it, `answer` being the last one. */
  ask(text: string, answer?: string): Promise<string[]>
}

/** A browser without a past, on the page. What goes wrong unseen fails the test. */
async function visit({ address }: RunningExample): Promise<Visit> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const errors: unknown[] = []
  page.on('pageerror', (error) => errors.push(error))
  ends.push(async () => {
    await context.close()
    expect(errors).toEqual([])
  })
  await page.goto(address)
  const lines = page.locator('ol > li')
  return {
    context,
    page,
    async ask(text, answer = 'li') {
      const before = await lines.count()
      const answers = page.locator(`ol > ${answer}`)
      const answered = await answers.count()
      await page.fill('input', text)
      await page.click('button:enabled')
      await until(async () => (await answers.count()) > answered)
      return (await lines.allTextContents()).slice(before)
    },
  }
}

describe.each(['as documented', 'built'])('the app with transformers.js in a worker, %s,', (how) => {
  const model = 'models/text/banking77-intent/onnx/model_quantized.onnx'
  const isThere = hasData(model)
  const why = isThere ? '' : ` (SKIPPED: no ${model} in ${dataDir()})`

  test.skipIf(!isThere)(`answers, says what is suspicious, then refuses${why}`, async () => {
    const env = { MODELS: join(dataDir(), 'models/text'), VITE_MODEL: 'banking77-intent' }
    const running = await (how === 'built'
      ? startBuilt('browser', { env })
      : held(startExample('browser/worker.mjs', { env })))
    const { page, ask } = await visit(running)
    await page.getByText('ready').waitFor()
    const answer = ':is([data-kind=answer], [data-kind=refused], [data-kind=failed])'

    for (const text of HONEST.slice(0, 6)) {
      const lines = await ask(text, answer)
      expect(lines.at(-1)).toMatch(/^\w+ [01]\.\d\d$/)
      expect(lines.join(' ')).not.toContain('Similarity')
    }
    const edits: string[][] = []
    for (const text of EDITS) edits.push(await ask(text, answer))
    expect(edits[0]!.at(-1)).toMatch(/^\w+ [01]\.\d\d$/)
    expect(edits[1]![0]).toMatch(/^flag: Similarity score: 0\.9/)
    expect(edits.at(-1)!.at(-1)).toMatch(/refused by the monitor's policy until/)
    const kinds = await page.locator('ol > li').evaluateAll((items) => items.map((item) => item.dataset['kind']))
    expect(new Set(kinds)).toEqual(new Set(['answer', 'verdict', 'refused']))
  })
})

describe.each(['as documented', 'built'])('the page with onnxruntime-web, %s,', (how) => {
  test('answers different digits, and refuses who changes a little of one', { timeout: 120_000 }, async () => {
    const running = await (how === 'built'
      ? startBuilt('onnxruntime-web')
      : held(startExample('onnxruntime-web/main.mjs')))
    const { page } = await visit(running)
    await page.getByText('ready').waitFor()
    const items = page.locator('ol > li')
    const ask = async (): Promise<string[]> => {
      const answers = page.locator('ol > li:is([data-kind=answer], [data-kind=refused], [data-kind=failed])')
      const [before, answered] = [await items.count(), await answers.count()]
      await page.click('[data-do=ask]')
      await until(async () => (await answers.count()) > answered)
      return (await items.allTextContents()).slice(before)
    }
    const draw = async (...points: readonly (readonly [x: number, y: number])[]) => {
      const { x, y } = (await page.locator('canvas').boundingBox())!
      const [[left, top], ...rest] = points as [readonly [number, number], ...(readonly [number, number])[]]
      await page.mouse.move(x + left, y + top)
      await page.mouse.down()
      for (const [toX, toY] of rest) await page.mouse.move(x + toX, y + toY, { steps: 12 })
      await page.mouse.up()
    }

    await draw([112, 30], [112, 190])
    expect((await ask()).at(-1)).toMatch(/^a \d$/)
    await page.click('[data-do=clear]')
    await draw([60, 40], [160, 40], [90, 190])
    expect(await ask()).toEqual([expect.stringMatching(/^a \d$/)])

    const lines: string[] = []
    for (let i = 0; i < 9; i++) {
      await draw([30 + 16 * i, 210], [32 + 16 * i, 210])
      lines.push(...(await ask()))
    }
    expect(lines[0]).toMatch(/^flag: Similarity score: 0\.9/)
    expect(lines.at(-1)).toMatch(/refused by the monitor's policy until/)
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  })
})

describe.each(['as documented', 'built'])('the service worker, %s,', (how) => {
  test('watches a page that knows nothing of it, and remembers when it is stopped', async () => {
    const running = await (how === 'built' ? startBuilt('service-worker') : held(startExample('service-worker/sw.mjs')))
    const honest = await visit(running)
    await honest.page.getByText('watched').waitFor()
    for (const text of HONEST) expect(await honest.ask(text)).toEqual([expect.stringMatching(/^200 \{"label":/)])

    const { context, page, ask } = await visit(running)
    await page.getByText('watched').waitFor()
    const before = EDITS.slice(0, 5)
    for (const text of before) expect((await ask(text))[0]).toMatch(/^200/)

    await stopWorkers(context, page)
    const after: string[] = []
    for (const text of [...EDITS.slice(5), ...EDITS]) after.push((await ask(text))[0]!.slice(0, 3))
    // Of all edits but the first six suspend, and four were there before: without a memory seven or more would be served.
    expect(after.join(' ')).toMatch(/^(200 ){1,6}(403 ?)+$/)

    await stopWorkers(context, page)
    await page.reload()
    await page.getByText('watched').waitFor()
    expect((await ask(HONEST[0]!))[0]).toMatch(/^403/)
  })

  /** As the browser does where a worker has had no work for a while. */
  async function stopWorkers(context: BrowserContext, page: Page): Promise<void> {
    const session = await context.newCDPSession(page)
    const statuses: string[] = []
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      statuses.push(...versions.map(({ runningStatus }) => runningStatus))
    })
    await session.send('ServiceWorker.enable')
    await until(() => statuses.at(-1) === 'running')
    await session.send('ServiceWorker.stopAllWorkers')
    await until(() => statuses.at(-1) === 'stopped')
    await session.detach()
  }
})

describe('the page that the server renders', () => {
  test('comes without a monitor, and gets one in the browser', async () => {
    const running = await held(startExample('ssr/server.mjs'))
    const html = await (await fetch(running.address)).text()
    expect(html).toContain('<button type="submit" disabled="">Ask</button>')
    const { ask } = await visit(running)
    for (const text of HONEST) expect(await ask(text)).toEqual([expect.stringMatching(/^(?:glad|sad)$/)])
    const answers: string[] = []
    for (const text of EDITS) answers.push(...(await ask(text)))
    expect(answers.join(' ')).toMatch(/^((?:glad|sad) ){4}(suspended ?)+$/)
  })

  test("builds for both sides, and the server's bundle renders it where nothing of a browser is", async () => {
    const [server, client] = [join(folder, 'server'), join(folder, 'client')]
    const config = { root: join(root, 'examples/ssr'), logLevel: 'error' as const }
    await build({
      ...config,
      build: { ssr: 'render.jsx', outDir: server, emptyOutDir: true },
      ssr: { noExternal: true },
    })
    await build({ ...config, build: { outDir: client, emptyOutDir: true } })
    expect(readFileSync(join(client, 'index.html'), 'utf8')).toContain('<script type="module"')
    const said = observed(`const { render } = await import('${join(server, 'render.js')}')\nconsole.log(render())`)
    expect(said.at(-1)).toMatch(/^<form>.*<button type="submit" disabled="">Ask<\/button>/)
  })

  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object }
  const doors = Object.keys(exports)
    .map((door) => door.replace('.', 'monitaur'))
    .filter((door) => !/\/package\.json$|\/script$|\.wasm$/.test(door)) // no modules to be imported by a page

  test.each(doors)('may import %s, which then looks at nothing of a browser', (door) => {
    expect(observed(`await import('${door}')`)).toEqual([])
  })

  test('would be found out if it looked', () => {
    expect(() => observed('if (typeof window !== "undefined") window.location')).toThrow(/looked at window/)
    expect(() => observed('globalThis.left = 1')).toThrow(/object is not extensible/)
    expect(() => observed('Promise.left = 1')).toThrow(/object is not extensible/)
  })

  /** Runs code where nothing global can be changed, and where nobody may ask for what browsers alone have. */
  function observed(code: string): string[] {
    const file = join(root, 'reports/observed.mjs') // in the package, so that it can name the doors
    const watching = `
      for (const name of ['window', 'document', 'self', 'location', 'localStorage', 'indexedDB', 'Worker', 'caches']) {
        const get = () => { throw new Error('looked at ' + name) }
        Object.defineProperty(globalThis, name, { get, configurable: true })
      }
      for (const name of ['Object', 'Array', 'Promise', 'Math', 'JSON', 'Error', 'WebAssembly', 'fetch', 'Response'])
        Object.freeze(globalThis[name]).prototype && Object.freeze(globalThis[name].prototype)
      Object.preventExtensions(globalThis)`
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${watching}\n${code}`)
    const said = execFileSync(process.execPath, [file], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return said.split('\n').filter((line) => line !== '')
  }
})
