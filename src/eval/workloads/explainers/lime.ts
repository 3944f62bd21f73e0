import { defineWorkload } from '../../define.ts'
import type { Oracle, Picture } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'
import { masked, type Segments, segmentMeans } from '../parts/masks.ts'
import { bySize } from '../parts/size.ts'
import { quickshift } from '../superpixels/quickshift.ts'
import { slic } from '../superpixels/slic.ts'

export interface LimeConfig {
  /** About how many superpixels. Default null: 40, and 50 for large pictures. */
  readonly segments: number | null
  /** Default 10. */
  readonly compactness: number
  /** Default 1000. */
  readonly samples: number
}

const common = {
  kind: 'image',
  profile: 'E',
  sees: 'probabilities',
  paper: 'Ribeiro et al., KDD 2016, arXiv 1602.04938',
} as const

/** LIME with superpixels by SLIC, as in the matched study. */
export const lime = defineWorkload({
  ...common,
  name: 'lime',
  summary: 'explains by random halves of the superpixels, the others as their means',
  defaults: { segments: null, compactness: 10, samples: 1000 } as LimeConfig,
  run(oracle, { source, shape }, { segments, compactness, samples }) {
    const options = { segments: segments ?? bySize(shape, 40, 50), compactness }
    return askHalves(oracle, source, slic(source, shape, options), samples)
  },
})

export interface LimeDefaultConfig {
  /** Default 1000. */
  readonly samples: number
}

/** The library `lime` with nothing said: superpixels by quick shift, of which small pictures have only a few. */
export const limeDefault = defineWorkload({
  ...common,
  name: 'lime_default',
  summary: 'the library lime as it comes, with superpixels by quick shift',
  defaults: { samples: 1000 } as LimeDefaultConfig,
  run(oracle, { source, shape }, { samples }) {
    const options = { kernelSize: 4, maxDistance: 200, ratio: 0.2, random: oracle.random }
    return askHalves(oracle, source, quickshift(source, shape, options), samples)
  },
})

/** The picture itself, then every superpixel hidden or not by a coin. */
function askHalves(oracle: Oracle<Picture>, x: Picture, segments: Segments, samples: number): Promise<void> {
  const fill = segmentMeans(x, segments)
  const isShown = new Uint8Array(segments.count)
  return askEach(oracle, samples, (n) => {
    for (let i = 0; i < isShown.length; i++) isShown[i] = n === 0 || oracle.random.next() < 0.5 ? 1 : 0
    return masked(x, fill, segments, isShown)
  })
}
