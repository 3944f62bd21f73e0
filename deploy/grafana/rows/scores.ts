/** How scores are spread, and where the thresholds lie: a row for each unit that detectors count in. */

import { growth, ofDetectors, quantile } from '../queries.ts'
import { graph, heatmap } from '../specs.ts'

const EACH = 'model, detector'
const NAME = '{{model}} {{detector}}'
const histogram = (part: string) => ofDetectors('', `__name__="monitaur_score_\${unit}_${part}"`)

export const scores = [
  graph({
    title: 'Scores in $unit',
    description:
      'Half of the scores (p50) and all but one in twenty (p95) lie below these lines. Dashed: the thresholds. Calm ' +
      'traffic keeps p95 well below its threshold. nats: 0 is a certain answer, ln K knows nothing of K classes. ' +
      'probability: 0 is a certain answer, 1 an undecided one. count: occurrences of the same query; round up. cosine: 1 ' +
      'is a copy of an earlier query, unlike ones lie below 0.5. nearness: 1 is a copy of earlier queries. matches: like ' +
      'parts; round up. share: of a limit, which 1 reaches. Read from buckets, so no finer than those.',
    width: 12,
    lines: [
      [`${NAME} p50`, quantile(0.5, EACH, histogram)],
      [`${NAME} p95`, quantile(0.95, EACH, histogram)],
      [`${NAME} threshold`, `max by (${EACH}) (${ofDetectors('monitaur_threshold', 'unit="$unit"')})`],
    ],
  }),
  heatmap({
    title: 'Spread in $unit',
    description:
      'How many queries scored what. One band is calm; a second one near the threshold is somebody who behaves ' +
      'differently. Choose one detector above to see it alone.',
    width: 12,
    expression: growth('le', histogram('bucket')),
  }),
]
