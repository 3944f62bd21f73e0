/** Stores in a folder: the suite, torn and damaged files, two processes, a process that was killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { fileStores } from '../../src/server/stores/fileStores.ts'
import { bundleFile } from '../tools/bundle.ts'
import { STORE_CHECKS } from './suite.ts'

const root = mkdtempSync(join(tmpdir(), 'monitaur-stores-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe.each([{ sync: 'always' }, { sync: 'interval' }, { sync: 'interval', segmentBytes: 200 }] as const)(
  'files with %o',
  (options) => {
    for (const [i, { name, run }] of STORE_CHECKS.entries()) {
      test(name, async () => {
        const folder = join(root, `${options.sync}${'segmentBytes' in options}${i}`)
        await run({ open: () => fileStores(folder, options) })
      })
    }
  },
)

const handle = await open(join(root, 'probe'), 'w')
// biome-ignore lint/suspicious/noExplicitAny: a method of Node's, taken away for one test
const FileHandlePrototype = Object.getPrototypeOf(handle) as { write: (...args: any[]) => Promise<any> }
await handle.close()

const folderOf = (name: string) => join(root, name)
const entry = (length: number, value: number) => new Uint8Array(length).fill(value)

async function read(folder: string): Promise<number[][]> {
  const stores = await fileStores(folder)
  try {
    const found: number[][] = []
    for await (const { bytes } of stores.log.read('')) found.push([...bytes])
    return found
  } finally {
    await stores.close()
  }
}

describe('a log file', () => {
  const WHOLE = [entry(5, 1), entry(9, 2), entry(3, 3)].map((bytes) => [...bytes])

  /** A folder with three entries in one file, and the bytes of that file. */
  async function written(name: string): Promise<{ folder: string; file: string; bytes: Buffer }> {
    const folder = folderOf(name)
    const stores = await fileStores(folder)
    await stores.log.append([entry(5, 1), entry(9, 2)])
    await stores.log.append([entry(3, 3)])
    await stores.close()
    const file = join(folder, 'log-0000000000000001')
    return { folder, file, bytes: readFileSync(file) }
  }

  test('that was cut short anywhere keeps every whole entry, and is written on behind them', async () => {
    const { folder, file, bytes } = await written('cut')
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length))
      const kept = WHOLE.slice(0, length < 13 ? 0 : length < 30 ? 1 : 2)
      expect(await read(folder), `cut at ${length}`).toEqual(kept)
      const stores = await fileStores(folder)
      await stores.log.append([entry(4, 9)])
      await stores.close()
      expect(await read(folder), `cut at ${length}, then written`).toEqual([...kept, [9, 9, 9, 9]])
    }
  })

  test('with room that was never written at its end is read up to there', async () => {
    const { folder, file, bytes } = await written('zeros')
    writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(4096)]))
    expect(await read(folder)).toEqual(WHOLE)
  })

  test('with a damaged length anywhere is refused, naming the place', async () => {
    const { folder, file, bytes } = await written('damaged')
    const heads = [0, 13, 30].flatMap((start) => Array.from({ length: 64 }, (_, bit) => start * 8 + bit))
    for (const bit of heads) {
      const bad = Buffer.from(bytes)
      bad[bit >> 3]! ^= 1 << (bit & 7)
      writeFileSync(file, bad)
      await expect(read(folder), `bit ${bit}`).rejects.toMatchObject({
        code: 'bad_snapshot',
        path: expect.stringMatching(/^log-0000000000000001, byte \d+, entry 000000000000000\d$/),
      })
    }
  })

  test('that is gone from the middle is missed', async () => {
    const folder = folderOf('gap')
    const stores = await fileStores(folder, { segmentBytes: 1 })
    for (let i = 1; i <= 4; i++) await stores.log.append([entry(4, i)])
    await stores.close()
    rmSync(join(folder, 'log-0000000000000002'))
    await expect(read(folder)).rejects.toMatchObject({
      code: 'bad_snapshot',
      message: expect.stringMatching(/is missing/),
    })
  })

  test('that is gone altogether is begun behind the snapshot', async () => {
    const folder = folderOf('gone')
    const stores = await fileStores(folder)
    const { positions } = await stores.log.append([entry(1, 1), entry(1, 2), entry(1, 3)])
    await stores.snapshots.save(entry(9, 9), positions[1]!)
    await stores.close()
    rmSync(join(folder, 'log-0000000000000001'))
    const again = await fileStores(folder)
    expect((await again.log.append([entry(1, 4)])).after).toBe(positions[1])
    expect(await again.log.trimmed()).toBe(positions[1])
    await again.close()
  })

  test('that was only begun, and a snapshot that was only begun, do no harm', async () => {
    const { folder } = await written('begun')
    writeFileSync(join(folder, 'log-0000000000000004'), '')
    writeFileSync(join(folder, '.snapshot-0000000000000003.x.tmp'), 'half')
    expect(await read(folder)).toEqual(WHOLE)
    const stores = await fileStores(folder)
    expect(await stores.snapshots.load()).toBeUndefined()
    expect((await stores.log.append([entry(1, 4)])).positions).toEqual(['0000000000000004'])
    await stores.close()
  })
})

