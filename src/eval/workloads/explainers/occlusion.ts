import { defineWorkload } from '../../define.ts'
import { askEach } from '../parts/askEach.ts'
import { channelMeans } from '../parts/filters.ts'
import { occluded } from '../parts/masks.ts'
import { bySize } from '../parts/size.ts'

export interface OcclusionConfig {
  /** Side of the patch in pixels. Default null: as published, by the size of the picture. */
  readonly patch: number | null
  /** Pixels from one place to the next. Default null: as published, by the size of the picture. */
  readonly stride: number | null
}

const common = {
  kind: 'image',
  profile: 'E',
  sees: 'probabilities',
  paper: 'Zeiler & Fergus, ECCV 2014, arXiv 1311.2901',
  defaults: { patch: null, stride: null } as OcclusionConfig,
} as const

/** A patch of the mean colour, row by row: 4 pixels by 1, 32 by 8 in large pictures. 1 + 841 and 1 + 625 queries. */
export const occlusion = defineWorkload({
  ...common,
  name: 'occlusion',
  summary: 'explains by a patch of the mean colour at every place',
  run(oracle, { source, shape }, config) {
    const side = config.patch ?? bySize(shape, 4, 32)
    const stride = config.stride ?? bySize(shape, 1, 8)
    const colour = channelMeans(source, shape)
    const across = 1 + Math.floor((shape.width - side) / stride)
    const down = 1 + Math.floor((shape.height - side) / stride)
    return askEach(oracle, 1 + across * down, (n) => {
      if (n === 0) return source
      const patch = { top: stride * Math.floor((n - 1) / across), left: stride * ((n - 1) % across), side }
      return occluded(source, shape, patch, colour)
    })
  },
})

/**
 * Captum's occlusion by black patches, down every column and over the border: 4 pixels by 2, 15 by 8 in large pictures.
 * 1 + 225 and 1 + 784 queries.
 */
export const captumOcclusion = defineWorkload({
  ...common,
  name: 'captum_occlusion',
  summary: 'the library Captum: a black patch at every place',
  run(oracle, { source, shape }, config) {
    const side = config.patch ?? bySize(shape, 4, 15)
    const stride = config.stride ?? bySize(shape, 2, 8)
    const across = 1 + Math.ceil((shape.width - side) / stride)
    const down = 1 + Math.ceil((shape.height - side) / stride)
    return askEach(oracle, 1 + across * down, (n) => {
      if (n === 0) return source
      const patch = { top: stride * ((n - 1) % down), left: stride * Math.floor((n - 1) / down), side }
      return occluded(source, shape, patch, [0, 0, 0])
    })
  },
})
