/** What is asked of a JSON text before it is parsed. */

/**
 * True if the text has more objects and lists inside each other than `maxDepth`, read as JSON from its start. Asked before
 * parsing, since a megabyte of brackets takes a parser a second and a gigabyte. Fewer openings than the limit need no look
 * at the text.
 */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  if (countUpTo(text, '[', maxDepth) + countUpTo(text, '{', maxDepth) <= maxDepth) return false
  let depth = 0
  let isText = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isText) {
      if (code === BACKSLASH) i++
      else if (code === QUOTE) isText = false
    } else if (code === QUOTE) {
      isText = true
    } else if (code === SQUARE || code === CURLY) {
      if (++depth > maxDepth) return true
    } else if (code === SQUARE + 2 || code === CURLY + 2) {
      depth--
    }
  }
  return false
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SQUARE = 0x5b
const CURLY = 0x7b

function countUpTo(text: string, character: string, most: number): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1 && count <= most; at = text.indexOf(character, at + 1)) count++
  return count
}
