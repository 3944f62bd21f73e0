import { defineAttack } from '../../define.ts'
import { moved } from '../../picture.ts'
import { defaults, type HopSkipJumpConfig, hopTowards, scaledTo } from '../hopSkipJump.ts'
import { succeedsNear } from '../labels.ts'
import { OARS_PAPER, type SizeSearch, smallestAnswered } from './refusals.ts'

export interface OarsHopSkipJumpConfig extends HopSkipJumpConfig {
  /** Of the L2 radius of the probes. Default: 10 × 20 queries in [1, 2], at most 0.05 refused. */
  readonly radiusSearch: SizeSearch
  /** Rounds of probes that one slope may take; after them what there is has to do. Default 20. */
  readonly slopeRounds: number
  /** Slopes that are tried from one point while hops are refused. Default 5. */
  readonly hops: number
}

/** HopSkipJump with probes far enough apart not to be refused, and bisections that a refusal ends. */
export const oarsHopSkipJump = defineAttack({
  name: 'oars_hopskipjump',
  kind: 'image',
  sees: 'label',
  summary: 'HopSkipJump with probes of the smallest radius that is not refused; refusals end bisections',
  paper: OARS_PAPER,
  defaults: {
    ...defaults,
    norm: 'l2',
    within: 1,
    start: 'pool',
    aim: 'next',
    radiusSearch: { from: 1, to: 2, bisections: 10, samples: 20, refused: 0.05 },
    slopeRounds: 20,
    hops: 5,
  } as OarsHopSkipJumpConfig,
  succeeds: succeedsNear,
  run(oracle, task, config) {
    const { slopeRounds, hops, radiusSearch } = config
    return hopTowards(oracle, task, config, {
      leastRadius: (x) =>
        smallestAnswered(oracle, radiusSearch, (radius) => moved(x, scaledTo(oracle.random.normals(x.length), radius))),
      slopeRounds,
      hops,
      stopsAtRefusal: true,
    })
  },
})
