/**
 * Compiles src/core/kernels/assembly into src/core/kernels/vectorsWasm.ts and dist/kernels.wasm.
 * The same sources and compiler give the same bytes: test/kernels.test.ts compiles them again and compares.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = 'src/core/kernels'

/** The bytes of the kernels. Throws what the compiler says against them. */
export async function compileKernels() {
  const files = new Map()
  const args = [`${FOLDER}/assembly/index.ts`, '--outFile', 'out.wasm', '--runtime', 'stub', '--importMemory']
  const { error, stderr } = await asc.main([...args, '-O3', '--shrinkLevel', '0', '--noAssert', '--enable', 'simd'], {
    readFile: (name) => (existsSync(`${root}${name}`) ? readFileSync(`${root}${name}`, 'utf8') : null),
    writeFile: (name, content) => files.set(name, content),
    listFiles: () => [],
  })
  if (error) throw new Error(`the kernels do not compile: ${stderr.toString()}`)
  return files.get('out.wasm')
}

/** The module that carries them. */
export function moduleOf(bytes) {
  const text = Buffer.from(bytes).toString('base64').replace(/=+$/, '')
  return `/** The compiled kernels, ${bytes.length} bytes in base64. Written by \`node scripts/kernels.mjs\`. */
export const VECTORS: string =
  '${text}'
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await compileKernels()
  writeFileSync(`${root}${FOLDER}/vectorsWasm.ts`, moduleOf(bytes))
  mkdirSync(`${root}dist`, { recursive: true })
  writeFileSync(`${root}dist/kernels.wasm`, bytes)
  console.log(`kernels: ${bytes.length} bytes`)
}
