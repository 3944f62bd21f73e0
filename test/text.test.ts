import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalizeText, textFingerprint } from '../src/core/text.ts'
import { golden, hasGolden } from './tools/data.ts'

interface Case {
  readonly name: string
  readonly inputs: readonly (string | readonly string[])[]
  readonly hashes: readonly (string | null)[]
}

const there = hasGolden('text_repetition')

describe.skipIf(!there)(
  `the reference's text fingerprints${there ? '' : ' (skipped: no golden/text_repetition.json)'}`,
  () => {
    const cases = there ? golden<{ cases: Case[] }>('text_repetition').cases : []
    // Stands for the cases when the file is missing: without it nothing would be listed as skipped.
    test('are there', () => expect(cases.length).toBeGreaterThan(0))
    test.each(cases.map((c) => [c.name, c] as const))('%s', (_, { inputs, hashes }) => {
      for (const [i, input] of inputs.entries()) {
        const hash = hashes[i]
        if (typeof hash === 'string') expect(textFingerprint(input)).toBe(hash)
        else expect(() => textFingerprint(input)).toThrow(expect.objectContaining({ code: 'bad_query' }))
      }
    })
  },
)

test('case and outer white space do not count, inner white space does', () => {
  const hello = '7509e5bda0c762d2bac7f90d758b5b2263fa01ccbc542ab5e3df163be08e6ca9'
  expect([textFingerprint('Hello world!'), textFingerprint(' \thello WORLD!\n')]).toEqual([hello, hello])
  expect(textFingerprint('Hello  world!')).not.toBe(hello)
})

test('a list counts as its parts joined by one space, then stripped', () => {
  expect(textFingerprint([' Hello', 'world! '])).toBe(textFingerprint('Hello world!'))
  expect(textFingerprint(['a', 'b'])).toBe('c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65')
})

test('an empty text, an empty list and mere white space share the fingerprint of nothing', () => {
  const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  expect([textFingerprint(''), textFingerprint([]), textFingerprint(' \u3000\n')]).toEqual([nothing, nothing, nothing])
})

test('exactly the 29 white-space characters of Python are stripped, U+FEFF not among them', () => {
  const letter = textFingerprint('a')
  const stripped: number[] = []
  for (let code = 0; code < 0xd800; code++) {
    if (textFingerprint(`${String.fromCharCode(code)}a`) === letter) stripped.push(code)
  }
  const expected = [9, 10, 11, 12, 13, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680]
  for (let code = 0x2000; code <= 0x200a; code++) expected.push(code)
  expect(stripped).toEqual([...expected, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000])
  expect(textFingerprint('\ufeffa')).not.toBe(letter)
})

test.each([
  ['a number', 5, 'input'],
  ['nothing', undefined, 'input'],
  ['null', null, 'input'],
  ['a String object', Object('text'), 'input'],
  ['a list with a number', ['a', 5], 'input[1]'],
  // biome-ignore lint/suspicious/noSparseArray: the hole is the subject
  ['a list with a hole', ['a', , 'b'], 'input[1]'],
])('%s is a bad query that names its place', (_, input, path) => {
  expect(() => textFingerprint(input as string)).toThrow(expect.objectContaining({ code: 'bad_query', path }))
})

test('the index of a lone surrogate counts in the text as it was given', () => {
  expect(() => textFingerprint('  İ\ud800')).toThrow(/index 3/)
})

test('a text, or a joined list, of maxLength is accepted and one longer is refused with the remedy', () => {
  expect(() => textFingerprint('abcde', { maxLength: 5 })).not.toThrow()
  expect(() => textFingerprint(['ab', 'cd'], { maxLength: 5 })).not.toThrow()
  for (const input of ['abcdef', ['ab', 'cde'], Array(7).fill('')]) {
    expect(() => textFingerprint(input, { maxLength: 5 })).toThrow(/at most 5 .* raise maxLength/)
  }
})

