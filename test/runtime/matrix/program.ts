/** The program for Node, Deno and Bun: prints what the runtime found. Its argument is the wanted step, if any. */
import { runMatrix } from './run.ts'

const { argv } = (globalThis as unknown as { process: { argv: readonly string[] } }).process
const wanted = argv[2] === undefined ? undefined : JSON.parse(argv[2])
console.log(JSON.stringify(await runMatrix(wanted)))
