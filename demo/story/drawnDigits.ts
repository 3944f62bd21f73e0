/** Handwritten-looking digits, drawn from nothing but a seed: 28 × 28, white on black, as MNIST lays them out. */
import type { Labelled, Picture, Random, Shape } from '../../src/eval/index.ts'

export const DIGIT_SHAPE: Shape = { width: 28, height: 28, channels: 1 }

type Point = readonly [x: number, y: number]
/** A smooth line through its points. A corner is where one stroke ends and the next begins. */
type Stroke = readonly Point[]

/** Ways to write each digit, in a box of 1 × 1 with y downwards. */
const FORMS: readonly (readonly (readonly Stroke[])[])[] = [
  [
    [ring([0.5, 0.5], 0.33, 0.5)],
    [
      [
        [0.62, 0.04],
        [0.3, 0.12],
        [0.16, 0.5],
        [0.3, 0.9],
        [0.56, 0.97],
        [0.8, 0.7],
        [0.82, 0.3],
        [0.64, 0.06],
        [0.5, 0.03],
      ],
    ],
  ],
  [
    [
      [
        [0.5, 0],
        [0.5, 1],
      ],
    ],
    [
      [
        [0.56, 0],
        [0.52, 0.5],
        [0.48, 1],
      ],
    ],
    [
      [
        [0.3, 0.24],
        [0.54, 0],
      ],
      [
        [0.54, 0],
        [0.5, 1],
      ],
    ],
  ],
  [
    [
      [
        [0.16, 0.25],
        [0.3, 0.04],
        [0.62, 0.02],
        [0.8, 0.22],
        [0.66, 0.5],
        [0.14, 0.98],
      ],
      [
        [0.14, 0.98],
        [0.86, 0.96],
      ],
    ],
    [
      [
        [0.2, 0.22],
        [0.4, 0.02],
        [0.72, 0.1],
        [0.7, 0.42],
        [0.36, 0.84],
        [0.16, 0.9],
        [0.2, 0.74],
        [0.42, 0.84],
        [0.88, 0.96],
      ],
    ],
  ],
  [
    [
      [
        [0.18, 0.1],
        [0.48, 0],
        [0.76, 0.14],
        [0.7, 0.38],
        [0.42, 0.47],
      ],
      [
        [0.42, 0.47],
        [0.76, 0.58],
        [0.78, 0.84],
        [0.48, 1],
        [0.16, 0.9],
      ],
    ],
    [
      [
        [0.16, 0.06],
        [0.52, 0.02],
        [0.76, 0.16],
        [0.66, 0.4],
        [0.36, 0.48],
        [0.7, 0.54],
        [0.82, 0.76],
        [0.6, 0.98],
        [0.14, 0.94],
      ],
    ],
  ],
  [
    [
      [
        [0.24, 0],
        [0.14, 0.56],
      ],
      [
        [0.14, 0.56],
        [0.86, 0.54],
      ],
      [
        [0.76, 0.06],
        [0.7, 1],
      ],
    ],
    [
      [
        [0.66, 0],
        [0.12, 0.64],
      ],
      [
        [0.12, 0.64],
        [0.9, 0.62],
      ],
      [
        [0.66, 0],
        [0.64, 1],
      ],
    ],
    [
      [
        [0.2, 0.04],
        [0.16, 0.42],
        [0.4, 0.56],
        [0.74, 0.44],
      ],
      [
        [0.8, 0],
        [0.74, 0.44],
        [0.7, 1],
      ],
    ],
  ],
  [
    [
      [
        [0.8, 0.02],
        [0.28, 0.04],
      ],
      [
        [0.28, 0.04],
        [0.22, 0.46],
      ],
      [
        [0.22, 0.46],
        [0.52, 0.38],
        [0.8, 0.6],
        [0.74, 0.88],
        [0.44, 1],
        [0.14, 0.9],
      ],
    ],
    [
      [
        [0.84, 0.06],
        [0.36, 0],
      ],
      [
        [0.36, 0],
        [0.24, 0.42],
        [0.6, 0.5],
        [0.76, 0.72],
        [0.56, 0.96],
        [0.16, 0.94],
      ],
    ],
  ],
  [
    [
      [
        [0.66, 0],
        [0.36, 0.24],
        [0.2, 0.62],
        [0.34, 0.96],
        [0.66, 0.96],
        [0.8, 0.72],
        [0.62, 0.52],
        [0.36, 0.56],
        [0.22, 0.74],
      ],
    ],
    [
      [
        [0.5, 0],
        [0.3, 0.3],
        [0.22, 0.68],
        [0.4, 0.98],
        [0.7, 0.88],
        [0.72, 0.62],
        [0.5, 0.54],
        [0.26, 0.74],
      ],
    ],
  ],
  [
    [
      [
        [0.12, 0.06],
        [0.86, 0.04],
      ],
      [
        [0.86, 0.04],
        [0.58, 0.46],
        [0.42, 1],
      ],
    ],
    [
      [
        [0.14, 0.1],
        [0.5, 0.06],
        [0.84, 0.02],
      ],
      [
        [0.84, 0.02],
        [0.46, 1],
      ],
      [
        [0.36, 0.52],
        [0.78, 0.48],
      ],
    ],
    [
      [
        [0.14, 0.22],
        [0.16, 0.04],
      ],
      [
        [0.16, 0.04],
        [0.84, 0.04],
      ],
      [
        [0.84, 0.04],
        [0.62, 0.4],
        [0.54, 1],
      ],
    ],
  ],
  [
    [
      [
        [0.7, 0.14],
        [0.46, 0],
        [0.24, 0.16],
        [0.34, 0.4],
        [0.66, 0.58],
        [0.78, 0.82],
        [0.52, 1],
        [0.24, 0.84],
        [0.36, 0.58],
        [0.66, 0.38],
        [0.7, 0.14],
      ],
    ],
    [ring([0.5, 0.25], 0.23, 0.25), ring([0.5, 0.74], 0.28, 0.26)],
  ],
  [
    [
      ring([0.46, 0.27], 0.28, 0.27),
      [
        [0.75, 0.2],
        [0.74, 0.6],
        [0.66, 1],
      ],
    ],
    [
      [
        [0.76, 0.2],
        [0.5, 0.02],
        [0.24, 0.2],
        [0.32, 0.46],
        [0.58, 0.46],
        [0.76, 0.2],
      ],
      [
        [0.76, 0.2],
        [0.74, 0.7],
        [0.56, 0.96],
        [0.26, 0.94],
      ],
    ],
  ],
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
  const strokes = random.pick(FORMS[label]!).map((stroke) => smooth(stroke.map((point) => shaken(point, random))))
  return painted(placed(strokes, random), 0.85 + 0.95 * random.next())
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
