/** Server-sent events: one stream of what happens, to listeners that may be slow. */
import type { ServerLimits } from '../config/limits.ts'
import { HttpError } from './errors.ts'

export type EventLimits = Pick<ServerLimits, 'maxListeners' | 'listenerQueue' | 'maxEventsPerSecond'>

const encoder = new TextEncoder()
const TICK_MS = 1000

/** Tells listeners. Nobody waits for them: one whose queue is full is told so, and dropped. */
export class Hub {
  readonly #limits: EventLimits
  readonly #onDrop: () => void
  readonly #tick: () => unknown
  readonly #listeners = new Set<Listener>()
  #timer: ReturnType<typeof setInterval> | undefined
  #sent = 0
  #omitted = 0

  /** `tick` gives what the event of that name says each second. */
  constructor(limits: EventLimits, { onDrop, tick }: { readonly onDrop: () => void; readonly tick: () => unknown }) {
    this.#limits = limits
    this.#onDrop = onDrop
    this.#tick = tick
  }

  get size(): number {
    return this.#listeners.size
  }

  /** Tells an event. Verdicts beyond the rate are left out, and counted in the next tick. */
  publish(event: string, data: () => unknown, { isMany = false }: { readonly isMany?: boolean } = {}): void {
    if (this.#listeners.size === 0) return
    if (isMany && this.#sent >= this.#limits.maxEventsPerSecond) {
      this.#omitted++
      return
    }
    if (isMany) this.#sent++
    this.#send(event, data())
  }

  /** A stream for one listener. Throws 503 if there are too many. */
  listen(): ReadableStream<Uint8Array> {
    if (this.#listeners.size >= this.#limits.maxListeners) {
      const headers = { 'retry-after': '5' }
      throw new HttpError(503, 'overloaded', `${this.#listeners.size} are listening, which is the limit`, { headers })
    }
    const listener = new Listener(this.#limits.listenerQueue, () => this.#remove(listener))
    this.#listeners.add(listener)
    this.#timer ??= setInterval(() => this.#onTick(), TICK_MS)
    listener.send(frame('hello', this.#tick()))
    return listener.stream
  }

  /** Ends all streams. */
  close(): void {
    for (const listener of [...this.#listeners]) listener.end(frame('bye', { reason: 'the server is stopping' }))
  }

  #onTick(): void {
    this.#send('tick', { ...(this.#tick() as object), omitted: this.#omitted })
    this.#sent = 0
    this.#omitted = 0
  }

  #send(event: string, data: unknown): void {
    const bytes = frame(event, data)
    for (const listener of [...this.#listeners]) {
      if (listener.send(bytes)) continue
      this.#onDrop()
      listener.end(frame('dropped', { reason: `more than ${this.#limits.listenerQueue} events were waiting` }))
    }
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function frame(event: string, data: unknown): Uint8Array {
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

/** One reader. What it has not taken yet waits in a bounded queue. */
class Listener {
  readonly stream: ReadableStream<Uint8Array>
  readonly #most: number
  readonly #onEnd: () => void
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #waiting: Uint8Array[] = []
  #isEnding = false

  constructor(most: number, onEnd: () => void) {
    this.#most = most
    this.#onEnd = onEnd
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#give(),
        cancel: () => this.#onEnd(),
      },
      { highWaterMark: 1 },
    )
  }

  /** False if the queue is full. */
  send(bytes: Uint8Array): boolean {
    if (this.#waiting.length >= this.#most) return false
    this.#waiting.push(bytes)
    this.#give()
    return true
  }

  /** The last thing it hears, in place of everything that waits. */
  end(bytes: Uint8Array): void {
    this.#onEnd()
    this.#isEnding = true
    this.#waiting = [bytes]
    this.#give()
  }

  #give(): void {
    while (this.#waiting.length > 0 && (this.#controller.desiredSize ?? 0) > 0) {
      this.#controller.enqueue(this.#waiting.shift()!)
    }
    if (!this.#isEnding || this.#waiting.length > 0) return
    this.#isEnding = false // a reader that waits asks for more while it is given something, and so ends it first
    this.#controller.close()
  }
}
