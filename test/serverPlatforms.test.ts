/** The app outside Node: what it may touch, and the same app on Deno. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, describe, expect, test } from 'vitest'

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

const deno = join(root, 'node_modules/.bin/deno')
const reason = existsSync(deno) ? '' : ' (SKIPPED: no deno in node_modules)'

const PROGRAM = `
import { checkConfig, createMetrics, createServerApp } from './app.js'
const { meter, add, exposition } = await createMetrics()
const app = createServerApp({ config: checkConfig({}), meter, exposition, isLocal: true })
add(app.histograms)
const server = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen() {} }, app.fetch)
const origin = 'http://127.0.0.1:' + server.addr.port
const post = (path, body, type = 'application/json') => fetch(origin + path, { method: 'POST', headers: { 'content-type': type }, body })
const query = '{"input_data":"x","model_output":[0.25,0.25,0.25,0.25]}'
const detect = await (await post('/detect', query)).json()
const refused = await post('/detect', '{"input_data":"x","model_output":[0,0]}')
const lines = await (await post('/v1/inspect/batch', query + '\\nbad\\n' + query, 'application/x-ndjson')).text()
const form = new FormData()
form.set('image', new Blob(['x']), 'a.png')
form.set('model_output', '[1]')
const multipart = await fetch(origin + '/v1/inspect', { method: 'POST', body: form })
const events = await fetch(origin + '/v1/events')
const first = new TextDecoder().decode((await events.body.getReader().read()).value)
const metrics = await (await fetch(origin + '/metrics')).text()
console.log(JSON.stringify({
  confidence: detect.confidence,
  refused: refused.status,
  lines: lines.trim().split('\\n').length,
  multipart: multipart.status,
  first: first.split('\\n')[0],
  counted: metrics.split('\\n').find((line) => line.startsWith('detector_requests_total')),
}))
Deno.exit(0)
`

describe('Deno', () => {
  test.skipIf(reason !== '')(`answers the same${reason}`, { timeout: 120_000 }, async () => {
    const entry = join(folder, 'entry.ts')
    const from = (path: string) => JSON.stringify(join(root, 'src/server', path))
    writeFileSync(
      entry,
      `export { createServerApp } from ${from('http/app.ts')}
export { checkConfig } from ${from('config/config.ts')}
export { createMetrics } from ${from('metrics/provider.ts')}`,
    )
    const bundle = await rolldown({ input: entry, platform: 'node', external: ['sharp'], logLevel: 'silent' })
    await bundle.write({ dir: folder, format: 'esm', entryFileNames: 'app.js' })
    writeFileSync(join(folder, 'main.mjs'), PROGRAM)
    const { stdout, stderr } = spawnSync(deno, ['run', '-A', '--no-prompt', 'main.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual({
      confidence: 1.3862943607198905,
      refused: 422,
      lines: 3,
      multipart: 200,
      first: 'event: hello',
      counted: 'detector_requests_total{detector="confidence"} 4',
    })
  })
})
