/** Messages of one turn, sent together: to deliver one takes longer than to judge a query. */
import type { Endpoint } from './protocol.ts'

/** Messages in one: the other side begins with the first ones while later ones are made. */
const MOST = 64

/** Several messages in one, in their order. */
export interface Bundle<T> {
  readonly all: readonly T[]
}

interface Letter<T> {
  readonly message: T
  readonly moved: readonly Transferable[]
}

export class Outbox<T> {
  readonly #endpoint: Endpoint
  readonly #onRefused: (message: T, thrown: unknown) => void
  #letters: Letter<T>[] = []

  /** `onRefused` hears of each message that cannot be cloned. */
  constructor(endpoint: Endpoint, onRefused: (message: T, thrown: unknown) => void) {
    this.#endpoint = endpoint
    this.#onRefused = onRefused
  }

  /** Sends a message at the end of the turn, behind all earlier ones. */
  post(message: T, moved: readonly Transferable[] = []): void {
    this.#letters.push({ message, moved })
    if (this.#letters.length === 1) queueMicrotask(this.#flush)
  }

  /** What was posted in this turn is not sent. */
  clear(): void {
    this.#letters = []
  }

  readonly #flush = (): void => {
    const letters = this.#letters
    this.#letters = []
    for (let at = 0; at < letters.length; at += MOST) this.#send(letters.slice(at, at + MOST))
  }

  #send(letters: readonly Letter<T>[]): void {
    const [first] = letters
    const isOne = letters.length === 1
    const moved = isOne ? first!.moved : letters.flatMap((letter) => letter.moved)
    const message = isOne ? first!.message : { all: letters.map((letter) => letter.message) }
    try {
      if (moved.length === 0) this.#endpoint.postMessage(message)
      else this.#endpoint.postMessage(message, [...moved])
    } catch (thrown) {
      if (isOne) this.#onRefused(first!.message, thrown)
      else for (const letter of letters) this.#send([letter])
    }
  }
}

/** The messages in what came, which may be anything. */
export function unbundle(data: unknown): readonly unknown[] {
  const { all } = Object(data) as Partial<Bundle<unknown>>
  return Array.isArray(all) ? all : [data]
}
