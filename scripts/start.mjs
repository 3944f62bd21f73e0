// Serves the built demo on loopback: `node scripts/start.mjs [--port 4173]`. Taken ports are passed over.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { preview } from 'vite'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

// As in the page's own meta element; a worker takes its policy from the answer that its script came with.
const policy = [
  "default-src 'self'",
  "connect-src 'none'",
  "form-action 'none'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
].join('; ')

function readPort() {
  const { values } = parseArgs({ options: { port: { type: 'string' } } })
  const given = values.port ?? process.env.PORT ?? '4173'
  const port = Number(given)
  if (/^\d+$/.test(given) && port >= 1 && port <= 65535) return port
  throw new Error(`the port must be a whole number from 1 to 65535, got "${given}"`)
}

async function main() {
  const port = readPort()
  if (!existsSync(path('../dist/demo/index.html'))) throw new Error('dist/demo is missing: run npm run build first')
  const server = await preview({
    configFile: path('../vite.config.ts'),
    root: path('../demo'),
    mode: 'demo',
    appType: 'mpa', // an unknown path is a 404, not the page
    logLevel: 'error',
    preview: {
      port,
      strictPort: false,
      cors: false,
      open: false,
      headers: {
        'Content-Security-Policy': policy,
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
      },
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close().finally(() => process.exit(0)))
  console.log(`monitaur demo: http://127.0.0.1:${server.httpServer.address().port}/`)
}

main().catch((error) => {
  console.error(`monitaur demo: ${error.message}`)
  process.exitCode = 1
})
