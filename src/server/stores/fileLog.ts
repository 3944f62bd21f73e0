/** A log in files that are only ever written at their end. */
import { type FileHandle, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MonitorError } from '../../core/index.ts'
import {
  type Appended,
  appendedAfter,
  checkFollows,
  type LogRecord,
  type LogStore,
  numberOf,
  positionOf,
} from '../../edge/index.ts'
import { syncFolder } from '../wholeFile.ts'
import { frame, parse, type Segment, segmentAt, segmentsOf } from './segments.ts'

export interface FileLogOptions {
  readonly sync: 'always' | 'interval'
  readonly segmentBytes: number
  /** Whether the folder is still this process's. */
  readonly isMine: () => boolean
  /** Numbers up to this one are taken: a snapshot stands for them. */
  readonly least: number
}

const SYNC_MS = 1000

export class FileLog implements LogStore {
  readonly isShared = false
  readonly maxBytes = 2 ** 30
  readonly #folder: string
  readonly #options: FileLogOptions
  #segments: Segment[]
  #file: FileHandle
  /** Bytes of the newest file, up to the last acknowledged entry. */
  #size: number
  #last: number
  /** True while something behind the acknowledged bytes must be cut off. */
  #hasTail: boolean
  #isSynced = true
  #failure: unknown
  #doing: Promise<unknown> = Promise.resolve()
  readonly #timer: ReturnType<typeof setInterval> | undefined

  /**
   * Looks for the end of the log, and cuts off an entry that a crash left unfinished. A log that ends before the snapshot
   * (its files were lost, or removed) goes on behind it.
   */
  static async open(folder: string, options: FileLogOptions): Promise<FileLog> {
    const segments = segmentsOf(await readdir(folder))
    if (segments.length === 0) segments.push(segmentAt(options.least + 1))
    const newest = segments.at(-1)!
    const file = await openFile(folder, newest)
    try {
      const content = await file.readFile()
      const { entries, end } = parse(content, newest)
      const last = newest.first - 1 + entries.length
      const log = new FileLog(folder, options, { segments, file, size: end, last, hasTail: end < content.length })
      await log.#cut()
      if (last < options.least) await log.#startBehind(options.least)
      return log
    } catch (thrown) {
      await file.close()
      throw thrown
    }
  }

  private constructor(
    folder: string,
    options: FileLogOptions,
    found: { segments: Segment[]; file: FileHandle; size: number; last: number; hasTail: boolean },
  ) {
    this.#folder = folder
    this.#options = options
    this.#segments = found.segments
    this.#file = found.file
    this.#size = found.size
    this.#last = found.last
    this.#hasTail = found.hasTail
    if (options.sync === 'interval') {
      this.#timer = setInterval(() => void this.#syncLater(), SYNC_MS)
      this.#timer.unref()
    }
  }

  append(entries: readonly Uint8Array[]): Promise<Appended> {
    const framed = frame(entries)
    return this.#next(async () => {
      if (this.#failure !== undefined) throw this.#failure
      if (!this.#options.isMine())
        throw new MonitorError('store_failed', 'another process has taken it over', this.#folder)
      await this.#cut()
      if (this.#size >= this.#options.segmentBytes) await this.#rotate()
      this.#hasTail = true // until all of it is there
      await writeAll(this.#file, framed, this.#size)
      if (this.#options.sync === 'always') await this.#file.datasync()
      this.#isSynced = this.#options.sync === 'always'
      this.#hasTail = false
      const last = this.#last
      this.#size += framed.length
      this.#last += entries.length
      return appendedAfter(last, entries.length)
    })
  }

  async *read(after: string): AsyncIterable<LogRecord> {
    await this.#doing
    const [segments, last, size] = [this.#segments, this.#last, this.#size]
    let number = Math.max(numberOf(after), segments[0]!.first - 1)
    for (const [i, segment] of segments.entries()) {
      const end = segments[i + 1] === undefined ? last : segments[i + 1]!.first - 1
      if (end <= number) continue
      const isNewest = i === segments.length - 1
      const content = await readFile(join(this.#folder, segment.file))
      const { entries } = parse(isNewest ? content.subarray(0, size) : content, segment)
      checkFollows(Math.max(segment.first, number + 1), number)
      for (const bytes of entries.slice(number + 1 - segment.first)) {
        number++
        yield { position: positionOf(number), bytes }
      }
      if (number < end) checkFollows(undefined, number)
    }
  }

  /** Whole files go; a new one is begun if all of the newest may go. */
  trim(upTo: string): Promise<void> {
    return this.#next(async () => {
      const end = numberOf(upTo)
      if (end >= this.#last && this.#size > 0) await this.#rotate()
      const kept = this.#segments.findLastIndex(({ first }) => first <= end + 1)
      const gone = this.#segments.slice(0, Math.max(0, kept))
      this.#segments = this.#segments.slice(gone.length)
      for (const { file } of gone) await rm(join(this.#folder, file), { force: true })
    })
  }

  async trimmed(): Promise<string> {
    return positionOf(this.#segments[0]!.first - 1)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#doing
    if (!this.#isSynced) await this.#file.datasync()
    await this.#file.close()
  }

  #next<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#doing.then(run)
    this.#doing = mine.catch(() => {})
    return mine
  }

  async #cut(): Promise<void> {
    if (!this.#hasTail) return
    await this.#file.truncate(this.#size)
    await this.#file.datasync()
    this.#hasTail = false
  }

  async #rotate(): Promise<void> {
    await this.#cut()
    if (!this.#isSynced) await this.#file.datasync()
    this.#isSynced = true
    const segment = segmentAt(this.#last + 1)
    const file = await openFile(this.#folder, segment)
    await this.#file.close()
    this.#file = file
    this.#segments = [...this.#segments, segment]
    this.#size = 0
  }

  async #startBehind(number: number): Promise<void> {
    this.#last = number
    await this.#rotate()
    await this.trim(positionOf(number))
  }

  /** Puts everything acknowledged on the disk. */
  sync(): Promise<void> {
    return this.#next(async () => {
      if (!this.#isSynced) await this.#file.datasync()
      this.#isSynced = true
    })
  }

  /** A disk that fails here fails the next append. */
  async #syncLater(): Promise<void> {
    try {
      await this.sync()
      this.#failure = undefined
    } catch (thrown) {
      this.#failure = thrown
    }
  }
}

async function openFile(folder: string, { file }: Segment): Promise<FileHandle> {
  const path = join(folder, file)
  try {
    return await open(path, 'r+')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    const made = await open(path, 'wx+')
    await syncFolder(folder)
    return made
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, start: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, start + at)
    at += bytesWritten
  }
}
