/** The content fingerprint before the laws. */
import {
  type ContentFingerprintConfig,
  createDetector,
  type Observation,
  pictureShingles,
  type Shingles,
  shingleOptionsOf,
} from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random } from '../tools/random.ts'

const SEED = 20261124
const WINDOW = 12

type Subject = LawSubject<Observation> & { readonly detector: string }

function fingerprintSubject(what: string, options: Partial<ContentFingerprintConfig> = {}): Subject {
  const config = { maxHistorySize: WINDOW, ...options }
  const take = (data: Uint8Array) => {
    const picture = { data, width: data.length / 3, height: 1, channels: 3 as const }
    return { shingles: pictureShingles(picture, shingleOptionsOf(config)) }
  }
  const width = config.digest === 'sha256' ? 8 : 2
  const good = take(picture(random(1), 90)).shingles
  const broken = (change: Partial<Record<keyof Shingles, unknown>>) => ({ shingles: { ...good, ...change } })
  return {
    detector: 'content_fingerprint',
    name: `content_fingerprint, ${what}`,
    window: WINDOW,
    make: () => createDetector('content_fingerprint', config),
    queries: (count) => stream(SEED, count).map(({ data }) => take(data)),
    isSuspicious: (d) => d.score > d.threshold,
    bad: {
      nothing: {},
      null: null,
      'no shingles': { shingles: null },
      'a list of hashes alone': { shingles: good.hashes },
      'signed words': broken({ hashes: new Int32Array(good.hashes) }),
      'half a hash': broken({ hashes: good.hashes.slice(1) }),
      'a hash twice': broken({ hashes: new Uint32Array(2 * width).fill(7) }),
      'the smallest first': broken({ hashes: good.hashes.slice().reverse() }),
      'more hashes than are kept': broken({ hashes: Uint32Array.from({ length: 60 * width }, (_, i) => 1e6 - i) }),
      'fewer windows than hashes': broken({ windows: 1 }),
      'half a window': broken({ windows: 70.5 }),
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () => stream(SEED + 1, 80).map(({ data, isNear }) => ({ observation: take(data), suspicious: isNear })),
    async: {
      make: () => getDetector('content_fingerprint', config),
      queries: (count) =>
        stream(SEED, count).map(({ data }) => ({
          input: { data, width: data.length / 3, height: 1, channels: 3 },
        })),
      failing: { input: '' },
    },
  }
}

function picture(next: () => number, numbers: number): Uint8Array {
  return Uint8Array.from({ length: numbers }, () => 256 * next())
}

/** Pictures of several sizes, and every third a near copy of the one before. */
function stream(seed: number, count: number): { readonly data: Uint8Array; readonly isNear: boolean }[] {
  const next = random(seed)
  const seen: Uint8Array[] = []
  return Array.from({ length: count }, (_, i) => {
    const isNear = i % 3 === 2
    const data = isNear ? seen[i - 1]!.slice() : picture(next, [90, 300, 12][i % 4] ?? 150)
    if (isNear) data[Math.floor(next() * data.length)] = 256 * next()
    seen.push(data)
    return { data, isNear }
  })
}

export const fingerprintSubjects = [
  fingerprintSubject('the defaults'),
  fingerprintSubject('SHA-256', { digest: 'sha256', kept: 10, threshold: 5 }),
  fingerprintSubject('windows of its own', { key: 99, window: 8, stride: 3, quantum: 20, kept: 20, threshold: 4.5 }),
  fingerprintSubject('every hash counts', { threshold: 0, leastWindows: 1, kept: 3 }),
]
