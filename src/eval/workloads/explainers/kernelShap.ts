import { defineWorkload } from '../../define.ts'
import type { Oracle, Picture } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'
import { createCoalitions } from '../parts/coalitions.ts'
import { boxBlur } from '../parts/filters.ts'
import { gridSegments, masked, type Segments, segmentMeans } from '../parts/masks.ts'
import { bySize } from '../parts/size.ts'
import { slic } from '../superpixels/slic.ts'

export interface KernelShapConfig {
  /** Cells a side. Default null: 4, and 8 for large pictures. */
  readonly cells: number | null
  /** Default 500. */
  readonly samples: number
}

const common = {
  kind: 'image',
  profile: 'E',
  sees: 'probabilities',
  paper: 'Lundberg & Lee, NeurIPS 2017, arXiv 1705.07874',
} as const

/** KernelSHAP on the cells of a grid, hidden by blur, as in the matched study. */
export const kernelShap = defineWorkload({
  ...common,
  name: 'kernel_shap',
  summary: 'explains by coalitions of the cells of a grid, the others blurred',
  defaults: { cells: null, samples: 500 } as KernelShapConfig,
  run(oracle, { source, shape }, { cells, samples }) {
    const fill = boxBlur(boxBlur(source, shape, 5), shape, 5)
    return askCoalitions(oracle, source, fill, gridSegments(shape, cells ?? bySize(shape, 4, 8)), samples)
  },
})

export interface CaptumKernelShapConfig {
  /** About how many superpixels. Default 50. */
  readonly segments: number
  /** Default 30. */
  readonly compactness: number
  /** Blur before the superpixels are found, in pixels. Default 3. */
  readonly sigma: number
  /** Default 1000. */
  readonly samples: number
}

/** Captum's KernelSHAP on superpixels by SLIC. */
export const captumKernelShap = defineWorkload({
  ...common,
  name: 'captum_kernel_shap',
  summary: 'the library Captum: coalitions of superpixels, the others as their means',
  defaults: { segments: 50, compactness: 30, sigma: 3, samples: 1000 } as CaptumKernelShapConfig,
  run(oracle, { source, shape }, { samples, ...options }) {
    const segments = slic(source, shape, options)
    return askCoalitions(oracle, source, segmentMeans(source, segments), segments, samples)
  },
})

function askCoalitions(
  oracle: Oracle<Picture>,
  x: Picture,
  fill: Picture,
  segments: Segments,
  samples: number,
): Promise<void> {
  const coalition = createCoalitions(oracle.random, segments.count)
  return askEach(oracle, samples, (n) => masked(x, fill, segments, coalition(n)))
}
