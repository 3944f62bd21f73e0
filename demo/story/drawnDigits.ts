/** Handwritten-looking digits, drawn from nothing but a seed: 28 × 28, white on black, as MNIST lays them out. */
import type { Labelled, Picture, Random, Shape } from '../../src/eval/index.ts'

export const DIGIT_SHAPE: Shape = { width: 28, height: 28, channels: 1 }

type Point = readonly [x: number, y: number]
/** A smooth line through its points. A corner is where one stroke ends and the next begins. */
type Stroke = readonly Point[]

/**
 * Ways to write each digit, in a box of 100 × 100 with y downwards: strokes apart by `|`, their points as `x,y`; `o` is an ellipse
 * by its middle and its two radii. A stroke is smooth; a corner is where the next one begins.
 */
const FORMS: readonly (readonly string[])[] = [
  ['o50 50 33 50', '62,4 30,12 16,50 30,90 56,97 80,70 82,30 64,6 50,3'],
  ['50,0 50,100', '56,0 52,50 48,100', '30,24 54,0 | 54,0 50,100'],
  ['16,25 30,4 62,2 80,22 66,50 14,98 | 14,98 86,96', '20,22 40,2 72,10 70,42 36,84 16,90 20,74 42,84 88,96'],
  [
    '18,10 48,0 76,14 70,38 42,47 | 42,47 76,58 78,84 48,100 16,90',
    '16,6 52,2 76,16 66,40 36,48 70,54 82,76 60,98 14,94',
  ],
  [
    '24,0 14,56 | 14,56 86,54 | 76,6 70,100',
    '66,0 12,64 | 12,64 90,62 | 66,0 64,100',
    '20,4 16,42 40,56 74,44 | 80,0 74,44 70,100',
  ],
  ['80,2 28,4 | 28,4 22,46 | 22,46 52,38 80,60 74,88 44,100 14,90', '84,6 36,0 | 36,0 24,42 60,50 76,72 56,96 16,94'],
  ['66,0 36,24 20,62 34,96 66,96 80,72 62,52 36,56 22,74', '50,0 30,30 22,68 40,98 70,88 72,62 50,54 26,74'],
  [
    '12,6 86,4 | 86,4 58,46 42,100',
    '14,10 50,6 84,2 | 84,2 46,100 | 36,52 78,48',
    '14,22 16,4 | 16,4 84,4 | 84,4 62,40 54,100',
  ],
  ['70,14 46,0 24,16 34,40 66,58 78,82 52,100 24,84 36,58 66,38 70,14', 'o50 25 23 25 | o50 74 28 26'],
  ['o46 27 28 27 | 75,20 74,60 66,100', '76,20 50,2 24,20 32,46 58,46 76,20 | 76,20 74,70 56,96 26,94'],
]

/** Points between two points of a stroke. */
const STEPS = 6
/** The digit itself fills 20 of 28 pixels, as in MNIST. */
const BOX = 20

/** Digits with their labels, in turn from 0 to 9. The same random numbers give the same digits. */
export function drawnDigits(count: number, random: Random): Labelled<Picture>[] {
  return Array.from({ length: count }, (_, i) => ({ input: drawDigit(i % 10, random), label: i % 10 }))
}

/** One digit of this label, in 8 bits as a file has it. */
export function drawDigit(label: number, random: Random): Picture {
  const strokes = strokesOf(random.pick(FORMS[label]!)).map((stroke) =>
    smooth(stroke.map((point) => shaken(point, random))),
  )
  return painted(placed(strokes, random), 0.85 + 0.95 * random.next())
}

function strokesOf(form: string): Stroke[] {
  return form.split(' | ').map((stroke) => {
    if (!stroke.startsWith('o'))
      return stroke.split(' ').map((pair) => pair.split(',').map(hundredth) as unknown as Point)
    const [x = 0, y = 0, across = 0, down = 0] = stroke.slice(1).split(' ').map(hundredth)
    return ring([x, y], across, down)
  })
}

function hundredth(text: string): number {
  return Number(text) / 100
}

function ring([x, y]: Point, across: number, down: number): Stroke {
  return Array.from({ length: 13 }, (_, i) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * i) / 12
    return [x + across * Math.cos(angle), y + down * Math.sin(angle)]
  })
}

function shaken([x, y]: Point, random: Random): Point {
  return [x + 0.022 * random.normal(), y + 0.022 * random.normal()]
}

/** Catmull–Rom through all points, the ends doubled. */
function smooth(points: Stroke): Point[] {
  if (points.length === 2) return [...points]
  const line: Point[] = []
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b, c, d] = [
      points[Math.max(i - 1, 0)]!,
      points[i]!,
      points[i + 1]!,
      points[Math.min(i + 2, points.length - 1)]!,
    ]
    const at = (t: number, k: 0 | 1) =>
      b[k] +
      0.5 * t * (c[k] - a[k] + t * (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k] + t * (3 * (b[k] - c[k]) + d[k] - a[k])))
    for (let step = 0; step < STEPS; step++) line.push([at(step / STEPS, 0), at(step / STEPS, 1)])
  }
  return [...line, points.at(-1)!]
}

/** Slanted, turned, stretched, and with the middle of its bounds in the middle of the picture. */
function placed(strokes: readonly (readonly Point[])[], random: Random): Point[][] {
  const slant = 0.16 * random.normal()
  const angle = 0.09 * random.normal()
  const [wide, high] = [0.8 + 0.3 * random.next(), 0.88 + 0.16 * random.next()]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const moved = strokes.map((stroke) =>
    stroke.map(([x, y]): Point => {
      const [u, v] = [wide * (x - 0.5 - slant * (y - 0.5)), high * (y - 0.5)]
      return [BOX * (cos * u - sin * v), BOX * (sin * u + cos * v)]
    }),
  )
  const middle = (k: 0 | 1) => {
    const all = moved.flat().map((point) => point[k])
    return (Math.min(...all) + Math.max(...all)) / 2
  }
  const [dx, dy] = [14 - middle(0) + 0.5 * random.normal(), 14 - middle(1) + 0.5 * random.normal()]
  return moved.map((stroke) => stroke.map(([x, y]): Point => [x + dx, y + dy]))
}

/** Ink of half this width in pixels around the lines. */
function painted(strokes: readonly (readonly Point[])[], half: number): Picture {
  const { width, height } = DIGIT_SHAPE
  const picture = new Float64Array(width * height)
  for (let i = 0; i < picture.length; i++) {
    const [x, y] = [(i % width) + 0.5, Math.floor(i / width) + 0.5]
    let least = Infinity
    for (const stroke of strokes) {
      for (let n = 1; n < stroke.length; n++) least = Math.min(least, distanceTo(stroke[n - 1]!, stroke[n]!, x, y))
    }
    const ink = Math.min(Math.max((half + 0.6 - Math.sqrt(least)) / 1.2, 0), 1)
    picture[i] = Math.round(255 * ink) / 255
  }
  return picture
}

/** Squared distance of a point to a line between two others. */
function distanceTo(a: Point, b: Point, x: number, y: number): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const length = dx * dx + dy * dy
  const t = length === 0 ? 0 : Math.min(Math.max(((x - a[0]) * dx + (y - a[1]) * dy) / length, 0), 1)
  return (x - a[0] - t * dx) ** 2 + (y - a[1] - t * dy) ** 2
}
