import { logProbability } from '../answers.ts'
import { defineAttack } from '../define.ts'
import type { Random } from '../random.ts'
import type { Answer } from '../types.ts'
import { dropWord, misspelt, swapWords, typo, wordsOf } from './mutations.ts'

export interface WordSubstitutionConfig {
  /** Words of other people's texts tried in the place of each. Default 5. */
  readonly replacements: number
  /** Largest share of the words that is changed, rounded up. Default 0.4. */
  readonly share: number
}

/**
 * Greedy, word by word: every word is left out once to see how much it matters, then from the most important on each is left
 * out, moved, misspelt or replaced, whichever lowers the label's probability most. TextFooler's order without its word
 * embeddings: what comes in a word's place are words of the pool, and nothing checks that the meaning stays ("great" may
 * become "bad"); with `replacements` 0 words are only left out, moved and misspelt.
 */
export const wordSubstitution = defineAttack({
  name: 'word_substitution',
  kind: 'text',
  sees: 'probabilities',
  summary: 'the words that matter most left out, moved, misspelt or replaced',
  paper: 'after TextFooler, Jin et al., AAAI 2020, arXiv 1907.11932',
  defaults: { replacements: 5, share: 0.4 } as WordSubstitutionConfig,
  async run(oracle, { source, label, pool }, { replacements, share }) {
    const lossOf = ({ refused, logits }: Answer) => (refused ? Infinity : logProbability(logits, label))
    let words: readonly string[] = wordsOf(source)
    let lowest = lossOf(await oracle.ask(source))
    if (words.length < 2) return
    const without = await oracle.askAll(words.map((_, i) => words.toSpliced(i, 1).join(' ')))
    const losses = without.map(lossOf)
    const order = [...words.keys()].sort((a, b) => losses[a]! - losses[b]!)
    const others = pool.map(({ input }) => input)
    for (const at of order.slice(0, Math.ceil(share * words.length))) {
      const tries = variants(words, at, oracle.random, wordsFrom(others, replacements, oracle.random))
      const answers = (await oracle.askAll(tries.map(joined))).map(lossOf)
      const best = answers.indexOf(Math.min(...answers))
      if (answers[best]! >= lowest) continue
      words = tries[best]!
      lowest = answers[best]!
    }
  },
})

/** A word left out becomes '', so that the others keep their places. */
function variants(words: readonly string[], at: number, random: Random, replacements: readonly string[]) {
  const next = at + 1 < words.length ? at + 1 : at - 1
  return [
    words.with(at, ''),
    words.with(at, words[next]!).with(next, words[at]!),
    words.with(at, misspelt(words[at]!, random)),
    ...replacements.map((word) => words.with(at, word)),
  ]
}

function joined(words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ')
}

function wordsFrom(texts: readonly string[], count: number, random: Random): string[] {
  if (texts.length === 0) return []
  return Array.from({ length: count }, () => random.pick(wordsOf(random.pick(texts)))).filter((word) => word)
}

export interface WordEditsConfig {
  /** Texts tried with one edit, then with two, and so on. Default 50. */
  readonly tries: number
  /** Most edits, as a share of the words, rounded up; then it begins again with one. Default 0.4. */
  readonly share: number
}

const EDITS = [dropWord, swapWords, typo]

/** Where only the label is told: edits at random places, more and more of them. */
export const wordEdits = defineAttack({
  name: 'word_edits',
  kind: 'text',
  sees: 'label',
  summary: 'words at random places left out, moved or misspelt, more and more of them',
  defaults: { tries: 50, share: 0.4 } as WordEditsConfig,
  async run(oracle, { source }, { tries, share }) {
    const { random } = oracle
    const most = Math.max(Math.ceil(share * wordsOf(source).length), 1)
    for (let round = 0; ; round++) {
      await oracle.askAll(Array.from({ length: tries }, () => edited(source, 1 + (round % most), random)))
    }
  },
})

function edited(text: string, edits: number, random: Random): string {
  let changed = text
  for (let n = 0; n < edits; n++) changed = random.pick(EDITS)(changed, random)
  return changed
}
