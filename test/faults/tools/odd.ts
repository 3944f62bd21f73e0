/** Odd values, and good values with something odd in them: what the fuzzers throw at every door. */
import fc from 'fast-check'

/** Words that programs stumble over. */
const WORDS = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'NaN',
  '-0',
  '0',
  '1e999',
  'null',
  '\u0000',
  '\ud800',
  '\u202e',
  '💩',
  '../../etc/passwd',
  'text_repetition',
  'confidence',
  'client',
  'sha256:',
  'a'.repeat(300),
]
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  255,
  256,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  1e21,
  1e308,
  -1e308,
  5e-324,
  8.64e15,
]
const NO_NUMBERS = [Number.NaN, Infinity, -Infinity]

/** Anything that JSON can say. */
export const oddJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, ...WORDS, ...NUMBERS),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ maxLength: 20 }),
    fc.array(fc.double({ noNaN: true, min: 0, max: 1 }), { maxLength: 6 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...WORDS, 'input', 'name', 'threshold', 'id'), tie('value'), { maxKeys: 4 }),
  ),
})).value

/** Anything that a caller in the same program can hand over. Made afresh each time: some doors take what they get. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: oddJson },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<() => unknown>(
        () => undefined,
        () => Symbol('odd'),
        () => 10n,
        () => () => 1,
        () => new Date(Number.NaN),
        () => new Map([[1, 2]]),
        () => new Set([1]),
        () => new Proxy({}, {}),
        () => Object.create(null),
        () => Object.freeze([Number.NaN]),
        () => new Float32Array(3).fill(Number.NaN),
        () => Float64Array.of(0.5, 0.5),
        () => new Uint8Array(5),
        () => new BigInt64Array(2),
        () => new ArrayBuffer(8),
        () => new DataView(new ArrayBuffer(8)),
        () => new Array(20_000),
        () => ({ length: 3 }),
        () => ({ length: -1 }),
        () => ({ length: 1e9 }),
        () => ({ toString: 5 }),
        () => ({ toJSON: 5 }),
        () => [[[[[]]]]],
        () => new String('boxed'),
        () => new Number(5),
        () => /x/,
        () => new Error('an error'),
        () => Promise.resolve(1),
        () => Object.assign(() => 1, { description: {} }),
      )
      .map((make) => make()),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...NO_NUMBERS) },
)

interface Change {
  readonly where: number
  readonly how: 'set' | 'remove' | 'add' | 'twice'
  readonly key: string
  readonly value: unknown
}

function changesOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<Change[]> {
  const change = fc.record({
    where: fc.nat(),
    how: fc.constantFrom(
      'set' as const,
      'set' as const,
      'set' as const,
      'remove' as const,
      'add' as const,
      'twice' as const,
    ),
    key: fc.constantFrom(...WORDS, 'input', 'threshold', 'extra'),
    value,
  })
  return fc.array(change, { maxLength: 3 })
}

/** A good value with up to three things changed in it, at any depth. */
export function spoilt<T>(good: fc.Arbitrary<T>, odd: fc.Arbitrary<unknown> = oddValue): fc.Arbitrary<T> {
  return fc.tuple(good, changesOf(odd)).map(([value, changes]) => changes.reduce(changed, value as unknown) as T)
}

type Container = Record<string, unknown>

function changed(root: unknown, { where, how, key, value }: Change): unknown {
  const copy = copyOf(root)
  const places = placesIn(copy)
  if (places.length === 0) return value
  const [container, own] = places[where % places.length]!
  if (how === 'set') put(container, own, value)
  else if (how === 'add') put(container, Array.isArray(container) ? String(container.length) : key, value)
  else if (how === 'twice' && Array.isArray(container)) container.push(container[Number(own)])
  else if (Array.isArray(container)) container.splice(Number(own), 1)
  else delete container[own]
  return copy
}

/** Also under `__proto__`, as `JSON.parse` does it. */
function put(container: Container | unknown[], key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true })
}

function isTree(value: unknown): value is Container | unknown[] {
  return Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]'
}

function copyOf(value: unknown): unknown {
  if (!isTree(value))
    return ArrayBuffer.isView(value) && !(value instanceof DataView) ? (value as Uint8Array).slice() : value
  if (Array.isArray(value)) return value.length > 1000 ? value : value.map(copyOf)
  const copy = {}
  for (const key of Object.keys(value)) put(copy as Container, key, copyOf(value[key]))
  return copy
}

const MOST_PLACES = 500

/** Every place in a tree: what holds it, and under which key. */
function placesIn(root: unknown): [Container | unknown[], string][] {
  const places: [Container | unknown[], string][] = []
  const queue: unknown[] = [root]
  while (queue.length > 0 && places.length < MOST_PLACES) {
    const one = queue.shift()
    if (!isTree(one) || (Array.isArray(one) && one.length > 1000)) continue
    for (const key of Object.keys(one)) {
      places.push([one, key])
      queue.push((one as Container)[key])
    }
  }
  return places
}

/** Good bytes, cut, changed, doubled or overwritten in places. */
export function spoiltBytes(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const change = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('bit', 'byte', 'edge', 'remove', 'insert', 'cut', 'copy'),
    value: fc.nat({ max: 255 }),
  })
  return fc.tuple(fc.constantFrom(...good), fc.array(change, { maxLength: 4 })).map(([bytes, changes]) => {
    let all = Uint8Array.from(bytes)
    for (const { at, how, value } of changes) {
      const place = at % Math.max(1, all.length)
      if (how === 'bit') all[place] = all[place]! ^ (1 << (value & 7))
      else if (how === 'byte') all[place] = value
      else if (how === 'edge') all.set([255, 255, 255, 255, 127].slice(0, all.length - place), place)
      else if (how === 'cut') all = all.slice(0, place)
      else if (how === 'remove')
        all = Uint8Array.from([...all.subarray(0, place), ...all.subarray(place + 1 + (value & 7))])
      else if (how === 'insert') all = Uint8Array.from([...all.subarray(0, place), value, ...all.subarray(place)])
      else all.copyWithin(place, value, value + 16)
    }
    return all
  })
}
