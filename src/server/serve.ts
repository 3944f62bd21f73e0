/** `monitaur serve`: the app with a socket, a configuration, a log and a state around it. */
import { unwatchFile, watchFile } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MonitorError } from '../core/index.ts'
import { isLoopback, type ServerConfig } from './config/config.ts'
import { printConfig } from './config/print.ts'
import { loadConfig, unknownVariables } from './config/source.ts'
import { createServerApp, type ServerApp } from './http/app.ts'
import type { ServerAppOptions } from './http/service.ts'
import type { Io } from './main.ts'
import { measureClock, measureConnections, measureProcess } from './metrics/process.ts'
import { createMetrics } from './metrics/provider.ts'
import { Output } from './output.ts'
import { redisStores } from './redis/redisStores.ts'
import { readAssets } from './serveAssets.ts'
import { listen } from './serveHost.ts'
import { createLog, describeError, type Log } from './serveLog.ts'
import { readServeOptions, SERVE_HELP, type ServeOptions } from './serveOptions.ts'
import { keepState } from './serveState.ts'
import { createSteadyClock } from './steadyClock.ts'
import { fileStores } from './stores/fileStores.ts'
import { sealedStores } from './stores/sealedStores.ts'
import { version } from './version.ts'

/** Beside the program or beside the folder of its chunks; where this source runs itself, as it was built last. */
const COCKPIT = (import.meta.url.endsWith('.ts') ? ['../../dist/cockpit'] : ['cockpit', '../cockpit']).map((folder) => {
  return join(dirname(fileURLToPath(import.meta.url)), folder)
})
const WATCH_MS = 1000
const WARMUP_RETRY_MS = 30_000

/** Runs the server until it is told to stop; gives the exit code. Throws a `MonitorError` for what cannot start. */
export async function serve(args: readonly string[], io: Io): Promise<number> {
  const stdout = new Output(io.stdout)
  const options = readServeOptions(args)
  if (options === 'help') {
    await stdout.write(SERVE_HELP)
    return 0
  }
  const config = await loadConfig(options.overrides, io.env)
  if (options.printConfig) {
    await stdout.write(printConfig(config, options))
    return 0
  }
  checkReach(config)
  const stream = options.quiet ? { write: () => true } : io.stderr
  const log = createLog({ stream, key: config.log.key, now: Date.now })
  for (const name of unknownVariables(io.env)) log.write('warn', 'unknown_variable', { name })
  return run({ options, config, log, io, stdout })
}

/** Whoever reaches the server may suspend clients, unless there is a token. */
function checkReach({ host, token }: ServerConfig): void {
  if (token !== undefined || isLoopback(host)) return
  const remedy = 'set MONITAUR_TOKEN or --token-file, or listen on 127.0.0.1'
  throw new MonitorError('bad_config', `'${host}' can be reached by others, and there is no token: ${remedy}`, 'host')
}

interface Run {
  readonly options: ServeOptions
  readonly config: ServerConfig
  readonly log: Log
  readonly io: Io
  readonly stdout: Output
}

