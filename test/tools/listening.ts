/** A monitoring server with a socket, for tests that come with a browser. */
import { checkConfig } from '../../src/server/config/config.ts'
import { createServerApp, type ServerApp } from '../../src/server/http/app.ts'
import type { Asset } from '../../src/server/http/service.ts'
import { listen } from '../../src/server/serveHost.ts'

export interface ListeningServer {
  readonly app: ServerApp
  /** Such as `http://127.0.0.1:41234/`. */
  readonly address: string
  readonly port: number
  /** Asks as a client does; gives the status of the answer. */
  ask(query: object): Promise<number>
  /** Stops as the program does; false if requests had to be cut off. */
  stop(): Promise<boolean>
}

const STOP_MS = 3000

/** Serves this configuration on a port of loopback, 0 for a free one. */
export async function listeningServer(
  config: object,
  { assets, port = 0 }: { readonly assets: ReadonlyMap<string, Asset>; readonly port?: number },
): Promise<ListeningServer> {
  const checked = checkConfig(config)
  const app = createServerApp({
    config: checked,
    assets,
    isLocal: true,
    build: { version: '1.2.3', runtime: 'a test' },
  })
  const failures: unknown[] = []
  const { limits } = checked
  const server = await listen(app, { host: '127.0.0.1', port, limits, onFailure: (thrown) => failures.push(thrown) })
  return {
    app,
    address: `${server.origin}/`,
    port: server.port,
    async ask(query) {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${server.origin}/v1/inspect`, {
        method: 'POST',
        headers,
        body: JSON.stringify(query),
      })
      await response.arrayBuffer()
      return response.status
    },
    async stop() {
      app.drain()
      const isClean = await server.stop(STOP_MS)
      await app.dispose()
      if (failures.length > 0) throw failures[0]
      return isClean
    },
  }
}
