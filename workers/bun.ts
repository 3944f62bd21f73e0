/**
 * The monitoring server on Bun, its memory in files: `bun workers/bun.ts`. The variable `MONITAUR` holds the configuration as
 * JSON, `MONITAUR_JOURNAL` the folder, by default `./monitaur-journal`.
 */
import { checkConfig, createMetrics, createServerApp, fileStores, isLoopback } from '../src/server/index.ts'

declare const Bun: {
  serve(options: { hostname: string; port: number; fetch: unknown }): { readonly port: number }
}

const config = checkConfig(JSON.parse(process.env['MONITAUR'] ?? '{}'))
const folder = process.env['MONITAUR_JOURNAL'] ?? './monitaur-journal'
const { meter, add, exposition } = await createMetrics(config.metrics)
const app = createServerApp({
  config,
  meter,
  exposition,
  isLocal: isLoopback(config.host),
  stores: (model) => fileStores(`${folder}/model-${model}`),
})
add(app.histograms)
await app.open()
const { port } = Bun.serve({ hostname: config.host, port: config.port, fetch: app.fetch })
console.log(`monitaur: http://${config.host}:${port}/`)
