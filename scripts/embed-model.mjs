/**
 * Puts a model into the library: `node scripts/embed-model.mjs [model.onnx]` writes src/embed/onnx/copyNetWeights.ts, by
 * default from models/copy-net.onnx. As base64, so that it works in every bundler, worker and runtime without a file.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url))

const source = process.argv[2] ?? path('models/copy-net.onnx')
const target = path('src/embed/onnx/copyNetWeights.ts')
const bytes = readFileSync(source)
const digest = createHash('sha256').update(bytes).digest('hex')

writeFileSync(
  target,
  `/** The network of models/copy-net.onnx, ${bytes.length} bytes, sha256 ${digest}. Made by scripts/embed-model.mjs. */
// biome-ignore format: one long string
export const COPY_NET = '${bytes.toString('base64')}'
`,
)
console.log(`${target}: ${bytes.length} bytes of model, ${digest}`)
