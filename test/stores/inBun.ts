/** The suite inside Bun, over files; prints the results as JSON. */
import { fileStores } from '../../src/server/stores/fileStores.ts'
import { runStoreChecks } from './suite.ts'

const folder = process.argv[2]
const results = await runStoreChecks((name) => ({
  open: () => fileStores(`${folder}/${name}`),
}))
console.log(JSON.stringify(results))
