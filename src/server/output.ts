/** Writing to a stream that may be slow or may be gone, and making data fit to be seen on a terminal. */
import type { Writable } from 'node:stream'

/** What a reader that has gone away looks like, on the several platforms. */
const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'EOF', 'ERR_STREAM_DESTROYED'])

/** A stream written to as fast as its reader takes it. A reader that goes away is no failure: writing then does nothing. */
export class Output {
  readonly #stream: Writable
  #closed = false
  #failure: Error | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true
      if (!GONE.has(error.code)) this.#failure = error
    })
  }

  /** True once nobody reads any more. */
  get closed(): boolean {
    return this.#closed
  }

  /** Resolves when the stream can take more. Rejects when an earlier write failed, on a full disk for example. */
  async write(text: string): Promise<void> {
    if (!this.#closed && !this.#stream.write(text)) await this.#drained()
    if (this.#failure !== undefined) throw this.#failure
  }

  #drained(): Promise<void> {
    const events = ['drain', 'close', 'error']
    return new Promise((resolve) => {
      const settle = () => {
        for (const event of events) this.#stream.off(event, settle)
        resolve()
      }
      for (const event of events) this.#stream.once(event, settle)
    })
  }
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Text from data as it can be shown on a terminal: control characters, direction marks, line separators, invisible
 * characters and lone surrogates are written as escapes, so that no query can move the cursor or hide a line.
 */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (c) => NAMED[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`)
}

/** JSON with the same characters as JSON escapes: the same value for a program, harmless on a terminal. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(INVISIBLE, (c) => {
    const units = Array.from({ length: c.length }, (_, i) => c.charCodeAt(i))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
}
