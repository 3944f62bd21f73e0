/** Stores whose content only the holder of a secret can read, or write. */
import type { LogRecord, LogStore, Stores } from '../../edge/index.ts'
import { checkSecret } from '../config/text.ts'
import { createSeal } from '../seal.ts'

export interface SealedStoresOptions {
  /** 16 … 1024 characters; without it what was written can never be read again. */
  readonly secret: string
  /** Tells stores under the same secret apart, such as the name of a model: what is moved from one to another is refused. */
  readonly place: string
}

/**
 * Seals entries and snapshots with AES-256-GCM before they reach the stores: `sealedStores(await fileStores(folder), { secret,
 * place })`. What is damaged, forged, of another place or not sealed is refused with `bad_snapshot`. The order of entries, their
 * sizes and their times of writing can still be seen. Throws `bad_config` for a secret that is too short.
 */
export function sealedStores(stores: Stores, { secret, place }: SealedStoresOptions): Stores {
  const seal = createSeal(checkSecret(secret, 'secret'), place)
  const opened = ({ position, bytes }: LogRecord): LogRecord => ({
    position,
    bytes: seal.open(bytes, `log[${position}]`),
  })
  const { log, snapshots } = stores
  const sealedLog: LogStore = {
    isShared: log.isShared,
    maxBytes: log.maxBytes - seal.overhead,
    async append(entries, since) {
      const { between, ...appended } = await log.append(entries.map(seal.seal), since)
      return between === undefined ? appended : { ...appended, between: between.map(opened) }
    },
    async *read(after) {
      for await (const record of log.read(after)) yield opened(record)
    },
    trim: (upTo, options) => log.trim(upTo, options),
    trimmed: () => log.trimmed(),
    ...(log.end === undefined ? {} : { end: () => log.end!() }),
  }
  return {
    ...stores,
    log: sealedLog,
    snapshots: {
      async load() {
        const found = await snapshots.load()
        return found && { bytes: seal.open(found.bytes, 'snapshot'), position: found.position }
      },
      save: (bytes, position) => snapshots.save(seal.seal(bytes), position),
      ...(snapshots.claim === undefined ? {} : { claim: () => snapshots.claim!() }),
    },
    close: () => stores.close(),
  }
}
