/**
 * Plug-in for `monitaur eval`: rows of the census, and a small network that says who earns more than 50 000.
 *
 *     monitaur eval --plugin bench/eval/adult.mjs --model adult --data adult
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readData } from 'monitaur/eval/node'

const folder = process.env.MONITAUR_DATA ?? resolve(import.meta.dirname, '../../../shared/data')
const network = join(folder, 'models/tabular/adult-mlp')
const NO_SHAPE = { width: 1, height: 1, channels: 1 }

async function openVictim() {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const file = readFileSync(join(network, 'model.onnx'))
  const rules = readFileSync(join(network, 'preprocessing.json'))
  const options = { logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1 }
  const session = await InferenceSession.create(file, options)
  const { input_width: width, numeric, categorical } = JSON.parse(rules)
  return {
    name: 'adult-mlp',
    hash: createHash('sha256').update(file).update(rules).digest('hex'),
    kind: 'tabular',
    classes: 2,
    async answer(rows) {
      const data = new Float32Array(rows.length * width)
      for (const [n, row] of rows.entries()) fill(row, data.subarray(n * width, (n + 1) * width))
      const { logits } = await session.run({ input: new Tensor('float32', data, [rows.length, width]) }, ['logits'])
      return rows.map((_, n) => logits.data.slice(2 * n, 2 * n + 2))
    },
  }

  /** Numbers standardised, then a block of zeros and a one for each category; an unknown one is all zeros. */
  function fill(row, input) {
    let at = 0
    for (const { name, log1p, mean, std } of numeric) {
      const value = Number(row[name])
      input[at++] = ((log1p ? Math.log1p(Math.max(value, 0)) : value) - mean) / std
    }
    for (const { name, categories } of categorical) {
      const place = categories.indexOf(String(row[name]))
      if (place !== -1) input[at + place] = 1
      at += categories.length
    }
  }
}

const readRows = () =>
  readData(join(folder, 'tabular/adult.csv'), NO_SHAPE, { labelColumn: 'income', classes: ['<=50K', '>50K'] })

export default { victims: { adult: openVictim }, data: { adult: readRows } }
