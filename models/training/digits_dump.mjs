/**
 * Draws the digits that the demo's classifier learns from: `node models/training/digits_dump.mjs OUT [COUNT] [SEED]`.
 * OUT gets COUNT pictures of 28 × 28 bytes, digit after digit, 0 … 9 in turn.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const [out, count = '20000', seed = '1'] = process.argv.slice(2)
if (out === undefined) throw new Error('which file shall the digits go to? node models/training/digits_dump.mjs OUT')
const { drawnDigits, createRandom } = await bundled()
const pictures = drawnDigits(Number(count), createRandom(Number(seed)))
writeFileSync(out, Buffer.concat(pictures.map(({ input }) => Buffer.from(input.map((v) => Math.round(255 * v))))))
console.log(`${pictures.length} digits in ${out}`)

/** The drawing in TypeScript, as any Node can import it. */
async function bundled() {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const build = await rolldown({
    cwd: root,
    input: 'drawing',
    plugins: [
      {
        name: 'drawing',
        resolveId: (id) => (id === 'drawing' ? id : null),
        load: (id) =>
          id === 'drawing'
            ? `export { drawnDigits } from '${root}demo/story/drawnDigits.ts'
               export { createRandom } from '${root}src/eval/random.ts'`
            : null,
      },
    ],
  })
  const file = join(tmpdir(), `monitaur-digits-${process.pid}.mjs`)
  await build.write({ file, codeSplitting: false })
  return import(pathToFileURL(file).href)
}
