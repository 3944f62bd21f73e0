/**
 * Words that are in no dictionary: `node site/spelling.mjs < texts.json`, with texts by the names of their files. Prints
 * `[{ file, line, word }, …]`. Words of the field and of the project stand in `words.txt`, one a line.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spellCheckDocument } from 'cspell-lib'

const words = readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8')
  .split('\n')
  .filter(Boolean)
const options = { generateSuggestions: false, noConfigSearch: true }
const settings = { words, dictionaries: ['software-terms', 'companies', 'node', 'npm'], caseSensitive: false }

const found = []
for (const [file, text] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  const document = { uri: `file:///${file}.txt`, text, languageId: 'plaintext', locale: 'en-GB' }
  const { issues } = await spellCheckDocument(document, options, settings)
  for (const { text: word, offset } of issues)
    found.push({ file, line: text.slice(0, offset).split('\n').length, word })
}
console.log(JSON.stringify(found))
