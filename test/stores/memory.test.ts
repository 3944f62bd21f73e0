import { test } from 'vitest'
import { memoryStores } from '../../src/edge/stores/memory.ts'
import { STORE_CHECKS } from './suite.ts'

for (const { name, run } of STORE_CHECKS) {
  test(name, async () => {
    const stores = memoryStores()
    await run({ open: async () => stores })
  })
}