async function run({ options, config, log, io, stdout }: Run): Promise<number> {
  const metrics = await createMetrics(config.metrics)
  const endMeasuring = measureProcess(metrics.meter)
  const countStep = measureClock(metrics.meter)
  const now = createSteadyClock({
    onStep: ({ kind, byMs }) => {
      if (kind === 'seen') countStep()
      log.write('warn', `clock_step_${kind}`, { byMs })
    },
  })
  const app = createServerApp({
    config,
    now,
    meter: metrics.meter,
    exposition: metrics.exposition,
    log: log.tell,
    isLocal: isLoopback(config.host),
    assets: await readAssets(COCKPIT),
    build: { version: version(), runtime: `node ${process.versions.node}` },
    ...logOf(config.state, (thrown) => log.write('error', 'failure', describeError(thrown))),
  })
  metrics.add(app.histograms)
  const onFailure = (thrown: unknown) => log.write('error', 'failure', describeError(thrown))
  await app.open()
  const state = await keepState(app, config.state, onFailure)
  const stopping = stopSignal(io.interrupted)
  const server = await listen(app, { ...config, onFailure })
  measureConnections(metrics.meter, server.connections)
  const unwatch = watchConfig(app, options, io, log)
  await stdout.write(
    options.json ? `${JSON.stringify({ address: `${server.origin}/` })}\n` : `monitaur: ${server.origin}/\n`,
  )
  log.write('info', 'started', { address: server.origin, models: config.models.map(({ name }) => name) })
  const warmed = warmUp(app, stopping.signal, log)

  await stopping.stopped
  log.write('info', 'stopping')
  unwatch()
  app.drain()
  const isClean = await server.stop(config.limits.shutdownMs)
  if (!isClean) log.write('error', 'cut_off', { afterMs: config.limits.shutdownMs })
  state.stop()
  const isSaved = await state.save().then(
    () => true,
    (thrown: unknown) => {
      onFailure(thrown)
      return false
    },
  )
  await warmed
  await metrics.shutdown().catch(onFailure)
  endMeasuring()
  await app.dispose()
  stopping.forget()
  log.write('info', 'stopped', { clean: isClean && isSaved })
  return isClean && isSaved ? 0 : 2
}

/** Stores for each model: a folder of its own, or keys of its own in Redis. */
function logOf(
  { journal, sync, redis, secret }: ServerConfig['state'],
  onFailure: (thrown: unknown) => void,
): Pick<ServerAppOptions, 'stores' | 'journal'> {
  if (redis !== undefined) {
    const { retryMs, snapshotEvery, shard, ...place } = redis
    const nameOf = (model: string) => (shard === undefined ? model : `${model}/${shard}`)
    const stores = (model: string) => redisStores({ ...place, name: nameOf(model), onFailure })
    // A call is several commands, each of which gives up by itself.
    return { stores, journal: { retryMs, snapshotEvery, timeoutMs: 3 * redis.timeoutMs } }
  }
  if (journal === undefined) return {}
  const open = (model: string) => fileStores(join(journal, `model-${model}`), { sync })
  if (secret === undefined) return { stores: open }
  return { stores: async (model) => sealedStores(await open(model), { secret, place: `model ${model}` }) }
}

/** Resolves when the process is told to stop, in any of the usual ways. */
function stopSignal(interrupted: AbortSignal | undefined) {
  const controller = new AbortController()
  const stop = () => controller.abort()
  process.on('SIGTERM', stop)
  if (interrupted?.aborted) stop()
  interrupted?.addEventListener('abort', stop)
  const stopped = new Promise<void>((resolve) => {
    if (controller.signal.aborted) resolve()
    controller.signal.addEventListener('abort', () => resolve())
  })
  return { stopped, signal: controller.signal, forget: () => process.off('SIGTERM', stop) }
}

/** Loads the models of embedders, again and again until it works. */
async function warmUp(app: ServerApp, signal: AbortSignal, log: Log): Promise<void> {
  while (!signal.aborted) {
    try {
      await app.warmup()
      return
    } catch (thrown) {
      log.write('error', 'warmup_failed', describeError(thrown))
      await pause(WARMUP_RETRY_MS, signal)
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Reads the file again when it changes and on SIGHUP. Returns the function that ends it. */
function watchConfig(app: ServerApp, { overrides }: ServeOptions, { env }: Io, log: Log): () => void {
  const file = overrides.file ?? env['MONITAUR_CONFIG']
  let reloading = Promise.resolve()
  const reload = () => {
    reloading = reloading.then(async () => {
      try {
        await app.reload(loadConfig(overrides, env))
        log.write('info', 'reloaded')
      } catch (thrown) {
        log.write('error', 'reload_refused', describeError(thrown))
      }
    })
  }
  process.on('SIGHUP', reload)
  if (file !== undefined) watchFile(file, { interval: WATCH_MS, persistent: false }, reload)
  return () => {
    process.off('SIGHUP', reload)
    if (file !== undefined) unwatchFile(file, reload)
  }
}
