import type { Oracle } from '../../types.ts'

/** Inputs in memory at once: 32 pictures of 224 pixels are 38 MB. */
const BATCH = 32

/** Asks `count` inputs one after the other, each made when its batch is due. For inputs that depend on no answer. */
export async function askEach<Input>(oracle: Oracle<Input>, count: number, make: (n: number) => Input): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from, Math.max(oracle.left, 1))
    await oracle.askAll(Array.from({ length: size }, (_, n) => make(from + n)))
  }
}
