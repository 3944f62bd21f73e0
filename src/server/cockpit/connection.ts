/** Listens to the server's events for as long as the page is open, and comes back when the stream ends. */
import { ApiError } from './api.ts'
import { backOffMs } from './backOff.ts'
import { SseParser } from './sse.ts'

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** Trying again at a time of `performance.now()`. */
  | { readonly state: 'lost'; readonly reason: string; readonly retryMs: number }
  /** Nothing is tried: the page waits for a token. */
  | { readonly state: 'locked' }

export interface ConnectionOptions {
  readonly open: (signal: AbortSignal) => Promise<Response>
  readonly onEvent: (event: string, data: unknown) => void
  readonly onLink: (link: Link) => void
}

/** The server says something each second. */
const SILENCE_MS = 10_000
const FAREWELLS: Readonly<Record<string, string>> = {
  bye: 'the server is stopping',
  dropped: 'this page was too slow to follow',
}

/** How a stream ended. */
interface End {
  readonly reason: string
  /** Something had been heard: the next attempt need not wait long. */
  readonly wasLive: boolean
}

/** One listener. */
export class Connection {
  readonly #options: ConnectionOptions
  #running: AbortController | undefined
  #wake: () => void = () => {}

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Connects, or connects anew. */
  start(): void {
    this.stop()
    this.#running = new AbortController()
    void this.#run(this.#running.signal)
  }

  stop(): void {
    this.#running?.abort()
    this.#wake()
  }

  /** Ends the wait for the next attempt. */
  retryNow(): void {
    this.#wake()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { onLink } = this.#options
    let failures = 0
    while (!signal.aborted) {
      onLink({ state: 'connecting' })
      const { reason, wasLive } = await this.#listen(signal)
      if (signal.aborted) return
      failures = wasLive ? 0 : failures + 1
      const waitMs = backOffMs(failures, Math.random())
      onLink({ state: 'lost', reason, retryMs: performance.now() + waitMs })
      await this.#pause(waitMs)
    }
  }

  /** Listens until the stream ends. Never rejects. */
  async #listen(stopped: AbortSignal): Promise<End> {
    const silence = new AbortController()
    const signal = AbortSignal.any([stopped, silence.signal])
    const listen = () => setTimeout(() => silence.abort('silence'), SILENCE_MS)
    let timer = listen()
    let wasLive = false
    try {
      const { body } = await this.#options.open(signal)
      const parser = new SseParser()
      for (const reader = body!.getReader(); ; ) {
        const { done, value } = await reader.read()
        if (done) return { reason: 'the server has ended the connection', wasLive }
        clearTimeout(timer)
        timer = listen()
        for (const { event, data } of parser.push(value)) {
          const reason = FAREWELLS[event]
          if (reason !== undefined) return { reason, wasLive }
          if (!wasLive) this.#options.onLink({ state: 'live' })
          wasLive = true
          this.#options.onEvent(event, JSON.parse(data))
        }
      }
    } catch (thrown) {
      return { reason: reasonOf(thrown, silence.signal), wasLive }
    } finally {
      clearTimeout(timer)
      silence.abort()
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function reasonOf(thrown: unknown, silence: AbortSignal): string {
  if (silence.aborted) return 'the server has fallen silent'
  return thrown instanceof ApiError ? thrown.message : 'the connection broke'
}
