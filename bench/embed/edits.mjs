/** What people, and programs that hide from an exact comparison, change in a sentence without changing what it says. */

const NEIGHBOURS = {
  a: 'sq',
  b: 'vn',
  c: 'xv',
  d: 'sf',
  e: 'wr',
  f: 'dg',
  g: 'fh',
  h: 'gj',
  i: 'uo',
  j: 'hk',
  k: 'jl',
  l: 'k',
  m: 'n',
  n: 'bm',
  o: 'ip',
  p: 'o',
  q: 'wa',
  r: 'et',
  s: 'ad',
  t: 'ry',
  u: 'yi',
  v: 'cb',
  w: 'qe',
  x: 'zc',
  y: 'tu',
  z: 'x',
}
const INVISIBLE = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad']
/** Letters that look like a Latin one: Cyrillic, Greek, full width. */
const LOOK_ALIKES = {
  a: 'аａ',
  c: 'сｃ',
  e: 'еｅ',
  i: 'іｉ',
  o: 'оοｏ',
  p: 'рｐ',
  s: 'ѕｓ',
  x: 'хｘ',
  y: 'уｙ',
  A: 'АΑ',
  B: 'ВΒ',
  E: 'ЕΕ',
  H: 'НΗ',
  I: 'ІΙ',
  M: 'МΜ',
  T: 'ТΤ',
}

/**
 * Each `apply(text, random, words)` gives a text that differs from `text` where it can; `words` are those of the whole
 * data set.
 */
export const EDITS = [
  { name: 'typing error', apply: typo },
  { name: 'case', apply: changeCase },
  { name: 'punctuation', apply: changePunctuation },
  { name: 'double space', apply: (text, random) => insertAt(text, random.pick(spaces(text)) ?? text.length, ' ') },
  { name: 'zero-width characters', apply: addInvisible },
  { name: 'look-alike letters', apply: addLookAlikes },
  { name: 'one word replaced', apply: replaceWord },
  { name: 'two words change places', apply: swapWords },
]

function insertAt(text, at, piece) {
  return text.slice(0, at) + piece + text.slice(at)
}

function placesOf(text, pattern) {
  return [...text.matchAll(pattern)].map(({ index }) => index)
}

function spaces(text) {
  return placesOf(text, / /g)
}

/** A letter left out, doubled, mistaken for its neighbour on the keyboard, or changed with the next one. */
function typo(text, random) {
  const places = placesOf(text, /[a-z]/g)
  const pairs = placesOf(text, /([a-z])(?!\1)[a-z]/g)
  if (places.length === 0) return text
  const at = random.pick(places)
  const kind = random.below(pairs.length > 0 ? 4 : 3)
  if (kind === 0) return text.slice(0, at) + text.slice(at + 1)
  if (kind === 1) return insertAt(text, at, text[at])
  if (kind === 2) return text.slice(0, at) + random.pick(NEIGHBOURS[text[at]]) + text.slice(at + 1)
  const pair = random.pick(pairs)
  return text.slice(0, pair) + text[pair + 1] + text[pair] + text.slice(pair + 2)
}

/** All upper case, all lower case, or the first letters in upper case. */
function changeCase(text, random) {
  const forms = [text.toUpperCase(), text.toLowerCase(), text.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())]
  const changed = forms.filter((form) => form !== text)
  return changed.length > 0 ? random.pick(changed) : text
}

/** All of it left out, another end, or a comma somewhere. */
function changePunctuation(text, random) {
  const bare = text.replace(/[.,;:!?"()]/g, '')
  const ended = `${text.replace(/[.!?]+$/, '')}${random.pick(['.', '!', '?', '...', '!!', '?!'])}`
  const space = random.pick(spaces(text)) ?? text.length
  const forms = [bare, ended, insertAt(text, space, ',')].filter((form) => form !== text && form.trim() !== '')
  return random.pick(forms)
}

/** One to four characters that nobody sees. */
function addInvisible(text, random) {
  let changed = text
  for (let left = 1 + random.below(4); left > 0; left--) {
    changed = insertAt(changed, random.below(changed.length + 1), random.pick(INVISIBLE))
  }
  return changed
}

/** One to four letters written with those of another alphabet. */
function addLookAlikes(text, random) {
  const letters = [...text]
  const places = letters.flatMap((letter, i) => (letter in LOOK_ALIKES ? [i] : []))
  for (let left = 1 + random.below(4); left > 0 && places.length > 0; left--) {
    const [at] = places.splice(random.below(places.length), 1)
    letters[at] = random.pick(LOOK_ALIKES[letters[at]])
  }
  return letters.join('')
}

function replaceWord(text, random, words) {
  const parts = text.split(' ')
  const at = random.below(parts.length)
  let other = random.pick(words)
  while (other === parts[at]) other = random.pick(words)
  parts[at] = other
  return parts.join(' ')
}

function swapWords(text, random) {
  const parts = text.split(' ')
  const places = parts.flatMap((part, i) => (i > 0 && parts[i - 1] !== part ? [i] : []))
  if (places.length === 0) return text
  const at = random.pick(places)
  ;[parts[at - 1], parts[at]] = [parts[at], parts[at - 1]]
  return parts.join(' ')
}
