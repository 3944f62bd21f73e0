/**
 * The page's side of one worker: a connection that notices when the worker is gone and starts another.
 *
 * A call to a worker that was ended or hangs is never answered. After a death the calls in flight reject with `worker_lost`
 * (who made them may send them again), a new worker is started, each time twice as late, up to a limit, and its machines
 * are made again before calls pass.
 */
import { MonitorError } from '../core/index.ts'
import { type Channel, openChannel } from './channel.ts'
import { type Endpoint, type HostApi, PROTOCOL } from './protocol.ts'
import { type Lane, Watch } from './watch.ts'

/** For whoever starts something that never answers: another module, a script that is not there, no module at all. */
const HOW_TO_START =
  "start it as new Worker(new URL('monitaur/worker/script', import.meta.url), { type: 'module' }), or with a script that calls serveWorker(self)"

/** The part of a Web Worker that is used. */
export interface WorkerLike extends Endpoint {
  terminate(): void
}

export interface LinkOptions {
  /**
   * Longest silence, in ms, of a detector or monitor that owes an answer; then the worker counts as hung and is replaced.
   * A call that waits behind others is not late while these are answered. Default 30 000.
   */
  readonly timeoutMs?: number
  /** Longest wait for a new worker to answer at all, in ms. Default 15 000. */
  readonly startTimeoutMs?: number
  /** Deaths in a row, without an answer in between, after which no other worker is started. Default 5. */
  readonly maxRestarts?: number
  /** Told of each restart. */
  readonly onRestart?: (event: { readonly reason: string; readonly restarts: number }) => void
}

/** What is done about a worker that was lost. */
export interface Replacing {
  /** At once, before a call in flight has heard of it. */
  lost(): void
  /** In a fresh worker, before calls pass. */
  prepare(api: HostApi): Promise<void>
}

/** One life of a worker. */
interface Session {
  /** Throws what ended this life, once it has ended. */
  readonly api: () => HostApi
  /** Resolves when the worker is ready for calls; rejects when it is gone. */
  readonly ready: Promise<void>
  readonly watch: Watch
  isReady: boolean
  /** Calls that wait for `ready`: no later one passes them. */
  queued: number
  end(error: MonitorError): void
}

const FIRST_DELAY_MS = 20

/** A connection to a worker that can be made again, or to a port that cannot. */
export class Link {
  readonly #make: (() => WorkerLike) | undefined
  readonly #options: Required<Omit<LinkOptions, 'onRestart'>> & Pick<LinkOptions, 'onRestart'>
  readonly #replacing: Replacing
  #session: Session
  #failuresInRow = 0
  #restarts = 0
  #hasAnswered = false
  #dead: MonitorError | undefined

  constructor(
    source: (() => WorkerLike) | { readonly port: Endpoint },
    replacing: Replacing,
    options: LinkOptions = {},
  ) {
    this.#make = typeof source === 'function' ? source : undefined
    this.#options = { timeoutMs: 30_000, startTimeoutMs: 15_000, maxRestarts: 5, ...options }
    this.#replacing = replacing
    this.#session = this.#start(typeof source === 'function' ? source : () => source.port, 0)
  }

  /** Workers started again since the beginning. */
  get restarts(): number {
    return this.#restarts
  }

  /** False once every call is refused. */
  get isAlive(): boolean {
    return this.#dead === undefined
  }

