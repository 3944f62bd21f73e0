import { defineWorkload } from '../../define.ts'
import type { Random } from '../../random.ts'
import type { Shape } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'

export interface RiseConfig {
  /** Cells of a mask a side. Default 7. */
  readonly cells: number
  /** Default 1000. */
  readonly samples: number
}

/** RISE: small random masks, enlarged smoothly and shifted, over a black ground. */
export const rise = defineWorkload({
  name: 'rise',
  kind: 'image',
  profile: 'E',
  sees: 'probabilities',
  summary: 'explains by smooth random masks over black',
  paper: 'Petsiuk et al., BMVC 2018, arXiv 1806.07421',
  defaults: { cells: 7, samples: 1000 } as RiseConfig,
  run(oracle, { source, shape }, { cells, samples }) {
    return askEach(oracle, samples, () => {
      const mask = riseMask(oracle.random, shape, cells)
      return source.map((v, i) => v * mask[Math.floor(i / shape.channels)]!)
    })
  },
})

/** A mask of `cells` × `cells` coins, enlarged to one cell more than the picture, of which a random part is taken. */
export function riseMask(
  random: Random,
  { width, height }: Pick<Shape, 'width' | 'height'>,
  cells: number,
): Float64Array {
  const coins = Uint8Array.from({ length: cells * cells }, () => (random.next() < 0.5 ? 1 : 0))
  const rows = along(height, cells, random)
  const columns = along(width, cells, random)
  const mask = new Float64Array(width * height)
  for (let row = 0; row < height; row++) {
    const y = rows[row]!
    const [top, down] = [Math.floor(y) * cells, y % 1]
    const bottom = Math.min(top + cells, coins.length - cells)
    for (let column = 0; column < width; column++) {
      const x = columns[column]!
      const [left, across] = [Math.floor(x), x % 1]
      const right = Math.min(left + 1, cells - 1)
      const upper = coins[top + left]! * (1 - across) + coins[top + right]! * across
      const lower = coins[bottom + left]! * (1 - across) + coins[bottom + right]! * across
      mask[row * width + column] = upper * (1 - down) + lower * down
    }
  }
  return mask
}

/** Where pixels lie among the cells, 0 … cells − 1: bilinear by the middles, mirrored at the outermost cells' middles. */
function along(size: number, cells: number, random: Random): Float64Array {
  const cell = Math.ceil(size / cells)
  const shift = random.whole(cell)
  return Float64Array.from({ length: size }, (_, at) => {
    const place = Math.abs(((at + shift + 0.5) * cells) / ((cells + 1) * cell) - 0.5)
    return place > cells - 1 ? 2 * (cells - 1) - place : place
  })
}
