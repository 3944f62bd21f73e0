/** A log and snapshots in Redis, which several processes share. */
import { randomUUID } from 'node:crypto'
import { checkNumber, isMonitorError, MonitorError, refuse } from '../../core/index.ts'
import { type Appended, checkFollows, type LogRecord, numberOf, positionOf, type Stores } from '../../edge/index.ts'
import { createSeal } from '../seal.ts'
import { openBoard } from './board.ts'
import { Link, shown } from './link.ts'
import { APPEND, SWAP, TRIM } from './scripts.ts'

export interface RedisStoresOptions {
  /** `redis://[user:password@]host:port/db`, or `rediss://` for TLS. Redis 7 or newer. */
  readonly url: string
  /** What everything in Redis is sealed with, the same for all replicas, at least 16 characters. */
  readonly secret: string
  /** Tells monitors apart: those with the same name share a log. Default `default`. */
  readonly name?: string
  /** In front of every key. Default `monitaur`. */
  readonly prefix?: string
  /** How long a command may take. Default 2000. */
  readonly timeoutMs?: number
  /** Entries that stay in the log behind a snapshot, for replicas that are a little behind. Default 10 000. */
  readonly keepEntries?: number
  /** Told of a note about a suspension that could not be posted. */
  readonly onFailure?: (thrown: unknown) => void
}

const MAX_BYTES = 16 * 2 ** 20
/** Entries of one read. */
const PAGE = 500
/** Of a snapshot, so that no command keeps Redis for long. */
const PART = 2 ** 20
const ABANDONED_MS = 600_000
/** So far may the clock of a server be ahead of that of Redis. */
const AHEAD_MS = 60_000
/** Nobody else begins a snapshot for so long. */
const CLAIM_MS = 5000

const COUNT = /^\d{1,16}$/

type Raw = readonly [id: Buffer, fields: readonly Buffer[]]

/**
 * Opens stores in Redis: `redisStores({ url: 'redis://127.0.0.1:6379', secret })`. What is acknowledged is as safe as Redis
 * keeps it: with `appendonly yes` and `appendfsync always` it survives a power cut. A lost connection is made again.
 *
 * Rejects with `missing_package`, `bad_config`, and `store_failed` where Redis cannot be reached or is older than 7.
 */
