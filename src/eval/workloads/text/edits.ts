import { defineWorkload } from '../../define.ts'
import type { Random } from '../../random.ts'
import { type RetriesConfig, retry } from '../repeats/retries.ts'

/** The text edited and asked again, as by somebody who is not content with the answer. */
export const editRetries = defineWorkload({
  kind: 'text',
  name: 'edit_retries',
  profile: 'F',
  sees: 'label',
  summary: 'every text up to twenty times, worded a little differently each time',
  defaults: { most: 20 } as RetriesConfig,
  run(oracle, task, { most }) {
    return retry(oracle, task, most, (text) => edited(text, oracle.random))
  },
})

const OPENINGS = ['Please, ', 'Hello, ', 'Can you help? ', 'I ask again: ', 'Quick question: ', 'Sorry, ']
const CLOSINGS = [' Thanks!', ' Please answer soon.', ' Thank you in advance.', ' Why?', ' I need this today.']

/** Common words and what people say instead of them. */
const ALIKE: Readonly<Record<string, readonly string[]>> = {
  can: ['could', 'may'],
  could: ['can'],
  help: ['assist', 'support'],
  need: ['want', 'require'],
  want: ['need', 'would like'],
  get: ['receive', 'obtain'],
  make: ['create', 'do'],
  show: ['tell', 'give'],
  tell: ['show', 'explain to'],
  why: ['for what reason', 'how come'],
  what: ['which'],
  big: ['large'],
  good: ['fine', 'nice'],
  bad: ['poor'],
  wrong: ['incorrect', 'not right'],
  problem: ['issue', 'trouble'],
  issue: ['problem'],
  buy: ['purchase'],
  card: ['bank card'],
  money: ['funds', 'cash'],
  quickly: ['fast', 'soon'],
  "don't": ['do not'],
  "can't": ['cannot', 'can not'],
  "isn't": ['is not'],
  "doesn't": ['does not'],
  "i'm": ['I am'],
  "what's": ['what is'],
}

const EDITS: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => random.pick(OPENINGS) + text,
  (text, random) => text + random.pick(CLOSINGS),
  withoutWord,
  reworded,
  mistyped,
  (text) => text.toLowerCase(),
  (text) => text.replace(/[.?!]*$/u, '?'),
  (text) => text,
]

/** One or two small edits, or none. */
export function edited(text: string, random: Random): string {
  const once = random.pick(EDITS)(text, random)
  return random.next() < 0.5 ? once : random.pick(EDITS)(once, random)
}

/** Short texts stay. */
function withoutWord(text: string, random: Random): string {
  const words = text.split(' ')
  return words.length < 4 ? text : words.toSpliced(random.whole(words.length), 1).join(' ')
}

function reworded(text: string, random: Random): string {
  const words = text.split(' ')
  const places = [...words.keys()].filter((n) => Object.hasOwn(ALIKE, words[n]!.toLowerCase()))
  if (places.length === 0) return text
  const place = random.pick(places)
  return words.with(place, random.pick(ALIKE[words[place]!.toLowerCase()]!)).join(' ')
}

/** Two letters that stand side by side change places. */
function mistyped(text: string, random: Random): string {
  const letters = [...text]
  if (letters.length < 2) return text
  const at = random.whole(letters.length - 1)
  ;[letters[at], letters[at + 1]] = [letters[at + 1]!, letters[at]!]
  return letters.join('')
}
