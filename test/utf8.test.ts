import { createHash } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hash32, sha256Hex, sha256HexAfter, sha256HexOfText } from '../src/core/hash.ts'
import { encodeUtf8 } from '../src/core/utf8.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 300 })
const nodeHash = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

test('UTF-8 equals that of TextEncoder for every well-formed text', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text))
    }),
    { seed: 1 },
  )
})

test('the last character of each length of code has its 1, 2, 3 and 4 bytes', () => {
  const lengths = ['\x7f', '\x80', '\u07ff', '\u0800', '\uffff', '\u{10000}', '\u{10ffff}'].map(
    (c) => encodeUtf8(c).length,
  )
  expect(lengths).toEqual([1, 2, 2, 3, 3, 4, 4])
})

test.each([
  ['a high half at the end', 'ab\ud800', 2],
  ['a high half before a letter', '\ud83dx', 0],
  ['a low half alone', 'x\ude00', 1],
  ['halves in the wrong order', 'é\ude00\ud83d', 1],
])('%s is refused, with its index and the remedy', (_, text, index) => {
  expect(() => encodeUtf8(text, 'input[3]')).toThrow(
    expect.objectContaining({
      code: 'bad_query',
      path: 'input[3]',
      message: expect.stringMatching(new RegExp(`at index ${index}; .*toWellFormed`)),
    }),
  )
})

test('SHA-256 equals @noble/hashes and Node on 10 000 random byte strings', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const hex = sha256Hex(bytes)
      return hex === nodeHash(bytes) && hex === Buffer.from(sha256(bytes)).toString('hex')
    }),
    { seed: 2, numRuns: 10_000 },
  )
})

test('SHA-256 is right at every length around the ends of a block', () => {
  for (let length = 0; length <= 260; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255)
    expect(sha256Hex(bytes)).toBe(nodeHash(bytes))
  }
})

test('SHA-256 of a million times "a" is that of FIPS 180', () => {
  expect(sha256HexOfText('a'.repeat(1_000_000))).toBe(
    'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  )
})

test('the hash of a text does not depend on the texts before it', () => {
  const texts = ['x'.repeat(5000), 'abc', '', 'é'.repeat(2800), 'ab']
  for (const text of texts) expect(sha256HexOfText(text)).toBe(nodeHash(text))
})

test('a refused text leaves the next hash right', () => {
  expect(() => sha256HexOfText('abc\ud800')).toThrow()
  expect(sha256HexOfText('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('SHA-256 of what follows one block equals that of the whole, whatever the lengths and the order', () => {
  const start = sha256Hex(Uint8Array.of(1, 2, 3))
  const hash = sha256HexAfter(start)
  const other = sha256HexAfter('0'.repeat(64))
  for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 1000, 5000]) {
    const text = 'aé'.repeat(length).slice(0, length)
    expect(hash(text)).toBe(
      createHash('sha256')
        .update(start + text)
        .digest('hex'),
    )
    expect(other(text)).toBe(sha256HexOfText('0'.repeat(64) + text))
  }
})

test('what all texts begin with must fill one block', () => {
  for (const start of ['', 'a'.repeat(63), 'a'.repeat(65), 'é'.repeat(64)]) {
    expect(() => sha256HexAfter(start)).toThrow('start.length')
  }
})

test('the 32-bit hash of a range is that of the cut-out text, and a seed changes it', () => {
  expect(hash32('xxhelloyy', 2, 7)).toBe(hash32('hello'))
  expect(hash32('hello', 0, 5, 1)).not.toBe(hash32('hello'))
})

test('the 32-bit hash of 100 000 numbers has about as many collisions as chance gives', () => {
  const seen = new Set(Array.from({ length: 100_000 }, (_, i) => hash32(`item ${i}`)))
  // n² / 2 / 2³² = 1.16 collisions are expected.
  expect(100_000 - seen.size).toBeLessThan(8)
})

test('the 32-bit hash is pinned', () => {
  expect([hash32(''), hash32('a'), hash32('hello'), hash32('привет')].map((h) => h >>> 0)).toMatchInlineSnapshot(`
    [
      0,
      721651713,
      449616461,
      1758635757,
    ]
  `)
})
