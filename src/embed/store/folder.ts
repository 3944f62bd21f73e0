/**
 * Files in a folder, for Node, Deno and Bun. One file is one entry: a line of JSON with what the server said, then the
 * bytes. It is written beside its place and renamed into it, so that two processes never see half of one.
 */
import type { CacheEntry, EntryStore } from './cache.ts'
import { homeFolder, nodeFiles, nodePaths } from './node.ts'

const NEWLINE = 10
const UNFINISHED = '.part'

/** An unfinished file this old was left by a process that died. */
const LEFT_BEHIND_MS = 3_600_000

/** A store in `folder`, by default `monitaur` in `$XDG_CACHE_HOME` or `~/.cache`. Made on the first write. */
export function folderStore(folder: string = defaultFolder()): EntryStore {
  const files = nodeFiles()!
  const { join } = nodePaths()
  return {
    async get(key) {
      try {
        return parseEntry(await files.readFile(join(folder, key)))
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw thrown
      }
    },
    async put(key, { bytes, ...rest }) {
      await files.mkdir(folder, { recursive: true })
      await sweep(folder)
      const unfinished = join(folder, `${key}.${crypto.randomUUID()}${UNFINISHED}`)
      try {
        await files.writeFile(unfinished, [new TextEncoder().encode(`${JSON.stringify(rest)}\n`), bytes])
        await files.rename(unfinished, join(folder, key))
      } catch (thrown) {
        await files.rm(unfinished, { force: true })
        throw thrown
      }
    },
    async delete(key) {
      await files.rm(join(folder, key), { force: true })
    },
  }
}

function defaultFolder(): string {
  const { join } = nodePaths()
  const given = process.env['XDG_CACHE_HOME'] ?? ''
  return join(given === '' ? join(homeFolder(), '.cache') : given, 'monitaur')
}

async function sweep(folder: string): Promise<void> {
  const files = nodeFiles()!
  const { join } = nodePaths()
  const oldest = Date.now() - LEFT_BEHIND_MS
  for (const name of await files.readdir(folder)) {
    if (!name.endsWith(UNFINISHED)) continue
    const path = join(folder, name)
    const stat = await files.stat(path).catch(() => undefined) // another process may have finished it meanwhile
    if (stat !== undefined && stat.mtimeMs < oldest) await files.rm(path, { force: true })
  }
}

/** A file that does not look like one of ours gets a digest that no bytes have: it is found to be spoiled. */
function parseEntry(file: Uint8Array): CacheEntry {
  const end = file.indexOf(NEWLINE)
  const bytes = new Uint8Array(file.subarray(end + 1))
  try {
    const { sha256, etag, lastModified } = JSON.parse(new TextDecoder().decode(file.subarray(0, Math.max(0, end))))
    const word = (value: unknown) => (typeof value === 'string' ? value : undefined)
    return { bytes, sha256: word(sha256) ?? '', etag: word(etag), lastModified: word(lastModified) }
  } catch {
    return { bytes, sha256: '' }
  }
}
