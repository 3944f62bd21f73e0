/** Serves the built page under a folder, as simple hosts of files do: no headers but the type. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const FILES = fileURLToPath(new URL('../../dist/demo/', import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  json: 'application/json',
}

export interface DemoHost {
  readonly address: string
  /** Methods and paths below the folder asked for so far, in order, such as `GET index.html`. */
  readonly requests: string[]
  close(): void
}

/** `more` are files beside those of the page, by their path in the folder. */
export async function demoHost(folder: string, more: Readonly<Record<string, Uint8Array>> = {}): Promise<DemoHost> {
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    const name = pathname === folder ? 'index.html' : pathname.slice(folder.length)
    requests.push(`${request.method} ${name}`)
    try {
      const bytes = more[name] ?? (await readFile(FILES + name))
      const type = TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream'
      const headers = {
        'content-type': name.endsWith('.wasm') ? 'application/wasm' : type,
        'content-length': bytes.length,
      }
      response.writeHead(200, headers)
      response.end(request.method === 'HEAD' ? undefined : bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${folder}`,
    requests,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
