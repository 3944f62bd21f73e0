/** A server app without a socket, and requests to it. */
import { checkConfig } from '../../src/server/config/config.ts'
import { createServerApp, type ServerApp } from '../../src/server/http/app.ts'
import type { ServerAppOptions } from '../../src/server/http/service.ts'
import { createMetrics } from '../../src/server/metrics/provider.ts'

export interface TestServer {
  readonly app: ServerApp
  /** All metrics as text. */
  readonly exposition: () => Promise<string>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Posts JSON, or a text as it is. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Posts JSON and reads the JSON of the answer. */
  ask(path: string, body: unknown): Promise<Answer>
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field in tests
export type Answer = { readonly status: number; readonly body: any }

const ORIGIN = 'http://127.0.0.1'

/** A local server of this configuration. */
export async function testServer(config: object = {}, options: Partial<ServerAppOptions> = {}): Promise<TestServer> {
  const { meter, add, exposition } = await createMetrics()
  const app = createServerApp({ config: checkConfig(config), meter, exposition, isLocal: true, ...options })
  add(app.histograms)
  const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const request = new Request(ORIGIN + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    })
    return app.fetch(request)
  }
  return {
    app,
    exposition,
    get: async (path, headers = {}) => app.fetch(new Request(ORIGIN + path, { headers })),
    post,
    ask: async (path, body) => {
      const response = await post(path, body)
      return { status: response.status, body: await response.json() }
    },
  }
}

/** The value of a series in an exposition; undefined if there is none. Labels in the order they are written. */
export function metric(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}
