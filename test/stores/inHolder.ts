/** Takes the stores of a folder, writes an entry, says so, and stays. */
import { fileStores } from '../../src/server/stores/fileStores.ts'

const stores = await fileStores(process.argv[2]!)
await stores.log.append([Uint8Array.of(1, 2, 3)])
console.log('ready')
setInterval(() => stores.log.trimmed(), 1000) // it keeps them
