/**
 * Plug-in for `monitaur eval`: banking questions and a classifier of their intents, in the layout of transformers.js.
 *
 *     monitaur eval --plugin bench/eval/banking77.mjs --model banking77 --data banking77
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readData } from 'monitaur/eval/node'

const folder = process.env.MONITAUR_DATA ?? resolve(import.meta.dirname, '../../../shared/data')
const models = join(folder, 'models/text')
const name = 'banking77-intent'
const NO_SHAPE = { width: 1, height: 1, channels: 1 }

/** Names of the classes in the model's order. */
function classes() {
  const { id2label } = JSON.parse(readFileSync(join(models, name, 'config.json'), 'utf8'))
  return Object.keys(id2label)
    .sort((a, b) => a - b)
    .map((id) => id2label[id])
}

async function openVictim() {
  const { AutoModelForSequenceClassification, AutoTokenizer, env } = await import('@huggingface/transformers')
  Object.assign(env, { allowRemoteModels: false, localModelPath: models })
  const session_options = { intraOpNumThreads: 1, interOpNumThreads: 1 }
  const tokenizer = await AutoTokenizer.from_pretrained(name)
  const model = await AutoModelForSequenceClassification.from_pretrained(name, { dtype: 'q8', session_options })
  const file = readFileSync(join(models, name, 'onnx/model_quantized.onnx'))
  const answerOne = async (text) => {
    const { logits } = await model(tokenizer(text, { truncation: true, max_length: 128 }))
    return Float32Array.from(logits.data)
  }
  return {
    name,
    hash: createHash('sha256').update(file).digest('hex'),
    kind: 'text',
    classes: classes().length,
    // One by one: what the int8 model says of a text depends on what it is padded to.
    async answer(texts) {
      const answers = []
      for (const text of texts) answers.push(await answerOne(text))
      return answers
    },
  }
}

const readQuestions = () =>
  readData(join(folder, 'text/banking77.csv'), NO_SHAPE, {
    column: 'text',
    labelColumn: 'intent',
    classes: classes(),
  })

export default { victims: { banking77: openVictim }, data: { banking77: readQuestions } }
