import { defineWorkload } from '../../define.ts'
import { clip } from '../../picture.ts'
import type { Random } from '../../random.ts'
import type { Picture, Shape } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'
import { mirrored } from '../parts/filters.ts'

export interface VideoConfig {
  /** Each over another picture, the source first. Default 40. */
  readonly scenes: number
  /** Of a scene. Default 24. */
  readonly frames: number
}

/** Standard deviation of the sensor's noise. */
const SENSOR = 1 / 255
/** Pixels a frame and axis: the pan, and the shake of the hand. With the zoom no pixel drifts by more than 2. */
const PAN = 0.6
const SHAKE = 0.1
/** Of the size a frame. */
const ZOOM = 0.004
/** Of the brightness, so that two frames differ by 2 % at most. */
const FLICKER = 0.01

/** Scenes by a moving camera: pan, zoom, shake, flicker and the noise of the sensor. */
export const video = defineWorkload({
  name: 'video',
  kind: 'image',
  profile: 'F',
  sees: 'label',
  summary: 'frames of a camera that pans and zooms over one picture after the other',
  defaults: { scenes: 40, frames: 24 } as VideoConfig,
  run(oracle, { source, shape, pool }, { scenes, frames }) {
    const { random } = oracle
    let scene: Picture = source
    let camera = createCamera(random)
    return askEach(oracle, scenes * frames, (n) => {
      if (n > 0 && n % frames === 0) {
        scene = pool.length === 0 ? source : random.pick(pool).input
        camera = createCamera(random)
      }
      return frame(scene, shape, camera(n % frames), random)
    })
  },
})

interface View {
  /** Pixels from the middle of the picture. */
  readonly down: number
  readonly right: number
  /** Pixels of the picture a pixel of the frame. */
  readonly zoom: number
}

function createCamera(random: Random): (frame: number) => View {
  const about = (most: number) => most * (2 * random.next() - 1)
  const [down, right, zoom] = [about(PAN), about(PAN), about(ZOOM)]
  return (n) => ({ down: n * down + about(SHAKE), right: n * right + about(SHAKE), zoom: (1 + zoom) ** n })
}

function frame(x: Picture, { width, height, channels }: Shape, { down, right, zoom }: View, random: Random): Picture {
  const y = new Float64Array(x.length)
  const brightness = 1 + FLICKER * (2 * random.next() - 1)
  const columns = Float64Array.from({ length: width }, (_, k) => placeOf(k, width, zoom, right))
  for (let row = 0; row < height; row++) {
    const v = placeOf(row, height, zoom, down)
    const top = Math.floor(v)
    const [upper, lower] = [mirrored(top, height) * width, mirrored(top + 1, height) * width]
    for (let column = 0; column < width; column++) {
      const u = columns[column]!
      const [left, beside] = [mirrored(Math.floor(u), width), mirrored(Math.floor(u) + 1, width)]
      const [fv, fu] = [v - top, u - Math.floor(u)]
      for (let c = 0; c < channels; c++) {
        const at = (pixel: number) => x[pixel * channels + c]!
        const here = at(upper + left) * (1 - fu) + at(upper + beside) * fu
        const below = at(lower + left) * (1 - fu) + at(lower + beside) * fu
        const seen = brightness * (here * (1 - fv) + below * fv)
        y[(row * width + column) * channels + c] = clip(seen + SENSOR * random.normal())
      }
    }
  }
  return y
}

function placeOf(at: number, size: number, zoom: number, offset: number): number {
  const middle = (size - 1) / 2
  return middle + zoom * (at - middle) + offset
}
