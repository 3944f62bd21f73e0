/** Each detector: how much it judged, found, and could not judge. */

import { ofDetectors, ofModels, perSecond, share } from '../queries.ts'
import { graph } from '../specs.ts'

const EACH = 'model, detector'
const NAME = '{{model}} {{detector}}'
const judged = perSecond(EACH, ofDetectors('detector_requests_total'))
const suspicious = perSecond(EACH, ofDetectors('suspicious_queries_total'))
const failed = perSecond(EACH, ofDetectors('detector_errors_total'))

export const detectors = [
  graph({
    title: 'Queries per detector',
    description:
      'Judged per second. One that lies below the others of its model does not apply to every query, or fails.',
    unit: 'reqps',
    width: 12,
    lines: [[NAME, judged]],
  }),
  graph({
    title: 'Suspicious share',
    description:
      'Of the queries that a detector judged. A step in one detector is an attack of its kind, or users that changed; ' +
      'a step in all of them is a changed model. The alert MonitaurSuspiciousShare looks at this.',
    unit: 'percentunit',
    width: 12,
    lines: [[NAME, share(suspicious, judged)]],
  }),
  graph({
    title: 'Could not be judged',
    description:
      'Share of the queries that reached a detector and gave an error. They count as neither benign nor suspicious. A ' +
      'body that nobody could read counts for every detector of its model.',
    unit: 'percentunit',
    width: 12,
    lines: [[NAME, share(failed, `(${failed} + ${judged})`)]],
  }),
  graph({
    title: 'Errors by code',
    description:
      'bad_query, bad_json and the like are the callers; embedder_failed, timeout, missing_package and overloaded are ours.',
    unit: 'reqps',
    width: 12,
    lines: [['{{model}} {{code}}', perSecond('model, code', ofModels('monitaur_errors_total'))]],
  }),
]
