import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createDetector,
  fromBytes,
  fromFrame,
  isMonitorError,
  type PlainData,
  type Snapshot,
  toBytes,
  toFrame,
} from '../src/core/index.ts'

const SEED = 20261124

const plain: fc.Arbitrary<PlainData> = fc.letrec<{ data: PlainData }>((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\ud800', 'a', '\udc00') }),
    fc.uint8Array() as fc.Arbitrary<Uint8Array>,
    fc.uint32Array() as fc.Arbitrary<Uint32Array>,
    fc.float32Array() as fc.Arbitrary<Float32Array>,
    fc.float64Array() as fc.Arbitrary<Float64Array>,
    fc.array(tie('data')),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('data'),
    ),
  ),
})).data

function refusal(call: () => unknown): string {
  try {
    call()
  } catch (thrown) {
    return isMonitorError(thrown) ? thrown.code : `not a MonitorError: ${String(thrown)}`
  }
  return 'accepted'
}

function sample(): Snapshot {
  const detector = createDetector('text_similarity')
  for (let i = 0; i < 5; i++) detector.process({ embedding: Float32Array.of(i, 1, -2) })
  return detector.snapshot()
}

describe('snapshots as bytes', () => {
  test('any plain data comes back as it was', () => {
    fc.assert(
      fc.property(plain, (state) => {
        const snapshot = { detector: 'x', version: 3, state }
        expect(fromBytes(toBytes(snapshot))).toEqual({ detector: 'x', version: 3, state: withPlainPrototype(state) })
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('other plain data has a frame of its own kind, which is taken for no other', () => {
    const frame = toFrame('MTEN', [1, 'two', { three: Float32Array.of(3) }])
    expect(fromFrame('MTEN', frame)).toEqual([1, 'two', { three: Float32Array.of(3) }])
    const refused = expect.objectContaining({ code: 'bad_snapshot' })
    expect(() => fromFrame('MTSN', frame)).toThrow(refused)
    expect(() => fromBytes(frame)).toThrow(refused)
    expect(() => fromBytes(toFrame('MTSN', [1]))).toThrow(refused)
  })

  test('the same snapshot gives the same bytes, and they are pinned', () => {
    const bytes = toBytes({ detector: 'text_repetition', version: 1, state: { fingerprints: ['a', 'bc'], n: -0.5 } })
    const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
    expect(hex).toBe(
      [
        '4d54534e', // MTSN
        '0100', // format 1
        '54000000', // 84 bytes follow the header
        'ca3d997a', // their CRC-32
        '0703', // an object of three
        '05086465746563746f72', // 'detector'
        '050f746578745f72657065746974696f6e', // 'text_repetition'
        '050776657273696f6e', // 'version'
        '0301', // 1
        '05057374617465', // 'state'
        '0702', // an object of two
        '050c66696e6765727072696e7473', // 'fingerprints'
        '0602', // a list of two
        '050161', // 'a'
        '05026263', // 'bc'
        '05016e', // 'n'
        '04000000000000e0bf', // -0.5
      ].join(''),
    )
  })

  test('the bytes may be a part of a larger buffer, as those of Node are', () => {
    const snapshot = sample()
    const shared = Buffer.concat([Buffer.of(1, 2, 3), toBytes(snapshot)])
    expect(fromBytes(shared.subarray(3))).toEqual(snapshot)
  })

  test('a buffer cut anywhere, or with a tail, is refused', () => {
    const bytes = toBytes(sample())
    for (let length = 0; length < bytes.length; length++) {
      expect(refusal(() => fromBytes(bytes.subarray(0, length)))).toBe('bad_snapshot')
    }
    expect(refusal(() => fromBytes(Uint8Array.of(...bytes, 0)))).toBe('bad_snapshot')
  })

  test('every single flipped bit is found', () => {
    const bytes = toBytes(sample())
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice()
      damaged[Math.floor(bit / 8)]! ^= 1 << (bit % 8)
      expect(
        refusal(() => fromBytes(damaged)),
        `bit ${bit}`,
      ).toBe('bad_snapshot')
    }
  })

  test('hostile bytes with a right checksum are refused, never crash and never allocate what they claim', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
        const outcome = refusal(() => fromBytes(sealed(payload)))
        expect(['bad_snapshot', 'accepted']).toContain(outcome)
      }),
      { seed: SEED, numRuns: 3000 },
    )
    const hugeList = Uint8Array.of(6, 255, 255, 255, 255, 15)
    const hugeArray = Uint8Array.of(11, 255, 255, 255, 255, 15)
    const deep = new Uint8Array(5000).fill(6).map((_, i) => (i % 2 === 0 ? 6 : 1))
    for (const payload of [hugeList, hugeArray, deep])
      expect(refusal(() => fromBytes(sealed(payload)))).toBe('bad_snapshot')
  })

  test('a key __proto__ is refused both ways and pollutes nothing', () => {
    const state = JSON.parse('{ "__proto__": { "polluted": 1 } }')
    expect(refusal(() => toBytes({ detector: 'x', version: 1, state }))).toBe('bad_snapshot')
    const key = [5, 9, ...Array.from('__proto__', (c) => c.charCodeAt(0))]
    expect(refusal(() => fromBytes(sealed(Uint8Array.of(7, 1, ...key, 7, 0))))).toBe('bad_snapshot')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('what is not plain data is refused by name', () => {
    for (const state of [() => 1, Symbol('x'), undefined, 1n, new Date(0), new Map()]) {
      expect(refusal(() => toBytes({ detector: 'x', version: 1, state: { state } as never }))).toBe('bad_snapshot')
    }
  })

  test('a detector restored from random states either refuses them or continues without a crash', () => {
    for (const name of ['confidence', 'image_repetition', 'text_similarity'] as const) {
      const observation = {
        probabilities: [0.5, 0.5],
        fingerprint: '0123456789abcdef',
        embedding: Float32Array.of(1, 2, 3),
      }
      const trained = createDetector(name)
      trained.process(observation)
      const { state } = trained.snapshot()
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(state as object)), plain, (key, value) => {
          const detector = createDetector(name)
          const before = detector.snapshot()
          const outcome = refusal(() =>
            detector.restore({ detector: name, version: 1, state: { ...(state as object), [key]: value } }),
          )
          if (outcome === 'bad_snapshot') expect(detector.snapshot()).toEqual(before)
          else expect(outcome).toBe('accepted')
          expect(Number.isFinite(createDetector(name).process(observation).score)).toBe(true)
        }),
        { seed: SEED, numRuns: 300 },
      )
    }
  })
})

/** A payload behind a right header. */
function sealed(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(14 + payload.length)
  bytes.set([0x4d, 0x54, 0x53, 0x4e, 1])
  bytes.set(payload, 14)
  const view = new DataView(bytes.buffer)
  view.setUint32(6, payload.length, true)
  view.setUint32(10, crc32(payload), true)
  return bytes
}

/** Bit by bit, after the definition: an independent check of the table in the library. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

/** fast-check makes objects without a prototype; what is read back has the ordinary one. */
function withPlainPrototype(data: PlainData): PlainData {
  if (Array.isArray(data)) return data.map(withPlainPrototype)
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return data
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, withPlainPrototype(value)]))
}
