/**
 * A transformers.js text classifier, watched.
 *
 *     node examples/transformers.mjs
 *
 * The model comes from the hub; or, with `[folder] [name]` behind the command, from a folder that holds models as the hub
 * lays them out. Somebody edits one question until the answer changes; everybody else asks a question of their own.
 */
import { env, pipeline } from '@huggingface/transformers'
import { createMonitor, monitorModel } from 'monitaur'

const [folder, model = 'Xenova/distilbert-base-uncased-finetuned-sst-2-english'] = process.argv.slice(2)
if (folder !== undefined) {
  env.localModelPath = folder
  env.allowRemoteModels = false
}
const classify = await pipeline('text-classification', model, { dtype: 'q8' })

const monitor = createMonitor({
  detectors: [{ name: 'confidence', mode: 'margin', threshold: 0.9 }, 'text_similarity'],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
const ask = monitorModel((_client, text) => classify(text, { top_k: null }), monitor, {
  client: (client) => client,
  toQuery: ([, text], classes) => ({ input: text, modelOutput: classes.map(({ score }) => score) }),
})

const question = 'I lost my card on the way to the airport yesterday evening, can you block it for me?'
const edits = Array.from(
  { length: 12 },
  (_, i) => `${question.slice(0, 3 * i + 2)}${'aeiou'[i % 5]}${question.slice(3 * i + 3)}`,
)
const others = [
  'How do I change my address?',
  'Why was I charged twice?',
  'Is there a fee abroad?',
  'My transfer is late',
]

for (const [i, edit] of edits.entries()) {
  await tell('mallory', edit)
  if (i % 3 === 0) await tell('alice', others[i / 3])
}

async function tell(client, text) {
  try {
    const [best] = await ask(client, text)
    console.log(`${client.padEnd(8)} ${best.label} ${best.score.toFixed(2)}`)
  } catch (error) {
    if (error.code !== 'suspended') throw error
    console.log(`${client.padEnd(8)} refused`)
  }
}
await classify.dispose()