  /**
   * One call to the worker, sent as soon as the worker is ready. Rejects with `worker_lost`, `timeout` or `disposed`, or
   * with what `send` throws.
   */
  async call<T>(send: (api: HostApi) => Promise<T>, lane: Lane = { aliveMs: 0 }): Promise<T> {
    if (this.#dead !== undefined) throw this.#dead
    const session = this.#session
    if (!session.isReady || session.queued > 0) {
      session.queued++
      try {
        await session.ready
      } finally {
        session.queued--
      }
    }
    const answer = await session.watch.wait(lane, send(session.api()))
    this.#failuresInRow = 0
    return answer
  }

  /** Ends the worker and refuses every call. */
  dispose(): void {
    if (this.#dead?.code === 'disposed') return
    this.#dead = new MonitorError('disposed', 'was disposed; make a new one')
    this.#session.end(this.#dead)
  }

  /** Treats the worker as gone, for tests and for a host that knows better. */
  restart(reason: string): void {
    this.#lose(this.#session, new MonitorError('worker_lost', reason))
  }

  #start(make: () => Endpoint, delayMs: number): Session {
    let kill: (error: MonitorError) => void = () => {}
    const lost = new Promise<never>((_, reject) => {
      kill = reject
    })
    lost.catch(() => {}) // heard while it starts; nobody waits for it alone
    let close = () => {}
    let channel: Channel | undefined
    let ended: MonitorError | undefined

    const begin = async () => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      if (ended !== undefined) throw ended
      const endpoint = make()
      close = this.#watch(endpoint, (error) => this.#lose(session, error))
      channel = openChannel(endpoint)
      await this.#greet(channel.api, lost)
      session.isReady = true
    }
    const onLate = ({ message }: MonitorError) =>
      this.#lose(session, new MonitorError('worker_lost', `the worker was replaced: ${message}`))
    const session: Session = {
      api() {
        if (ended !== undefined) throw ended
        return channel!.api
      },
      ready: Promise.resolve()
        .then(begin)
        .catch((thrown) => {
          this.#lose(session, asLost(thrown))
          return lost
        }),
      watch: new Watch(this.#options.timeoutMs, onLate),
      isReady: false,
      queued: 0,
      end(error) {
        ended = error
        channel?.end()
        close()
        kill(error)
        session.watch.end(error)
      },
    }
    session.ready.catch(() => {}) // as for `lost`
    return session
  }

  /** Listens for the end of a worker or port; gives what ends it. */
  #watch(endpoint: Endpoint, onLost: (error: MonitorError) => void): () => void {
    const onError = (event: unknown) => {
      const { message } = event as { message?: string }
      ;(event as Partial<Event>).preventDefault?.()
      onLost(new MonitorError('worker_lost', `the worker failed: ${message || 'its script could not be loaded'}`))
    }
    const onUnreadable = () => onLost(new MonitorError('worker_lost', 'a message from the worker could not be read'))
    const onClose = () => onLost(new MonitorError('worker_lost', 'the port was closed on the other side'))
    const listeners = { error: onError as EventListener, messageerror: onUnreadable, close: onClose }
    for (const [event, listener] of Object.entries(listeners)) endpoint.addEventListener(event, listener)
    return () => {
      for (const [event, listener] of Object.entries(listeners)) endpoint.removeEventListener(event, listener)
      if (this.#make !== undefined) (endpoint as WorkerLike).terminate()
    }
  }

  async #greet(api: HostApi, lost: Promise<never>): Promise<void> {
    const protocol = await withClock(
      Promise.race([api.hello(), lost]),
      this.#options.startTimeoutMs,
      'the first sign of life',
    )
    if (protocol !== PROTOCOL) {
      const remedy = 'load the worker script of this release'
      throw new MonitorError('worker_lost', `speaks protocol ${protocol}, expected ${PROTOCOL}; ${remedy}`)
    }
    this.#hasAnswered = true
    await withClock(
      Promise.race([this.#replacing.prepare(api), lost]),
      this.#options.timeoutMs,
      'the state to be restored',
    )
  }

  #lose(session: Session, error: MonitorError): void {
    if (session !== this.#session || this.#dead !== undefined) return
    this.#failuresInRow++
    if (this.#make === undefined || this.#failuresInRow > this.#options.maxRestarts) {
      const tried =
        this.#make === undefined
          ? 'a port cannot be started again'
          : `gave up after ${this.#options.maxRestarts} restarts in a row`
      const remedy = this.#hasAnswered || this.#make === undefined ? '' : `; ${HOW_TO_START}`
      this.#dead = new MonitorError('worker_lost', `${error.message}; ${tried}${remedy}`)
      session.end(this.#dead)
      return
    }
    this.#restarts++
    this.#replacing.lost()
    this.#session = this.#start(this.#make, FIRST_DELAY_MS * 2 ** (this.#failuresInRow - 1))
    session.end(error)
    this.#options.onRestart?.({ reason: error.message, restarts: this.#restarts })
  }
}

function asLost(thrown: unknown): MonitorError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new MonitorError('worker_lost', message, '', { cause: thrown })
}

async function withClock<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new MonitorError('timeout', `waited ${ms} ms for ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
