/** The suite inside Deno, over a database in a file; prints the results as JSON. */
import { type DenoKvLike, denoKvStores } from '../../src/edge/stores/denoKv.ts'
import { runStoreChecks } from './suite.ts'

declare const Deno: {
  readonly args: readonly string[]
  openKv(path: string): Promise<DenoKvLike & { close(): void }>
}

const [folder] = Deno.args
const results = await runStoreChecks((name) => ({
  async open() {
    const kv = await Deno.openKv(`${folder}/${name}`)
    const stores = denoKvStores(kv, { prefix: ['test', name] })
    return {
      ...stores,
      async close() {
        await stores.close()
        kv.close()
      },
    }
  },
}))
console.log(JSON.stringify(results))