export async function redisStores(options: RedisStoresOptions): Promise<Stores> {
  const { url, secret, name, prefix, timeoutMs, keepEntries, onFailure } = checked(options)
  const base = `${prefix}:{${name}}:`
  const [log, head, pointer, claim] = ['log', 'head', 'snapshot', 'claim'].map((part) => base + part) as [
    string,
    string,
    string,
    string,
  ]
  const channel = `${base}news`
  const seal = createSeal(secret, base)
  const listeners = new Set<(end: string) => void>()
  const tell = (last: string) => {
    if (!COUNT.test(last)) return // no news of ours
    for (const listener of listeners) listener(positionOf(Number(last)))
  }
  const link = await Link.open({ url, timeoutMs })
  const board = await opening(async () => {
    await checkVersion(link, url)
    return openBoard({ link, url, timeoutMs, base, nameOf: seal.nameOf, news: { [channel]: tell }, onFailure })
  }, link)
  /** The number of the last entry that was seen: the log never ends before it. */
  let known = 0
  let appending: Promise<unknown> = Promise.resolve()
  let saving: Promise<unknown> = Promise.resolve()

  /** What the clock of Redis said, and when by a clock that nobody sets. */
  let clock = await opening(readClock, link)

  async function readClock(): Promise<{ readonly ms: number; readonly at: number }> {
    const [seconds, micros] = await link.command<[Buffer, Buffer]>('TIME')
    return { ms: Number(seconds) * 1000 + Number(micros) / 1000, at: performance.now() }
  }

  async function numbers(): Promise<{ last: number; trimmed: number }> {
    const [last, trimmed] = await link.command<(Buffer | null)[]>('HMGET', head, 'last', 'trimmed')
    return { last: countOf(last, 'head.last'), trimmed: countOf(trimmed, 'head.trimmed') }
  }

  /** Throws where entries are gone that were acknowledged. */
  function checkEnd(last: number, least: number): void {
    if (last < least) throw lost(last, least)
    known = Math.max(known, last)
  }

  const recordOf = ([id, fields]: Raw, before: number): LogRecord => {
    const position = positionOf(checkFollows(Number(id.subarray(2).toString('latin1')), before))
    const path = `log[${position}]`
    const sealed = fields[1]
    return sealed === undefined
      ? refuse('bad_snapshot', 'must hold an entry', fields.length, path)
      : { position, bytes: seal.open(sealed, path) }
  }

  async function append(sealed: readonly Buffer[], since: string | undefined): Promise<Appended> {
    const after = since === undefined ? -1 : numberOf(since)
    const args = ['2', log, head, String(known), String(after), String(PAGE), channel]
    let reply: [last: Buffer, between: Raw[]]
    try {
      reply = await link.script(APPEND, ...args, ...sealed)
    } catch (thrown) {
      const [, end] = /LOST (\d+)/.exec((thrown as Error).message) ?? []
      throw end === undefined ? thrown : lost(Number(end), known)
    }
    const last = Number(reply[0])
    known = Math.max(known, last + sealed.length)
    const positions = sealed.map((_, i) => positionOf(last + 1 + i))
    const isWhole = reply[1].length > 0 && reply[1].length === last - after
    const between = isWhole ? { between: reply[1].map((raw, i) => recordOf(raw, after + i)) } : {}
    return { positions, after: positionOf(last), ...between }
  }

  async function save(bytes: Uint8Array, position: string): Promise<void> {
    const old = await link.command<Buffer | null>('HGET', pointer, 'position')
    if (old !== null && old.toString('latin1') > position) return
    const token = randomUUID()
    const part = `${pointer}:${token}`
    // Part by part, so that queries are judged in between.
    for (let start = 0; start === 0 || start < bytes.length; start += PART) {
      await link.command('RPUSH', part, seal.seal(bytes.subarray(start, start + PART)))
      if (start === 0) await link.command('PEXPIRE', part, String(ABANDONED_MS))
    }
    await link.script(SWAP, '3', pointer, part, `${pointer}:`, position, token)
  }

  /** Undefined if it has gone. */
  async function loadParts(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const count = await link.command<number>('LLEN', key)
    const parts: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      const sealed = await link.command<Buffer | null>('LINDEX', key, String(i))
      if (sealed === null) return undefined
      parts.push(seal.open(sealed, 'snapshot'))
    }
    return count === 0 ? undefined : new Uint8Array(Buffer.concat(parts))
  }

  return {
    log: {
      isShared: true,
      maxBytes: MAX_BYTES,
      append(entries, since) {
        const sealed = entries.map(seal.seal)
        const mine = appending.then(() => append(sealed, since))
        appending = mine.catch(() => {})
        return mine
      },
      async *read(after) {
        let number = numberOf(after)
        const { last: end, trimmed } = await numbers()
        checkEnd(end, Math.max(number, known))
        number = Math.max(number, trimmed)
        while (number < end) {
          const range = ['XRANGE', log, `0-${number + 1}`, `0-${end}`, 'COUNT', String(PAGE)]
          const page = await link.command<Raw[]>(...range)
          if (page.length === 0) checkFollows(undefined, number)
          for (const raw of page) yield recordOf(raw, number++)
        }
      },
      async trim(upTo, { all = false } = {}) {
        const keep = all ? 0 : keepEntries
        await link.script(TRIM, '2', log, head, String(numberOf(upTo)), String(keep))
      },
      trimmed: async () => positionOf((await numbers()).trimmed),
      async end() {
        const [{ last }, now] = await Promise.all([numbers(), readClock()])
        clock = now
        return positionOf(last)
      },
    },
    snapshots: {
      async load() {
        for (let attempt = 0; attempt < 10; attempt++) {
          const [position, token] = await link.command<(Buffer | null)[]>('HMGET', pointer, 'position', 'token')
          if (!position || !token) return undefined
          const bytes = await loadParts(`${pointer}:${token.toString('latin1')}`)
          if (bytes !== undefined)
            return { bytes, position: position.length === 0 ? '' : positionOf(countOf(position, 'snapshot.position')) }
        } // it was replaced meanwhile, again and again
        throw new MonitorError('bad_snapshot', 'has a name and no content: Redis has lost or evicted it', 'snapshot')
      },
      save(bytes, position) {
        const mine = saving.then(() => save(bytes, position))
        saving = mine.catch(() => {})
        return mine
      },
      async claim() {
        return (await link.command('SET', claim, '1', 'NX', 'PX', String(CLAIM_MS))) !== null
      },
    },
    suspensions: board,
    latestMs: () => clock.ms + (performance.now() - clock.at) + AHEAD_MS,
    onNews(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      await Promise.all([appending, saving])
      await board.close()
      await link.close()
    },
  }
}

