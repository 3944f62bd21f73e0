/** The app outside Node: what it may touch, and the same app on Deno, Bun and Workers. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleFile } from './tools/bundle.ts'
import { startWorkerd, workerOf } from './tools/workerd.ts'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-platforms-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Every file of the server that the app brings with it. */
function filesOfApp(file = join(root, 'src/server/http/app.ts'), found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type\b)[^']*'(\.[^']+)'/gm)) {
    filesOfApp(resolve(dirname(file), specifier!), found)
  }
  return found
}

const own = () => [...filesOfApp()].filter((file) => file.includes('/src/server/'))

describe('the app', () => {
  test('imports nothing of Node, and knows none of its globals', () => {
    expect(own().length).toBeGreaterThan(20)
    for (const file of own()) {
      const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      expect(code, file).not.toMatch(/'node:|\bprocess\.|\brequire\(|\bsetImmediate\b/)
      expect(code, file).not.toMatch(/\bBuffer\b/)
    }
  })

  test('every file of src/server/http is part of it, and the SDK is not', () => {
    const names = own().map((file) => file.split('/src/server/')[1]!)
    const all = readdirSync(join(root, 'src/server/http')).map((name) => `http/${name}`)
    expect(all.filter((name) => !names.includes(name) && name !== 'http/index.ts')).toEqual([])
    for (const file of own()) expect(readFileSync(file, 'utf8'), file).not.toMatch(/@opentelemetry\/(?!api')/)
  })
})

/** The same everywhere but for the line that opens a socket. */
const APP = `
const { meter, add, exposition } = await createMetrics()
const app = createServerApp({ config: checkConfig({}), meter, exposition, isLocal: true })
add(app.histograms)
`
const SOCKETS = {
  deno: `Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => console.log(port) }, app.fetch)`,
  bun: `console.log(Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch }).port)`,
}
/**
 * Nothing is made outside of requests: workerd has no random numbers and no timers there. The exporter for Prometheus asks
 * for Node's own modules, so here metrics go to whichever provider the host registers, and `/metrics` has none.
 */
const WORKER = `
let app
export default {
  fetch(request) {
    app ??= createServerApp({ config: checkConfig({}), isLocal: true })
    return app.fetch(request)
  },
}
`

const sources = (['http/app.ts', 'config/config.ts', 'metrics/provider.ts'] as const).map((file) =>
  JSON.stringify(join(root, 'src/server', file)),
)
const IMPORTS = `import { createServerApp } from ${sources[0]}
import { checkConfig } from ${sources[1]}
import { createMetrics } from ${sources[2]}
`

/** What a client sees of the app. */
async function look(origin: string) {
  const post = (path: string, body: string, type = 'application/json') =>
    fetch(origin + path, { method: 'POST', headers: { 'content-type': type }, body })
  const query = '{"input_data":"x","model_output":[0.25,0.25,0.25,0.25]}'
  const detect = (await (await post('/detect', query)).json()) as { confidence: number }
  const refused = await post('/detect', '{"input_data":"x","model_output":[0,0]}')
  const lines = await (await post('/v1/inspect/batch', `${query}\nbad\n${query}`, 'application/x-ndjson')).text()
  const form = new FormData()
  form.set('image', new Blob(['x']), 'a.png')
  form.set('model_output', '[1]')
  const multipart = await fetch(`${origin}/v1/inspect`, { method: 'POST', body: form })
  const events = (await fetch(`${origin}/v1/events`)).body!.getReader()
  const first = new TextDecoder().decode((await events.read()).value)
  await events.cancel()
  const metrics = await (await fetch(`${origin}/metrics`)).text()
  return {
    confidence: detect.confidence,
    refused: refused.status,
    lines: lines.trim().split('\n').length,
    multipart: multipart.status,
    first: first.split('\n')[0],
    counted: metrics.split('\n').find((line) => line.startsWith('detector_requests_total')),
  }
}

const EXPECTED = {
  confidence: 1.3862943607198905,
  refused: 422,
  lines: 3,
  multipart: 200,
  first: 'event: hello',
  counted: 'detector_requests_total{detector="confidence"} 4',
}

describe('the same app', () => {
  for (const [name, socket] of Object.entries(SOCKETS)) {
    test(`answers the same on ${name}`, { timeout: 120_000 }, async () => {
      const [entry, file] = [join(folder, `${name}.entry.ts`), join(folder, `${name}.mjs`)]
      writeFileSync(entry, `${IMPORTS}${APP}${socket}\n`)
      await bundleFile(entry, file, undefined, 'node')
      const command = name === 'deno' ? ['run', '-A', '--no-prompt', file] : [file]
      const child = spawn(join(root, 'node_modules/.bin', name), command, { stdio: ['ignore', 'pipe', 'pipe'] })
      try {
        const said = createInterface({ input: child.stdout })
        const port = await new Promise<string>((done, fail) => {
          said.once('line', done)
          child.once('error', fail)
          child.once('exit', (code) => fail(new Error(`it ended with ${code}`)))
        })
        expect(await look(`http://127.0.0.1:${port}`)).toEqual(EXPECTED)
      } finally {
        child.kill('SIGKILL')
      }
    })
  }

  describe('in workerd', () => {
    let stop: () => Promise<void>
    let origin: string
    beforeAll(async () => {
      const [entry, file] = [join(folder, 'worker.entry.ts'), join(folder, 'worker.mjs')]
      writeFileSync(entry, IMPORTS.replace(/^.*createMetrics.*\n/m, '') + WORKER)
      await bundleFile(entry, file)
      const { url, miniflare } = await startWorkerd([workerOf(file)])
      origin = url.origin
      stop = () => miniflare.dispose()
    }, 120_000)
    afterAll(() => stop?.())

    test('answers the same, without metrics of its own', { timeout: 120_000 }, async () => {
      expect(await look(origin)).toEqual({ ...EXPECTED, counted: undefined })
    })
  })
})
