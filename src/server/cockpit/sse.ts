/** Server-sent events out of bytes. `EventSource` cannot send a token, so the page reads the stream itself. */

export interface SentEvent {
  readonly event: string
  /** The lines of `data`, joined by line feeds. */
  readonly data: string
}

/** Characters of one event. A stream that never ends a line would fill the memory. */
const MAX_EVENT = 1 << 20

/**
 * Reads a stream as the HTML standard says: lines end in CR, LF or both, wherever the chunks are cut; an empty line ends
 * an event; lines that begin with a colon are comments. `id` and `retry` are not used here.
 */
export class SseParser {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #endedInCr = false
  #event = ''
  #data: string[] = []
  #size = 0

  /** The events that this chunk completes. Throws for an event of more than a million characters. */
  push(bytes: Uint8Array): SentEvent[] {
    let text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return []
    const endsInCr = text.endsWith('\r')
    if (this.#endedInCr && text.startsWith('\n')) text = text.slice(1)
    this.#endedInCr = endsInCr
    const lines = (this.#rest + text).split(/\r\n|\n|\r/)
    this.#rest = lines.pop() as string
    const events = lines.map((line) => this.#take(line)).filter((event) => event !== undefined)
    if (this.#rest.length + this.#size > MAX_EVENT) throw new Error(`an event has more than ${MAX_EVENT} characters`)
    return events
  }

  /** The event that a line ends, if it ends one. */
  #take(line: string): SentEvent | undefined {
    if (line === '') return this.#finish()
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'event') this.#event = value
    if (name === 'data') {
      this.#data.push(value)
      this.#size += value.length
    }
    return undefined
  }

  #finish(): SentEvent | undefined {
    const found = this.#data.length === 0 ? undefined : { event: this.#event || 'message', data: this.#data.join('\n') }
    this.#event = ''
    this.#data = []
    this.#size = 0
    return found
  }
}
