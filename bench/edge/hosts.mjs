/** What the middleware runs in: workerd, by Miniflare, and Node. Each gives a port and is closed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Miniflare } from 'miniflare'
import { rolldown } from 'rolldown'

const API_MS = 10
const here = fileURLToPath(new URL('.', import.meta.url))

/** The source as one module, and a folder that is gone after `close`. */
export async function bundleApp() {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-bench-'))
  const file = join(folder, 'app.mjs')
  const bundle = await rolldown({ input: join(here, 'app.mjs'), platform: 'neutral', logLevel: 'silent' })
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  return { folder, file, close: () => rmSync(folder, { recursive: true }) }
}

/** A model API that takes 10 ms. */
export async function startApi() {
  const text = JSON.stringify({ label: 'a', scores: [0.7, 0.2, 0.1] })
  const headers = { 'content-type': 'application/json', 'content-length': text.length }
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => setTimeout(() => response.writeHead(200, headers).end(text), API_MS))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => server.close().closeAllConnections()
  return { url: `http://127.0.0.1:${server.address().port}/`, close }
}

export async function startWorkerd({ file }, api) {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-04-01',
    bindings: { API: api.url },
    modules: [{ type: 'ESModule', path: 'app.mjs', contents: readFileSync(file, 'utf8') }],
  })
  const { port } = await miniflare.ready
  return { name: 'workerd', port: Number(port), close: () => miniflare.dispose() }
}

export async function startNode({ folder }, api) {
  const server = new URL(import.meta.resolve('@hono/node-server'))
  const main = join(folder, 'node.mjs')
  writeFileSync(
    main,
    `import { serve } from ${JSON.stringify(server.href)}
import { handle } from ${JSON.stringify(pathToFileURL(join(folder, 'app.mjs')).href)}
const env = { API: ${JSON.stringify(api.url)} }
serve({ fetch: (request) => handle(request, env), port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(port))`,
  )
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(createInterface(child.stdout), 'line')
  return { name: 'Node', port: Number(port), close: () => once(child, 'exit', child.kill()) }
}
