/**
 * The monitoring server on Deno, its memory in Deno KV: `deno run --unstable-kv -A workers/deno.ts`. The variable `MONITAUR`
 * holds the configuration as JSON, `MONITAUR_KV` the path of the database where it is not Deno's own.
 */
import { type DenoKvLike, denoKvStores } from '../src/edge/index.ts'
import { checkConfig, createMetrics, createServerApp, isLoopback } from '../src/server/index.ts'

declare const Deno: {
  readonly env: { get(name: string): string | undefined }
  openKv(path?: string): Promise<DenoKvLike>
  serve(options: { hostname: string; port: number; onListen(at: { port: number }): void }, fetch: unknown): unknown
}

const config = checkConfig(JSON.parse(Deno.env.get('MONITAUR') ?? '{}'))
const kv = await Deno.openKv(Deno.env.get('MONITAUR_KV'))
const { meter, add, exposition } = await createMetrics(config.metrics)
const app = createServerApp({
  config,
  meter,
  exposition,
  isLocal: isLoopback(config.host),
  stores: async (model) => denoKvStores(kv, { prefix: ['monitaur', model] }),
})
add(app.histograms)
await app.open()
const onListen = ({ port }: { port: number }) => console.log(`monitaur: http://${config.host}:${port}/`)
Deno.serve({ hostname: config.host, port: config.port, onListen }, app.fetch)
