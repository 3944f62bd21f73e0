/** The suite inside a Durable Object with SQLite. Answers with the results as JSON. */
import { type SqlStorageLike, sqlStores } from '../../src/edge/stores/sql.ts'
import { runStoreChecks } from './suite.ts'

interface State {
  readonly storage: SqlStorageLike
}

interface Env {
  readonly OBJECT: {
    idFromName(name: string): unknown
    get(id: unknown): { fetch(request: Request): Promise<Response> }
  }
}

export class StoreObject {
  readonly #storage: SqlStorageLike

  constructor({ storage }: State) {
    this.#storage = storage
  }

  async fetch(): Promise<Response> {
    const clear = () => {
      for (const table of ['log', 'snapshot', 'places'])
        this.#storage.sql.exec(`DROP TABLE IF EXISTS monitaur_${table}`)
    }
    const results = await runStoreChecks(() => {
      clear()
      return { isAlone: true, open: async () => sqlStores(this.#storage) }
    })
    return Response.json(results)
  }
}

export default {
  fetch: (request: Request, { OBJECT }: Env) => OBJECT.get(OBJECT.idFromName('stores')).fetch(request),
}