/** A process that holds the stores of a folder until it is killed; it says when it has them. */
async function holder(folder: string): Promise<ChildProcess> {
  const program = join(root, 'holder.mjs')
  if (!existsSync(program)) await bundleFile(join(import.meta.dirname, 'inHolder.ts'), program)
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('a folder', () => {
  test('that another process has is refused, and given at once when that one was killed', async () => {
    const folder = folderOf('held')
    const child = await holder(folder)
    await expect(fileStores(folder)).rejects.toMatchObject({
      code: 'store_busy',
      message: expect.stringContaining(`process ${child.pid}`),
    })
    await kill(child)
    const stores = await fileStores(folder)
    const found: number[][] = []
    for await (const { bytes } of stores.log.read('')) found.push([...bytes])
    expect(found).toEqual([[1, 2, 3]])
    await stores.close()
  })

  test('whose holder cannot be seen is given when nobody renews the lock', { timeout: 30_000 }, async () => {
    const folder = folderOf('unseen')
    await (await fileStores(folder)).close()
    const lock = join(folder, 'lock')
    writeFileSync(lock, JSON.stringify({ token: 't', pid: process.pid, began: '1', space: 'another machine' }))
    const renewing = setInterval(() => utimesSync(lock, new Date(), new Date()), 500)
    await expect(fileStores(folder)).rejects.toMatchObject({ code: 'store_busy' })
    clearInterval(renewing)
    await (await fileStores(folder)).close()
  })

  test('whose holder left half a lock, or whose number another process has now, is given', async () => {
    const folder = folderOf('reused')
    const first = await fileStores(folder)
    const held = readFileSync(join(folder, 'lock'), 'utf8')
    await first.close()
    writeFileSync(join(folder, 'lock'), JSON.stringify({ ...JSON.parse(held), token: 'old', began: '1' }))
    await (await fileStores(folder)).close()
    writeFileSync(join(folder, 'lock'), held.slice(0, 20))
    await (await fileStores(folder)).close()
  })

  test('that was taken over is not written to any more', { timeout: 30_000 }, async () => {
    const folder = folderOf('taken')
    const stores = await fileStores(folder)
    await stores.log.append([entry(1, 1)])
    writeFileSync(join(folder, 'lock'), JSON.stringify({ token: 'other', pid: 1, began: '', space: 'another machine' }))
    await expect
      .poll(
        () =>
          stores.log.append([entry(1, 2)]).then(
            () => 'written',
            ({ message }) => message,
          ),
        { timeout: 10_000 },
      )
      .toMatch(/another process has taken it over/)
    await stores.close()
    expect(existsSync(join(folder, 'lock'))).toBe(true)
  })

  test('that many come for at once is given to one', async () => {
    const folder = folderOf('race')
    const child = await holder(folder)
    await kill(child)
    const got = await Promise.allSettled(Array.from({ length: 12 }, () => fileStores(folder)))
    const mine = got.filter((one) => one.status === 'fulfilled')
    expect(mine).toHaveLength(1)
    expect(new Set(got.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : [])))).toEqual(
      new Set(['store_busy']),
    )
    await mine[0]!.value.close()
  })

  test('that cannot be made is a mistake in the configuration', async () => {
    const file = join(root, 'a file')
    writeFileSync(file, '')
    await expect(fileStores(file)).rejects.toMatchObject({ code: 'bad_config' })
  })
})

test('a disk that fails and works again loses nothing that was acknowledged', async () => {
  const folder = folderOf('full')
  const stores = await fileStores(folder)
  await stores.log.append([entry(10, 1)])
  const real = FileHandlePrototype.write
  let left = 12
  FileHandlePrototype.write = async function (
    this: unknown,
    buffer: Uint8Array,
    offset: number,
    length: number,
    at: number,
  ) {
    if (left <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const some = Math.min(length, left)
    left -= some
    return real.call(this, buffer, offset, some, at)
  }
  try {
    await expect(stores.log.append([entry(10, 2), entry(10, 3)])).rejects.toThrow(/no space/)
    await expect(stores.log.append([entry(10, 4)])).rejects.toThrow(/no space/)
  } finally {
    FileHandlePrototype.write = real
  }
  await stores.log.append([entry(10, 5)])
  await stores.close()
  expect((await read(folder)).map(([first]) => first)).toEqual([1, 5])
})
