/** How the defaults of the fingerprint and of the nearest neighbours behave on real texts, rows and photos. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  createDetector,
  embedPixels,
  embedRow,
  embedText,
  fitTabular,
  pictureShingles,
  rowShingles,
  type Shingles,
  textShingles,
} from '../src/core/index.ts'
import { missing, readPictures } from './lineage/target.ts'
import { dataDir, hasData } from './tools/data.ts'
import { random } from './tools/random.ts'
import { nudged, tableOf, unitsOf } from './tools/tables.ts'

const BANKING = 'text/banking77.csv'
const TABLES = ['adult', 'german_credit', 'winequality_red', 'pima_diabetes', 'wine', 'abalone']

const absent = (isThere: boolean, what: string) => (isThere ? '' : ` (skipped: no ${what})`)
const hasPhotos = missing.length === 0
const photos = () =>
  readPictures().map(({ x }) => ({ data: x, width: 32, height: 32, channels: 3 as const, maxValue: 1 as const }))

/** Those without quotes, which need no parser. */
function questions(): string[] {
  const lines = readFileSync(join(dataDir(), BANKING), 'utf8').split(/\r?\n/).slice(1)
  return lines.filter((line) => line !== '' && !line.includes('"')).map((line) => line.slice(0, line.lastIndexOf(',')))
}

/** Share of a stream that alarms. */
function flagged(stream: readonly Shingles[]): number {
  const detector = createDetector('content_fingerprint')
  return stream.filter((shingles) => detector.process({ shingles }).suspicious).length / stream.length
}

/** Share of pairs whose second alarms after the first. */
function caught(pairs: readonly (readonly [Shingles, Shingles])[]): number {
  return pairs.filter((pair) => flagged(pair) > 0).length / pairs.length
}

/** A test for each table. */
function onTables(title: string, run: (rows: Record<string, string>[]) => void): void {
  for (const name of TABLES) {
    const file = `tabular/${name}.csv`
    test.skipIf(!hasData(file))(`${title}: ${name}${absent(hasData(file), file)}`, () =>
      run(tableOf(name).slice(0, 1000)),
    )
  }
}

describe('the content fingerprint', () => {
  test.skipIf(!hasData(BANKING))(
    `flags few different questions, and nearly all with a letter left out${absent(hasData(BANKING), BANKING)}`,
    () => {
      const texts = questions()
      expect(flagged(texts.map((text) => textShingles(text)))).toBeLessThan(0.05)
      const long = texts.filter((text) => text.length >= 20).slice(0, 600)
      const next = random(1)
      const pairs = long.map((text) => {
        const at = Math.floor(next() * text.length)
        return [textShingles(text), textShingles(text.slice(0, at) + text.slice(at + 1))] as const
      })
      expect(caught(pairs)).toBeGreaterThan(0.98)
    },
  )

  onTables('few different rows are flagged, and all with one number moved', (rows) => {
    const schema = fitTabular(rows)
    const take = (row: (typeof rows)[number]) => rowShingles(row, { schema })
    expect(flagged(rows.map(take))).toBeLessThan(0.03)
    const [next, units] = [random(2), unitsOf(rows)]
    const pairs = rows
      .slice(0, 200)
      .map((row) => [take(row), rowShingles(nudged(row, units, next), { schema })] as const)
    expect(caught(pairs)).toBe(1)
  })

  test.skipIf(!hasPhotos)(`flags none of 1000 different photos${absent(hasPhotos, missing.join(', '))}`, () => {
    expect(flagged(photos().map((photo) => pictureShingles(photo)))).toBe(0)
  })
})

describe('the nearest neighbours', () => {
  function alarms(vectors: readonly Float32Array[]): number {
    const detector = createDetector('neighbour_distance')
    return vectors.filter((embedding) => detector.process({ embedding }).suspicious).length
  }

  test.skipIf(!hasData(BANKING))(`do not alarm at 2000 questions to a bank${absent(hasData(BANKING), BANKING)}`, () => {
    expect(alarms(questions().map((text) => embedText(text)))).toBe(0)
  })

  onTables('rows do not alarm', (rows) => {
    expect(alarms(rows.map((row) => embedRow(row)))).toBe(0)
  })

  test.skipIf(!hasPhotos)(`do not alarm at 1000 photos${absent(hasPhotos, missing.join(', '))}`, () => {
    expect(alarms(photos().map((photo) => embedPixels(photo)))).toBe(0)
  })
})
