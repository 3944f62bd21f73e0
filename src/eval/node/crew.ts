/** Worker threads that run sessions, each with its own models and data, and the same module on their side. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { errorFromPlain, isMonitorError, MonitorError, type PlainError, toMonitorError } from '../../core/index.ts'
import type { SessionResult } from '../results.ts'
import { openBench, runJob } from './bench.ts'
import type { Job, Plan } from './plan.ts'

/** What a thread is started with. */
interface Start {
  /** The module that serves in it: a plug-in may import another copy of this one. */
  readonly evalThread: string
  readonly plan: Plan
  readonly cache: string | undefined
}

/** What a thread says of one job; before its first, that it is ready or cannot be. */
type Said =
  | { readonly state: 'ready' }
  | { readonly state: 'unable'; readonly error: PlainError }
  | { readonly state: 'done'; readonly result: SessionResult }
  | { readonly state: 'failed'; readonly message: string }

export interface CrewOptions {
  readonly plan: Plan
  readonly cache: string | undefined
  readonly jobs: readonly Job[]
  readonly threads: number
  /** Aborted: no more jobs, and those that run are dropped. */
  readonly signal: AbortSignal | undefined
  onDone(job: Job, result: SessionResult): void
  onFailed(job: Job, message: string): void
}

/** Runs all jobs. Rejects with what keeps a thread from starting; a thread that dies takes its own session with it. */
export async function runCrew(options: CrewOptions): Promise<void> {
  const queue = options.jobs.values()
  const count = Math.min(options.threads, options.jobs.length)
  await Promise.all(Array.from({ length: count }, () => work(queue, options)))
}

async function work(queue: Iterator<Job>, options: CrewOptions): Promise<void> {
  let thread: Thread | undefined
  try {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      if (options.signal?.aborted) return
      thread ??= await startThread(options)
      const said = await thread.run(next.value)
      if (said === 'stopped') return
      if (said.state === 'done') options.onDone(next.value, said.result)
      else if (said.state === 'failed') options.onFailed(next.value, said.message)
      if (thread.isOver) thread = undefined
    }
  } finally {
    await thread?.stop()
  }
}

interface Thread {
  readonly isOver: boolean
  run(job: Job): Promise<Said | 'stopped'>
  stop(): Promise<unknown>
}

async function startThread({ plan, cache, signal }: CrewOptions): Promise<Thread> {
  const start: Start = { evalThread: import.meta.url, plan, cache }
  const worker = new Worker(new URL(import.meta.url), { workerData: start })
  let isOver = false
  let reason = ''
  let settle: (said: Said | 'stopped') => void = () => {}
  worker.on('message', (said: Said) => settle(said))
  worker.on('error', (error) => {
    reason = `: ${messageOf(error)}`
  })
  worker.on('exit', (code) => {
    isOver = true
    settle({ state: 'failed', message: `its thread ended with code ${code}${reason}` })
  })
  const stopped = () => settle('stopped')
  signal?.addEventListener('abort', stopped, { once: true })
  const first = await answer()
  if (first !== 'stopped' && first.state !== 'ready') {
    await worker.terminate()
    if (first.state === 'unable') throw errorFromPlain(first.error)
    throw new MonitorError('worker_lost', first.state === 'failed' ? first.message : 'a thread did not start')
  }
  return {
    get isOver() {
      return isOver
    },
    run(job) {
      if (signal?.aborted) return Promise.resolve('stopped')
      const said = answer()
      worker.postMessage(job)
      return said
    },
    stop() {
      signal?.removeEventListener('abort', stopped)
      return worker.terminate()
    },
  }

  function answer(): Promise<Said | 'stopped'> {
    return new Promise((resolve) => {
      settle = resolve
    })
  }
}

/** The thread's side: one job after the other. */
async function serve({ plan, cache }: Start): Promise<void> {
  const say = (said: Said) => parentPort!.postMessage(said)
  try {
    const bench = await openBench(plan)
    parentPort!.on('message', async (job: Job) => {
      try {
        say({ state: 'done', result: await runJob(bench, job, cache) })
      } catch (thrown) {
        say({ state: 'failed', message: messageOf(thrown) })
      }
    })
    say({ state: 'ready' })
  } catch (thrown) {
    say({ state: 'unable', error: toMonitorError(thrown, 'bad_config').toJSON() })
  }
}

function messageOf(thrown: unknown): string {
  if (isMonitorError(thrown)) return thrown.message
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
}

// The threads are started with this very file, whatever a bundler has made of it.
if (!isMainThread && (workerData as Partial<Start> | null)?.evalThread === import.meta.url) serve(workerData as Start)