/** A number that Redis keeps of the log; 0 before there is one. */
function countOf(kept: Buffer | null | undefined, path: string): number {
  const text = kept?.toString('latin1') ?? '0'
  return checkNumber(COUNT.test(text) ? Number(text) : text, { min: 0, integer: true }, path, 'bad_snapshot')
}

function lost(end: number, least: number): MonitorError {
  const what = `the log in Redis ends at entry ${end}, but entry ${least} was in it`
  const remedy =
    'use appendfsync always and maxmemory-policy noeviction; restart the replicas to go on with what is left'
  return new MonitorError('bad_snapshot', `${what}: Redis has lost entries; ${remedy}`, 'log')
}

async function opening<T>(open: () => Promise<T>, link: Link): Promise<T> {
  try {
    return await open()
  } catch (thrown) {
    await link.close()
    throw thrown
  }
}

async function checkVersion(link: Link, url: string): Promise<void> {
  const info = await link.command<Buffer>('INFO', 'server').catch((thrown: unknown) => {
    // A user whose rights end before INFO learns of an old Redis with the first entry.
    if (isMonitorError(thrown) && /NOPERM/.test(thrown.message)) return Buffer.from('redis_version:7')
    throw thrown
  })
  const [, version = '0'] = /redis_version:(\d+)/.exec(info.toString('latin1')) ?? []
  if (Number(version) < 7) throw new MonitorError('store_failed', `${shown(url)} is older than Redis 7`, 'redis')
}

const SECRET = { min: 16, max: 1024 }
const NAME = /^[\w./-]{1,100}$/

function checked(options: RedisStoresOptions): Required<RedisStoresOptions> {
  const { url, secret, name = 'default', prefix = 'monitaur', timeoutMs = 2000, keepEntries = 10_000 } = options
  const isUrl = typeof url === 'string' && /^rediss?:\/\/./.test(url) && URL.canParse(url)
  if (!isUrl) throw new MonitorError('bad_config', 'must be a redis:// or rediss:// address', 'url') // it may hold a password
  const length = typeof secret === 'string' ? secret.length : -1
  if (length < SECRET.min || length > SECRET.max) {
    throw new MonitorError('bad_config', `must be a text of ${SECRET.min} … ${SECRET.max} characters`, 'secret')
  }
  for (const [key, value] of Object.entries({ name, prefix })) {
    if (!NAME.test(value)) refuse('bad_config', 'must be 1 … 100 letters, digits, _ . / or -', value, key)
  }
  checkNumber(timeoutMs, { min: 1, max: 3_600_000 }, 'timeoutMs')
  checkNumber(keepEntries, { min: 0, max: 1e9, integer: true }, 'keepEntries')
  return { url, secret, name, prefix, timeoutMs, keepEntries, onFailure: options.onFailure ?? (() => {}) }
}
