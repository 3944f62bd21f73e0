/** A static server for browser tests: folders by prefix, cross-origin isolated, on loopback. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** Pages may use shared memory, as they do behind our own servers. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store',
}

export interface StaticServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string
  /** Paths asked for so far, in order. */
  readonly requests: string[]
  close(): Promise<void>
}

/** Serves the folder of the first prefix that fits: `{ '/dist/': folder, '/': another }`. Prefixes end with a slash. */
export async function serveStatic(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = HEADERS,
): Promise<StaticServer> {
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    requests.push(path)
    const prefix = Object.keys(folders).find((known) => path.startsWith(known)) ?? '/'
    const rest = path.endsWith('/') ? `${path}index.html` : path
    const file = join(folders[prefix] ?? '', rest.slice(prefix.length))
    try {
      const body = await readFile(file)
      response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' })
      response.end(body)
    } catch {
      response.writeHead(404, headers).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  }
}
