/**
 * A connection to Redis that is made again by itself, and that nobody waits for longer than agreed: a command without an
 * answer in time costs the connection, so that everything that hangs on it is settled. Nothing is sent twice.
 */
import { createHash } from 'node:crypto'
import { MonitorError } from '../../core/index.ts'
import { lateAfter } from '../../edge/index.ts'

type Argument = string | Buffer

/** What of `@redis/client` is used. */
interface Client {
  readonly isReady: boolean
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error' | 'ready' | 'end', listener: (thrown?: unknown) => void): unknown
  sendCommand<T>(args: readonly Argument[]): Promise<T>
  subscribe(channel: string, listener: (message: string) => void): Promise<void>
}

export interface LinkOptions {
  /** `redis://[user:password@]host:port/db`, or `rediss://` for TLS. */
  readonly url: string
  /** For a command, and for a connection to be made. */
  readonly timeoutMs: number
  /** Channels to listen to, and what to do with a message. */
  readonly channels?: Readonly<Record<string, (message: string) => void>>
  /** Told of every connection, the first included, once its channels are heard. */
  readonly onReady?: () => void
}

/** The type byte of strings in the protocol, which are wanted as bytes. */
const BLOB = 36
const RETRY_MS = { first: 20, most: 500 }
const PACKAGE = '@redis/client'

export class Link {
  readonly #options: LinkOptions
  #client: Client | undefined
  #isClosed = false
  #retries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #isMaking = false

  /** Connects. Rejects with `missing_package`, and with `store_failed` where nobody answers. */
  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options)
    try {
      await link.#make()
    } catch (thrown) {
      await link.close()
      throw thrown
    }
    return link
  }

  private constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Sends a command. Strings in its answer are bytes. Rejects with `store_failed`; it may have been done then. */
  async command<T>(...args: readonly Argument[]): Promise<T> {
    const client = this.#client
    if (client?.isReady !== true) throw failed('there is no connection')
    const answer = client.sendCommand<T>(args)
    answer.catch(() => {}) // one that was given up fails later
    const { late, end } = lateAfter(this.#options.timeoutMs)
    const tooLate = late.then((): never => {
      this.#drop(client)
      throw failed(`did not answer within ${this.#options.timeoutMs} ms`)
    })
    try {
      return await Promise.race([answer, tooLate])
    } catch (thrown) {
      throw thrown instanceof MonitorError ? thrown : failed((thrown as Error).message, thrown)
    } finally {
      end()
    }
  }

  /** Runs a script, by its hash where Redis knows it: a text is sent once, and again where Redis has begun anew. */
  async script<T>(text: string, ...args: readonly Argument[]): Promise<T> {
    try {
      return await this.command<T>('EVALSHA', hashOf(text), ...args)
    } catch (thrown) {
      if (!/NOSCRIPT/.test((thrown as Error).message)) throw thrown
      return this.command<T>('EVAL', text, ...args) // it was not run
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#client !== undefined) this.#drop(this.#client)
  }

  async #make(): Promise<void> {
    const { url, timeoutMs, channels = {}, onReady } = this.#options
    const createClient = await load()
    const client = createClient({
      url,
      RESP: 2,
      disableOfflineQueue: true,
      socket: { connectTimeout: timeoutMs, reconnectStrategy: false },
      // The time of a command is ours to watch: see command().
      commandOptions: { timeout: 0, typeMapping: { [BLOB]: Buffer } },
    })
    client.on('error', () => this.#drop(client))
    client.on('end', () => this.#drop(client))
    this.#client = client
    try {
      await inTime(client.connect(), timeoutMs)
      for (const [channel, listener] of Object.entries(channels)) {
        await inTime(client.subscribe(channel, listener), timeoutMs)
      }
    } catch (thrown) {
      this.#drop(client)
      throw failed(`${shown(url)} cannot be reached: ${(thrown as Error).message}`, thrown)
    }
    if (this.#client !== client) throw failed('the connection was lost')
    this.#retries = 0
    onReady?.()
  }

  /** Ends a connection, and makes another one a little later. */
  #drop(client: Client): void {
    if (this.#client !== client) return
    this.#client = undefined
    try {
      client.destroy()
    } catch {} // it has ended already
    this.#makeLater()
  }

  #makeLater(): void {
    if (this.#isClosed || this.#isMaking) return
    this.#isMaking = true
    const ms = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** this.#retries++)
    this.#timer = setTimeout(() => {
      this.#isMaking = false
      if (this.#isClosed) return
      this.#make().catch(() => this.#makeLater()) // commands say so meanwhile
    }, ms)
    this.#timer.unref()
  }
}

const hashes = new Map<string, string>()

/** SHA-1, by which Redis names scripts. */
function hashOf(text: string): string {
  const hash = hashes.get(text) ?? createHash('sha1').update(text).digest('hex')
  hashes.set(text, hash)
  return hash
}

function failed(message: string, cause?: unknown): MonitorError {
  return new MonitorError('store_failed', message, 'redis', { cause })
}

/** The address without what is secret in it. */
export function shown(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
  } catch {
    return 'the address'
  }
}

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  promise.catch(() => {})
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no connection within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function load(): Promise<(options: object) => Client> {
  try {
    const { createClient } = await import('@redis/client')
    return createClient as unknown as (options: object) => Client
  } catch (cause) {
    const message = `a log in Redis needs the package ${PACKAGE}: npm install ${PACKAGE}`
    throw new MonitorError('missing_package', message, '', { cause })
  }
}
