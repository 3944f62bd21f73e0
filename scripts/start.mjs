/**
 * Serves the built demo and the monitoring server on loopback: `node scripts/start.mjs [--port 4173] [--server-port 8000]`.
 * Taken ports are passed over.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { preview } from 'vite'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

// As in the page's own meta element. A worker takes its policy from the answer that its script came with: those of the page
// may load files of the page, such as a runtime on request or what is kept for offline, and nothing from elsewhere. One whose
// address ends in `?model` is started when a visitor asks for a sentence model: it may load from the hub as well.
const policyFor = (connect) =>
  [
    "default-src 'self'",
    `connect-src ${connect}`,
    "form-action 'none'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "img-src 'self' blob: data:",
    "style-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
  ].join('; ')
const HUB = 'https://huggingface.co https://*.huggingface.co https://*.hf.co'
const isWorker = (url) => /^\/(?:sw\.js|assets\/[\w.-]*worker[\w.-]*\.js)(?:\?|$)/.test(url)

function readPort(text) {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port
  throw new Error(`the port must be a whole number from 1 to 65535, got "${text}"`)
}

async function main() {
  const { values } = parseArgs({ options: { port: { type: 'string' }, 'server-port': { type: 'string' } } })
  const port = readPort(values.port ?? process.env.PORT ?? '4173')
  const serverPort = readPort(values['server-port'] ?? '8000')
  for (const file of ['demo/index.html', 'cli.js']) {
    if (!existsSync(path(`../dist/${file}`))) throw new Error(`dist/${file} is missing: run npm run build first`)
  }
  const ends = [servePage(port)]
  let isStopping = false
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      isStopping = true
      await Promise.all(ends.map(async (end) => (await end)()))
      process.exit(0)
    })
  }
  await ends[0]
  if (!isStopping) ends.push(startServer((await isFree(serverPort)) ? serverPort : 0))
  await ends[1]
}

/** Returns what ends it. */
async function servePage(port) {
  const server = await preview({
    configFile: path('../vite.config.ts'),
    root: path('../demo'),
    mode: 'demo',
    appType: 'mpa', // an unknown path is a 404, not the page
    logLevel: 'error',
    plugins: [{ name: 'policy', configurePreviewServer: addPolicy }],
    preview: {
      port,
      strictPort: false,
      cors: false,
      open: false,
      headers: {
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
      },
    },
  })
  console.log(`monitaur demo: http://127.0.0.1:${server.httpServer.address().port}/`)
  return () => server.close()
}

function addPolicy({ middlewares }) {
  middlewares.use((request, response, next) => {
    response.setHeader('Content-Security-Policy', policyFor(connectOf(request.url ?? '')))
    next()
  })
}

/** Whom a file of this address may connect to. */
function connectOf(url) {
  if (!isWorker(url)) return "'none'"
  return url.endsWith('?model') ? `'self' ${HUB}` : "'self'"
}

/** `monitaur serve`. Returns what ends it; it ends with this process too. */
async function startServer(port) {
  const args = [path('../dist/cli.js'), 'serve', '--port', String(port), '--json', '--quiet']
  const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => program.kill())
  const first = once(createInterface({ input: program.stdout }), 'line')
  const [line] = await Promise.race([first, once(program, 'exit').then(([code]) => [code])])
  if (typeof line !== 'string') throw new Error(`the monitoring server ended with ${line}`)
  console.log(`monitaur server: ${JSON.parse(line).address} (cockpit; POST /detect, /metrics, /openapi.json)`)
  return async () => {
    program.kill('SIGTERM')
    if (program.exitCode === null) await once(program, 'exit')
  }
}

async function isFree(port) {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

main().catch((error) => {
  console.error(`monitaur: ${error.message}`)
  process.exitCode = 1
})
