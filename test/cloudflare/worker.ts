/** A worker for tests: queries in, verdicts out, and ways to make its objects fail. */

import { waitUntil } from 'cloudflare:workers'
import { readReply } from '../../src/edge/cloudflare/reply.ts'
import {
  type CloudflareEnv,
  cloudflare,
  fromJson,
  monitorFetch,
  type ObjectNamespace,
  type ObjectState,
  probabilitiesAt,
  type SqlStorageLike,
} from '../../src/edge/index.ts'
import type { Query } from '../../src/embed/index.ts'

/** With and without a way to go on after the response. */
const host = cloudflare({ waitUntil })
const waiting = cloudflare()

/** What the objects of this isolate do wrong now. */
const faults = { disk: false, late: false }
/** Questions to objects so far. */
let calls = 0

type TestState = { readonly storage: SqlStorageLike } & ObjectState

/** A shard whose disk can fail and whose log can be damaged. */
export class MonitorShard extends host.MonitorShard {
  readonly #sql: SqlStorageLike['sql']

  constructor(state: TestState, env: CloudflareEnv) {
    super(faulty(state), env)
    this.#sql = state.storage.sql
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/rows') return Response.json([...this.#sql.exec('SELECT number FROM monitaur_log')].length)
    if (pathname === '/damage') {
      this.#sql.exec(
        "UPDATE monitaur_log SET bytes = x'4d54454e' WHERE number = (SELECT max(number) FROM monitaur_log)",
      )
      return Response.json('damaged')
    }
    if (faults.late) await new Promise((resolve) => setTimeout(resolve, 2000))
    return super.fetch(request)
  }
}

export const MonitorGlobal = host.MonitorGlobal

/** The same state with a disk that fails while `faults.disk` is set. */
function faulty(state: TestState): TestState {
  const { storage } = state
  return {
    id: state.id,
    blockConcurrencyWhile: (run) => state.blockConcurrencyWhile(run),
    waitUntil: (promise) => state.waitUntil(promise),
    storage: {
      getAlarm: () => storage.getAlarm(),
      setAlarm: (timeMs) => storage.setAlarm(timeMs),
      transactionSync: (run) => storage.transactionSync(run),
      sql: {
        exec(query, ...bindings) {
          if (faults.disk && /^INSERT/.test(query)) throw new Error('the disk is full')
          return storage.sql.exec(query, ...bindings)
        },
      },
    },
  }
}

/** The same environment, with the questions counted. */
function counted(env: CloudflareEnv): CloudflareEnv {
  const shards: ObjectNamespace = {
    idFromName: (name) => env.MONITAUR_SHARD.idFromName(name),
    get(id) {
      calls++
      return env.MONITAUR_SHARD.get(id)
    },
  }
  return { ...env, MONITAUR_SHARD: shards }
}

let watched: CloudflareEnv | undefined
let model: ReturnType<typeof watchedModel> | undefined

/** A model behind the middleware. */
function watchedModel(env: CloudflareEnv) {
  const answer = async (_request: Request, _env: CloudflareEnv, _context: unknown) =>
    Response.json({ scores: [0.5, 0.5] })
  return monitorFetch(answer, {
    monitor: host.monitor(env),
    query: fromJson({ input: '$.prompt' }),
    output: probabilitiesAt('$.scores'),
    client: (request) => request.headers.get('x-client') ?? '',
  })
}

export default {
  async fetch(request: Request, env: CloudflareEnv, context: unknown): Promise<Response> {
    watched ??= counted(env)
    const { pathname, searchParams } = new URL(request.url)
    const client = searchParams.get('client') ?? ''
    const name = searchParams.get('name') ?? ''
    if (pathname === '/model') {
      model ??= watchedModel(watched)
      return model(request, env, context)
    }
    try {
      const monitor = (searchParams.has('waits') ? waiting : host).monitor(watched)
      if (pathname === '/inspect') return Response.json(await monitor.inspect(revived(await request.text())))
      if (pathname === '/admit') return Response.json(await monitor.admit(client))
      if (pathname === '/suspend') return Response.json(await monitor.suspend(client).then(() => null))
      if (pathname === '/release') return Response.json(await monitor.release(client).then(() => null))
      if (pathname === '/clients') return Response.json(await monitor.clients())
      if (pathname === '/calls') return Response.json(calls)
      if (pathname === '/fault') return Response.json(Object.assign(faults, JSON.parse(searchParams.get('set')!)))
      const object = env.MONITAUR_SHARD.get(env.MONITAUR_SHARD.idFromName(name) as never)
      const answer = await object.fetch(`https://test${pathname}`, { method: 'GET' })
      return pathname === '/describe' ? Response.json(await readReply(answer)) : answer
    } catch (thrown) {
      const { code, message, path } = thrown as { code?: string; message?: string; path?: string }
      return Response.json({ code, message, path }, { status: 500 })
    }
  },
}

/** JSON knows no NaN. */
function revived(text: string): Query {
  return JSON.parse(text, (_, value) => (value === 'NaN' ? Number.NaN : value)) as Query
}