describe('characters newer than Unicode 15.0', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

  // Capitals of Unicode 16 (two), of 17 (two), and a place that is still free. Some engines know the small letter, some not.
  test.each(['\ua7dc', '\u{10d50}', '\ua7ce', '\u{16ea0}', '\u{3ffff}'])('%s keeps its case', (letter) => {
    expect(textFingerprint(`A${letter}B`)).toBe(sha256(`a${letter}b`))
    expect(textFingerprint(`ΑΣ${letter}`)).toBe(sha256(`ας${letter}`))
  })

  test('stand between words in the normal form, and the unassigned ones that are set apart as invisible do not', () => {
    expect(normalizeText('A\ua7dcB, \u{323b0}c\ua7f1')).toBe('a b c')
    expect(normalizeText('hel\u{e0080}lo')).toBe('hello')
  })

  test('a letter that has lost its case since does not end a word for the sigma behind it', () => {
    expect(textFingerprint('ʕΣ ΑΣ')).toBe(sha256('ʕσ ας'))
  })
})

test('the limit is a million code units unless another one is given', () => {
  expect(() => textFingerprint('a'.repeat(1_000_000))).not.toThrow()
  expect(() => textFingerprint('a'.repeat(1_000_001))).toThrow(expect.objectContaining({ code: 'bad_query' }))
})

describe('the normal form', () => {
  test.each([
    ['case', 'HELLO World', 'hello world'],
    ['runs of white space', ' hello \t\n  world ', 'hello world'],
    ['punctuation', 'Hello -- world!!! (…)', 'hello world'],
    ['apostrophes, straight and curly', "it's, it’s", 'its its'],
    ['zero-width characters', 'hel\u200blo\u2060 \ufeffworld', 'hello world'],
    ['soft hyphens and variation selectors', 'hel\u00adlo\ufe0f', 'hello'],
    ['control characters', 'hel\0lo\x7f', 'hello'],
    ['full-width and styled letters', 'Ｈｅｌｌｏ 𝐰𝐨𝐫𝐥𝐝', 'hello world'],
    ['ligatures', 'ﬁne', 'fine'],
    ['Cyrillic look-alikes among Latin letters', 'pаypаl sесurе', 'paypal secure'],
    ['upper-case look-alikes', 'ВANК of ΑΜERICA', 'bank of america'],
    ['stacked accents', 'h̷̢e̶l̸l̴o', 'hello'],
    ['repeated symbols', 'wow 😀😀😀 C++', 'wow 😀 c+'],
  ])('folds %s', (_, text, expected) => {
    expect(normalizeText(text)).toBe(expected)
  })

  test.each([
    ['Russian', 'Привет, как дела?', 'привет как дела'],
    ['Greek', 'Καλημέρα ΟΔΟΣ', 'καλημέρα οδοσ'],
    ['Hindi', 'नमस्ते दुनिया', 'नमस्ते दुनिया'],
    ['Chinese', '你好，世界！', '你好 世界'],
    ['Korean', '안녕하세요', '안녕하세요'],
    ['accented', 'Café élève', 'café élève'],
  ])('keeps the letters of a %s text', (_, text, expected) => {
    expect(normalizeText(text)).toBe(expected)
  })

  test('is empty for mere punctuation', () => {
    expect([normalizeText(''), normalizeText('?!'), normalizeText('\u200b')]).toEqual(['', '', ''])
  })

  test('applied twice is the same as applied once', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom('а', 'Ж', 'β', 'İ', ' ', '+', 'a', '\u0301'),
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (parts) => {
        const once = normalizeText(parts.join(''))
        expect(normalizeText(once)).toBe(once)
      }),
      { seed: 3, numRuns: 5000 },
    )
  })

  test('of an ASCII text does not depend on whether the text around it is ASCII', () => {
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 40 })
    fc.assert(
      fc.property(ascii, (text) => {
        expect(normalizeText(`${text} é`)).toBe(`${normalizeText(text)} é`.trim())
      }),
      { seed: 4, numRuns: 3000 },
    )
  })
})
