/**
 * Who is suspended, as a hash in Redis that every replica has a copy of: read once, then kept true by messages. A replica
 * that is behind in the log, or has just begun, refuses whom another has suspended. Clients are named by keyed hashes.
 */
import type { SuspensionBoard } from '../../edge/index.ts'
import { Link } from './link.ts'
import { POST } from './scripts.ts'

interface BoardOptions {
  readonly link: Link
  readonly url: string
  readonly timeoutMs: number
  /** In front of the keys. */
  readonly base: string
  readonly nameOf: (client: string) => string
  /** Further channels of the same connection. */
  readonly news: Readonly<Record<string, (message: string) => void>>
  readonly onFailure: (thrown: unknown) => void
}

interface Note {
  readonly untilMs: number
  readonly position: string
}

/** So long a release stays known to replicas that are behind. */
const RELEASED_MS = 3_600_000
const LIST_MOST = 100_000

export async function openBoard(options: BoardOptions): Promise<SuspensionBoard & { close(): Promise<void> }> {
  const { link, url, timeoutMs, base, nameOf, news, onFailure } = options
  const [notes, ends, channel] = [`${base}suspended`, `${base}suspended:ends`, `${base}suspensions`]
  const known = new Map<string, Note>()

  function learn(name: string, position: string, until: string): void {
    const before = known.get(name)
    if (before !== undefined && before.position > position) return
    known.delete(name)
    known.set(name, { untilMs: Number(until), position })
    if (known.size > LIST_MOST) known.delete(known.keys().next().value as string)
  }

  async function readAll(): Promise<void> {
    const found = await link.command<Buffer[]>('HGETALL', notes)
    for (let i = 0; i < found.length; i += 2) {
      const [position = '', until = '0'] = found[i + 1]!.toString('latin1').split(' ')
      learn(found[i]!.toString('latin1'), position, until)
    }
  }

  const onMessage = (message: string) => {
    const [name = '', position = '', until = '0'] = message.split(' ')
    learn(name, position, until)
  }
  const listening = await Link.open({
    url,
    timeoutMs,
    channels: { [channel]: onMessage, ...news },
    // What was said while nobody listened.
    onReady: () => void readAll().catch(onFailure),
  })
  await readAll()

  return {
    post(client, untilMs, position) {
      const name = nameOf(client)
      const nowMs = Date.now()
      const endMs = Math.max(untilMs, nowMs + RELEASED_MS)
      learn(name, position, String(untilMs))
      const values = [name, position, untilMs, nowMs, endMs, channel].map(String)
      link.script(POST, '2', notes, ends, ...values).catch(onFailure)
    },
    of: (client) => (known.size === 0 ? undefined : known.get(nameOf(client))),
    close: () => listening.close(),
  }
}
