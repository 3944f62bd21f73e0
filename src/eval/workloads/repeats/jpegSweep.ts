import { defineWorkload } from '../../define.ts'
import { clip } from '../../picture.ts'
import type { Picture } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'
import { jpegCopy } from '../parts/jpeg.ts'

export interface JpegSweepConfig {
  /** How many of 95 … 20. Default 32. */
  readonly qualities: number
  /** How many of −0.2 … 0.2. Default 32. */
  readonly shifts: number
}

/** Every quality of JPEG, best first, and for each every brightness, darkest first: 1 024 queries. */
export const jpegSweep = defineWorkload({
  name: 'jpeg_sweep',
  kind: 'image',
  profile: 'F',
  sees: 'nothing',
  summary: 'one picture at 32 JPEG qualities, each at 32 brightnesses',
  defaults: { qualities: 32, shifts: 32 } as JpegSweepConfig,
  run(oracle, { source, shape }, { qualities, shifts }) {
    let copy: Picture = source
    return askEach(oracle, qualities * shifts, (n) => {
      if (n % shifts === 0)
        copy = jpegCopy(source, shape, Math.round(evenly(95, 20, Math.floor(n / shifts), qualities)))
      const shift = evenly(-0.2, 0.2, n % shifts, shifts)
      return copy.map((v) => clip(v + shift))
    })
  },
})

/** The `n`-th of `count` numbers from one to the other. */
function evenly(from: number, to: number, n: number, count: number): number {
  return count === 1 ? from : from + ((to - from) * n) / (count - 1)
}
