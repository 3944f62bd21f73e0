/** Mistakes that everybody makes once, made on purpose with the packed package: each is told with its remedy. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from './tools/chromium.ts'
import { type Consumer, createConsumer } from './tools/consumer.ts'
import { type StaticServer, serveStatic } from './tools/serve.ts'

const run = promisify(execFile)
let consumer: Consumer
beforeAll(() => {
  consumer = createConsumer()
})
afterAll(() => consumer?.remove())

/** What some code throws in Node, in a project that has installed nothing but the package. */
async function mistakeOf(code: string): Promise<string> {
  const file = join(consumer.folder, 'mistake.mjs')
  const [imports, rest] = [/^import .*\n/gm, code.replace(/^import .*\n/gm, '')]
  const head = (code.match(imports) ?? []).join('')
  writeFileSync(
    file,
    `${head}try {\n${rest}\nconsole.log('nothing was wrong')\n} catch (error) { console.log(error.code, error.path, error.message) }`,
  )
  const { stdout } = await run(process.execPath, [file], { cwd: consumer.folder })
  return stdout.trim()
}

describe('a package that is missing', () => {
  const picture = JSON.stringify(join(import.meta.dirname, '../docs/demo.png'))

  test.each([
    [
      'sharp',
      `import { readFileSync } from 'node:fs'\nimport { getDetector } from 'monitaur'\nawait getDetector('image_similarity').process({ input: readFileSync(${picture}) })`,
      /npm i sharp/,
    ],
    [
      'a runtime for ONNX',
      `import { copyNet } from 'monitaur'\nawait copyNet().warmup()`,
      /npm i onnxruntime-(?:web|node)/,
    ],
    [
      'transformers.js',
      `import { fromTransformers } from 'monitaur'\nawait fromTransformers('Xenova/all-MiniLM-L6-v2').warmup()`,
      /npm i @huggingface\/transformers/,
    ],
    [
      'a client for Redis',
      `import { redisStores } from 'monitaur/server'\nawait (await redisStores({ url: 'redis://127.0.0.1:1', secret: 'sixteen bytes at least' })).open?.()`,
      /npm i(?:nstall)? @redis\/client/,
    ],
    [
      'the native runtime of the evaluation',
      `import { openOnnxVictim } from 'monitaur/eval/node'\nawait openOnnxVictim({ file: 'model.onnx' })`,
      /npm i onnxruntime-node/,
    ],
  ])('is named with the command that installs it: %s', async (_, code, remedy) => {
    const said = await mistakeOf(code)
    expect(said).toMatch(/^missing_package/)
    expect(said).toMatch(remedy)
  })
})

describe('numbers of the wrong type', () => {
  test.each([
    [
      'a whole tensor',
      `{ type: 'float32', dims: [1, 2], data: Float32Array.of(0.5, 0.5) }`,
      /of a tensor pass its data/,
    ],
    ['integers of 64 bits', 'new BigInt64Array(2)', /Array\.from\(list, Number\), got 0n/],
    ['a batch of rows', '[[0.5, 0.5]]', /pass the rows of a batch one by one/],
    ['logits', '[2.5, -1]', /for scores set outputs: 'logits'/],
  ])('are told what to pass instead: %s', async (_, output, remedy) => {
    const code = `import { getDetector } from 'monitaur'\nawait getDetector('confidence').process({ modelOutput: ${output} })`
    const said = await mistakeOf(code)
    expect(said).toMatch(/^bad_query modelOutput/)
    expect(said).toMatch(remedy)
  })

  test('are told so for pictures, whose range is never guessed', async () => {
    const picture = (data: string) =>
      mistakeOf(
        `import { getDetector } from 'monitaur'\nawait getDetector('image_similarity').process({ input: { data: new ${data}(48), width: 4, height: 4, channels: 3 } })`,
      )
    expect(await picture('Float32Array')).toMatch(/^bad_query input\.maxValue .*must be 1 or 255/)
    expect(await picture('Uint16Array')).toMatch(/^bad_query input\.data .*Float32Array\.from\(…\)/)
  })

  test('of weights: the known ones are named', async () => {
    const code = `import { fromTransformers } from 'monitaur'\nfromTransformers('Xenova/x', { dtype: 'int9' })`
    expect(await mistakeOf(code)).toMatch(/^bad_config dtype .*fp32, fp16, q8.*did you mean 'int8'/)
  })

  test('of a model: how one of the hub is named', async () => {
    const code = `import { loadDetector } from 'monitaur'\nloadDetector({ name: 'text_similarity', embedder: { from: 'Xenova/x' } })`
    expect(await mistakeOf(code)).toMatch(/^bad_config \S+ .*\{ from: 'transformers', model: … \}/)
  })
})

