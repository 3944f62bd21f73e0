/**
 * Plug-in for `monitaur eval`: prompts that people share, and a stand-in for a guard in front of a language model, which lets
 * through or turns away by a list of words. What clients do here does not hang on how good it is.
 *
 *     monitaur eval --plugin bench/eval/prompts.mjs --model guard --data prompts
 */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { readData } from 'monitaur/eval/node'

const folder = process.env.MONITAUR_DATA ?? resolve(import.meta.dirname, '../../../shared/data')
const NO_SHAPE = { width: 1, height: 1, channels: 1 }
const TURNED_AWAY = ['ignore', 'jailbreak', 'unfiltered', 'without restrictions', 'illegal', 'dan', 'no rules']
const WORDS = new RegExp(`\\b(?:${TURNED_AWAY.join('|')})\\b`, 'gi')

async function openGuard() {
  return {
    name: 'guard-by-words',
    hash: createHash('sha256').update(WORDS.source).digest('hex'),
    kind: 'text',
    classes: 2,
    answer: async (texts) => texts.map((text) => Float32Array.of(1, 2 * (text.match(WORDS)?.length ?? 0))),
  }
}

/** Those that the guard lets through. */
async function readPrompts() {
  const how = { column: 'prompt', labelColumn: 'for_devs', classes: ['FALSE', 'TRUE'] }
  const data = await readData(join(folder, 'text/chatgpt_prompts.csv'), NO_SHAPE, how)
  const items = data.items.filter(({ input }) => input.length <= 2000).map(({ input }) => ({ input, label: 0 }))
  return { ...data, items }
}

export default { victims: { guard: openGuard }, data: { prompts: readPrompts } }
