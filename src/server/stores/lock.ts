/**
 * One writer for a folder: a file that names the process which has it. A holder that was killed leaves the file behind; the
 * next one sees that the process is gone, or, where it cannot see processes (another machine, another container), that
 * nobody renews the file any more.
 */
import { randomUUID } from 'node:crypto'
import { open, readFile, readlink, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MonitorError } from '../../core/index.ts'

export interface FolderLock {
  /** False once another process has taken the folder over, because this one was silent for too long. */
  readonly isMine: boolean
  release(): Promise<void>
}

interface Holder {
  readonly token: string
  readonly pid: number
  /** When the process began, as the system counts; '' where it does not tell. Tells a process from a later one of its number. */
  readonly began: string
  /** Where its number means something: this boot of this machine, and the container. */
  readonly space: string
}

const RENEW_MS = 2000
/** A holder that cannot be seen is gone when its file was not renewed for so long. */
const SILENT_MS = 3 * RENEW_MS

/** Takes the folder. Rejects with `store_busy` while another process has it. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'lock')
  const mine: Holder = {
    token: randomUUID(),
    pid: process.pid,
    began: await beganOf(process.pid),
    space: await spaceOf(),
  }
  while (!(await create(path, mine))) await removeIfStale(path, mine.space)
  let isMine = true
  const timer = setInterval(async () => {
    isMine &&= (await holderOf(path))?.token === mine.token
    if (isMine) await utimes(path, new Date(), new Date()).catch(() => {}) // the next round looks again
  }, RENEW_MS)
  timer.unref()
  return {
    get isMine() {
      return isMine
    },
    async release() {
      clearInterval(timer)
      if ((await holderOf(path))?.token === mine.token) await rm(path, { force: true })
      isMine = false
    },
  }
}

async function create(path: string, holder: Holder): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(JSON.stringify(holder))
    await file.close()
    return true
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw thrown
  }
}

/** Undefined if the file is gone, or not written yet. */
async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

async function removeIfStale(path: string, space: string): Promise<void> {
  const holder = await holderOf(path)
  const isSeen = holder !== undefined && holder.space === space
  const isAlive = isSeen ? await isRunning(holder) : await isRenewed(path)
  if (isAlive) {
    const who = holder === undefined ? 'another process' : `process ${holder.pid}`
    throw new MonitorError('store_busy', `is used by ${who}; stop it, or choose another folder`, path)
  }
  await remove(path, holder)
}

async function isRunning({ pid, began }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return began === (await beganOf(pid))
}

async function isRenewed(path: string): Promise<boolean> {
  const before = await renewedMs(path)
  await pause(SILENT_MS)
  const after = await renewedMs(path)
  return after !== 0 && after !== before
}

/** 0 if the file is gone. */
async function renewedMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

/**
 * Of all who come to remove the same file one does: who makes the mark of its holder. Nobody else removes it meanwhile, and if it is
 * another's by now it stays.
 */
async function remove(path: string, stale: Holder | undefined): Promise<void> {
  const mark = `${path}.${stale?.token ?? 'unreadable'}.gone`
  try {
    await (await open(mark, 'wx')).close()
  } catch {
    const madeMs = await renewedMs(mark)
    if (madeMs > 0 && Date.now() - madeMs > SILENT_MS)
      await rm(mark, { force: true }) // its maker was killed as well
    else await pause(5)
    return
  }
  if ((await holderOf(path))?.token === stale?.token) await rm(path, { force: true })
  await rm(mark, { force: true })
}

/** Field 22 of the process's status on Linux. */
async function beganOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

async function spaceOf(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