describe('the wrong name for who asks', () => {
  test.each([
    ['a query', `await monitor.inspect({ input: 'a', clientId: 'alice' })`, /^bad_query clientId .*'client'/],
    [
      'a watched model',
      `monitorModel(async () => [1], monitor, { clientId: 'alice' })`,
      /^bad_config \S*clientId .*client/,
    ],
    ['the header of a key', `identifyClient({ keyHeader: ['x-key'] })`, /^bad_config \S+ .*'keyHeaders'/],
    [
      'a secret that is too short',
      `identifyClient({ key: 'short' })`,
      /^bad_config client\.key\.length .*16 bytes or more, as of openssl rand -hex 16, got 5/,
    ],
  ])('is told with the right one: %s', async (_, call, remedy) => {
    const code = `import { createMonitor, monitorModel } from 'monitaur'\nimport { identifyClient } from 'monitaur/edge'\nconst monitor = createMonitor({ detectors: ['text_repetition'] })\n${call}`
    expect(await mistakeOf(code)).toMatch(remedy)
  })

  test('is told by the server too: the field, and the token', async () => {
    const code = (request: string) => `import { checkConfig, createServerApp } from 'monitaur/server'
      const app = createServerApp({ config: checkConfig({ token: 'sixteen-bytes-at-least' }) })
      await app.open()
      const ask = (path, init) => app.fetch(new Request('http://localhost' + path, init))
      const response = await ask(${request})
      const { error } = await response.json()
      throw Object.assign(new Error(error.message), { code: response.status, path: error.path })`
    const body = `JSON.stringify({ input: 'a', modelOutput: [0.5, 0.5], clientID: 'alice' })`
    const headers = `{ 'content-type': 'application/json' }`
    expect(await mistakeOf(code(`'/v1/inspect', { method: 'POST', headers: ${headers}, body: ${body} }`))).toMatch(
      /^422 clientID unknown field; did you mean 'client(?:_id)?'/,
    )
    expect(await mistakeOf(code(`'/v1/clients', { headers: { authorization: 'Bearer wrong' } }`))).toMatch(
      /^401 authorization send the operator's token as 'authorization: Bearer …'/,
    )
  })
})

describe('in a page', () => {
  let browser: Browser
  let server: StaticServer
  let page: Page
  beforeAll(async () => {
    const at = (file: string) => `/node_modules/monitaur/dist/${file}`
    const imports = {
      monitaur: at('index.js'),
      'monitaur/worker': at('worker.js'),
      'monitaur/server': at('server-elsewhere.js'), // as the condition `browser` of the package says
    }
    writeFileSync(
      join(consumer.folder, 'index.html'),
      `<!doctype html><html lang="en"><title>mistakes</title><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script></html>`,
    )
    server = await serveStatic({ '/': consumer.folder }, {})
    browser = await launchChromium()
    page = await browser.newPage()
    await page.goto(server.origin)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  /** What a module throws there. */
  const mistake = (code: string): Promise<string> => {
    const url = `URL.createObjectURL(new Blob([${JSON.stringify(code)}], { type: 'text/javascript' }))`
    const told = "(error) => error.code + ' ' + error.message"
    return page.evaluate(`import(${url}).then(() => 'nothing was wrong', ${told})`) // as text: Vitest would rewrite it
  }

  const started = (script: string, type: string) => `
    import { startWorker } from 'monitaur/worker'
    const make = () => new Worker(location.origin + '/node_modules/monitaur/dist/${script}', { type: '${type}' })
    const host = startWorker(make, { startTimeoutMs: 1000, maxRestarts: 1 })
    await host.getDetector('text_repetition').process({ input: 'a' })`

  test('the door of the server says which one to take', async () => {
    expect(await mistake(`import { createServerApp } from 'monitaur/server'; createServerApp()`)).toMatch(
      /^bad_config monitaur\/server needs Node.*in a page use createMonitor\(\) of monitaur$/,
    )
  })

  test('the file of the worker, imported, says what it wants', async () => {
    expect(await mistake(`import '${server.origin}/node_modules/monitaur/dist/monitor.worker.js'`)).toMatch(
      /^bad_config .*must be a worker or a port/,
    )
  })

  test.each([
    ['the wrong door in the worker', 'core.js', 'module'],
    ['a file that is not there', 'monitor.wörker.js', 'module'],
    ['no module', 'worker.js', 'classic'],
  ])('a worker that cannot answer says how to start one: %s', async (_, script, type) => {
    expect(await mistake(started(script, type))).toMatch(
      /^worker_lost .*new Worker\(new URL\('monitaur\/worker\/script', import\.meta\.url\), \{ type: 'module' \}\)/,
    )
  })

  test('without COOP and COEP the doctor names both headers', async () => {
    const code = `
      import { doctor } from 'monitaur'
      const checks = await doctor({ backend: 'wasm' })
      const { found, remedy } = checks.find(({ name }) => name === 'threads')
      throw Object.assign(new Error(found + '; ' + remedy), { code: 'threads' })`
    expect(await mistake(code)).toMatch(
      /^threads 1: the page is not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/,
    )
  })
})
