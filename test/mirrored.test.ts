/** Pictures that come back mirrored, with `image_similarity` looking for them. */
import { describe, expect, test } from 'vitest'
import { createDetector, mirrorPixels, type Pixels } from '../src/core/index.ts'
import { getDetector } from '../src/embed/index.ts'

/** A disc and a bar on a slope: left and right differ. */
function picture(): Pixels {
  const data = new Uint8Array(96 * 96 * 3)
  for (let y = 0; y < 96; y++) {
    for (let x = 0; x < 96; x++) {
      const isDisc = (x - 25) ** 2 + (y - 60) ** 2 < 300
      const isBar = x > 60 && x < 70 && y < 80
      data.set(isDisc ? [230, 40, 60] : isBar ? [20, 90, 240] : [2 * x, 100, 2 * y], 3 * (y * 96 + x))
    }
  }
  return { data, width: 96, height: 96, channels: 3 }
}

const mirrored = mirrorPixels(picture())

describe('a mirrored picture', () => {
  test('mirrored again is the picture', () => {
    expect(mirrorPixels(mirrored)).toEqual(picture())
    expect(mirrored).not.toEqual(picture())
  })

  test('is found when it is looked for, and the reason says so', async () => {
    const detector = getDetector('image_similarity', { mirrored: true })
    await detector.process({ input: picture() })
    const found = await detector.process({ input: mirrored })
    expect(found).toMatchObject({ suspicious: true, metadata: { mostSimilarIndex: 0, historySize: 1 } })
    expect(found.score).toBeGreaterThan(0.999)
    expect(found.reason).toMatch(/^Similarity score when mirrored: /)
  })

  test('is another picture by default', async () => {
    const detector = getDetector('image_similarity')
    await detector.process({ input: picture() })
    const found = await detector.process({ input: mirrored })
    expect(found.score).toBeLessThan(0.99)
    expect(found.reason).toMatch(/^Similarity score: /)
  })

  test('is what an embedder of your own is asked for as well', async () => {
    const seen: Pixels[] = []
    const embedder = (pixels: Pixels) => {
      seen.push(pixels)
      return [pixels.data[0]!, pixels.data[3 * 95]!, 1]
    }
    const detector = getDetector('image_similarity', { mirrored: true, embedder })
    await detector.process({ input: picture() })
    expect((await detector.process({ input: mirrored })).score).toBeCloseTo(1, 9)
    expect(seen.map(({ data }) => data)).toEqual([picture().data, mirrored.data, mirrored.data, picture().data])
  })

  test('is compared and not learned', () => {
    const detector = createDetector('image_similarity')
    detector.process({ embedding: [1, 0], mirrored: [0, 1] })
    expect(detector.process({ embedding: [0, 1], mirrored: [0.6, 0.8] })).toMatchObject({ score: 0.6 })
  })

  test('of another length is refused, and the state kept', () => {
    const detector = createDetector('image_similarity')
    const before = detector.snapshot()
    expect(() => detector.process({ embedding: [1, 0], mirrored: [1, 0, 0] })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'mirrored' }),
    )
    expect(detector.snapshot()).toEqual(before)
  })

  test('the option must be true or false', () => {
    expect(() => getDetector('image_similarity', { mirrored: 'yes' as never })).toThrow(
      expect.objectContaining({ code: 'bad_config', path: 'image_similarity.mirrored' }),
    )
  })
})
