/** Misuse of text models, and evasion of text classifiers. */
import { paraphraseRetries } from './paraphraseRetries.ts'
import { promptMutation } from './promptMutation.ts'
import { replayedPrompts } from './replayedPrompts.ts'
import { templateProbing } from './templateProbing.ts'
import { wordEdits, wordSubstitution } from './wordSubstitution.ts'

export { amongOthers } from './replayedPrompts.ts'

export const TEXT_ATTACKS = [
  promptMutation,
  templateProbing,
  paraphraseRetries,
  replayedPrompts,
  wordSubstitution,
  wordEdits,
] as const
