/** What a flood leaves behind in memory. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MIB = 2 ** 20

/** Bytes of live objects and buffers, after everything that nobody holds has been collected. */
export function liveBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Runs a flood and gives by how many MiB the live memory has grown. */
export async function grownMib(flood: () => void | Promise<void>): Promise<number> {
  const before = liveBytes()
  await flood()
  return (liveBytes() - before) / MIB
}
