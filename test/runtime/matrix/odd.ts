/** Inputs that go wrong somewhere: each must be refused, or judged, alike on every runtime. */
import type { Pixels } from 'monitaur'

const LONE_HIGH = '\ud83d'
const LONE_LOW = '\ude00'

/** Texts at the edge of Unicode, and what is no text. */
export const ODD_TEXTS: readonly unknown[] = [
  '',
  ' \t\n\u3000',
  LONE_HIGH,
  `a${LONE_LOW}b`,
  ['one', LONE_HIGH],
  ['in ', 'two', ' parts'],
  [],
  ['a', 7],
  null,
  5,
  Number.NaN,
  'שלום \u202eעולם\u202c abc', // right to left, and an override
  'مرحبا بالعالم ١٢٣',
  'e\u0301e\u0323\u0301\u0308z\u0335\u0336\u0337a\u0327\u030a', // combining marks, in two orders
  'ΟΔΟΣ ΣΑΣ σς Σ', // the sigma at the end of a word
  'ʕΣ ΑʕΣ', // a letter whose case Unicode has taken back
  'İıIi ŉ ß ẞ ﬁ ǅ ᾳ ᾼ', // letters whose case changes the length
  'pаураl Αpple ѕtоre', // Cyrillic and Greek look-alikes
  '\u200bze\u00adro\u2060 wi\ufe0fdth\ufeff\u034f',
  '\0\u0001\u0085\u001c nul \u007f',
  '👩‍👩‍👧🏽🏳️‍🌈 🫨🫨🫨 ++++ $$$',
  'ｆｕｌｌ　ｗｉｄｔｈ ℌ𝔢𝔩𝔩𝔬 ①②③ ㎏ ﷺ',
  'Ꟛ Ƛ Ɤ Ꟗ \ua7cb\ua7da\ua7dc \u1c89 \u{10d50}\u{10d65} \u{16ea0}', // cased letters of Unicode 16 and 17
  '\u{2ebf0}\u{323b0}\u{33479} \u0897\u1acf\u20c1', // characters newer than Unicode 15
  '\u{10ffff}\u{fdd0}\u{e0001}\ue000',
  'constructor __proto__ prototype',
  'x'.repeat(5000),
]

/** Rows that are none, and rows with cells of every kind. */
export const ODD_ROWS: readonly unknown[] = [
  {},
  [],
  null,
  [1, 2],
  new Map([['a', 1]]),
  JSON.parse('{"__proto__": 1, "a": 2}'),
  { constructor: 1 },
  { age: Number.NaN },
  { age: Number.POSITIVE_INFINITY, income: 1 },
  { age: -0, income: 0 },
  { age: 1e308, income: 5e-324 },
  { age: '1e999', income: '0x10' },
  { age: ' 25 ', income: '25.0' },
  { age: '+25', income: '025' },
  { age: '9007199254740993', income: 9007199254740992 },
  { age: 0.1 + 0.2, income: 1e21 },
  { age: 123456789012345680000, income: 1e-7 },
  { age: LONE_HIGH },
  { [LONE_LOW]: 1 },
  { age: {} },
  { age: undefined },
  { age: 10n },
  { age: 'alt', income: 'old' },
  { '': '', ' ': null, é: 'e\u0301', 'e\u0301': 'é' },
  { job: 'שלום', '\u202e': true, '💼': 'x'.repeat(300) },
  { [`${'n'.repeat(257)}`]: 1 },
]

/** Class probabilities that are none, or whose sum is far from 1. */
export const ODD_NUMBERS: readonly unknown[] = [
  [],
  [1],
  [0, 0, 0],
  [0.5, Number.NaN],
  [0.5, Number.POSITIVE_INFINITY],
  [-0, 1],
  [1.5, -0.5],
  [5e-324, 1e-300, 1],
  [1e308, 1e308],
  [60, 30, 10],
  [1e-9, 1e-9],
  [709, -745, 0],
  ['0.5', '0.5'],
  [[1]],
  'half',
  null,
  {},
  { length: -1 },
  { length: 2, 0: 0.25, 1: 0.75 },
  new Uint8Array([3, 1]),
  new Float32Array([0.1, 0.9]),
  Array(3),
]

/** Vectors for a stream of vectors of this length. */
export function oddVectors(length: number): readonly unknown[] {
  const filled = (value: number) => new Array<number>(length).fill(value)
  return [
    [],
    [1, 2, 3],
    filled(0),
    filled(-0),
    filled(1e150),
    filled(1e151),
    filled(1e-200),
    filled(5e-324),
    filled(Number.NaN),
    filled(Number.NEGATIVE_INFINITY),
    [...filled(0).slice(1), 1],
    new Float32Array(length).fill(0.1),
    new Float64Array(length).fill(0.1),
    filled(-1),
    'vector',
    null,
    { length },
    filled(1).map(String),
  ]
}

/** Names for "the same query" that are none. */
export const ODD_FINGERPRINTS: readonly unknown[] = [
  '',
  'a',
  'A'.repeat(256),
  'a'.repeat(257),
  LONE_HIGH,
  '__proto__',
  'constructor',
  'ffffffffffffffff',
  'FFFFFFFFFFFFFFFF',
  '000000000000000g',
  '\u202eאבג',
  7,
  null,
  [],
]

/** Pictures that are none, of no size, of another size than they say, and of extreme values and shapes. */
export const ODD_PICTURES: readonly unknown[] = [
  { data: new Uint8Array(0), width: 0, height: 0, channels: 3 },
  { data: new Uint8Array(0), width: 5, height: 0, channels: 1 },
  { data: new Uint8Array(11), width: 2, height: 2, channels: 3 },
  { data: new Uint8Array(13), width: 2, height: 2, channels: 3 },
  { data: new Uint8Array(8), width: 2, height: 2, channels: 2 },
  { data: new Uint8Array(4), width: -2, height: -2, channels: 1 },
  { data: new Uint8Array(4), width: 1.5, height: 2, channels: 1 },
  { data: new Uint8Array(1), width: 65_536, height: 1, channels: 1 },
  { data: new Float32Array(4).fill(0.5), width: 2, height: 2, channels: 1 },
  { data: new Float32Array([0, Number.NaN, 1, 0.5]), width: 2, height: 2, channels: 1, maxValue: 1 },
  { data: new Float64Array([0, 1.5, 1, 0.5]), width: 2, height: 2, channels: 1, maxValue: 1 },
  { data: new Float64Array([0, 0.1, 0.999, 1]), width: 2, height: 2, channels: 1, maxValue: 1 },
  { data: new Uint16Array(4), width: 2, height: 2, channels: 1 },
  { data: [1, 2, 3, 4], width: 2, height: 2, channels: 1 },
  null,
  7,
  plain(1, 1, 0),
  plain(1, 1, 255),
  plain(300, 1, 90),
  plain(1, 300, 90),
  plain(17, 9, 128),
  checker(16),
  checker(33),
]

function plain(width: number, height: number, value: number): Pixels {
  return { data: new Uint8Array(width * height * 3).fill(value), width, height, channels: 3 }
}

/** Symmetric: many of its frequencies tie. */
function checker(side: number): Pixels {
  const data = Uint8ClampedArray.from(
    { length: side * side },
    (_, i) => (((i % side) + Math.floor(i / side)) & 1) * 255,
  )
  return { data, width: side, height: side, channels: 1 }
}
