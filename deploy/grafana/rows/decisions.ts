/** What was decided, and what people said of it. */

import { growth, ofModels, perSecond, share, sumBy } from '../queries.ts'
import { graph } from '../specs.ts'

const ACTIONS = { allow: 'green', flag: 'yellow', throttle: 'orange', suspend: 'red' }
const FALSE = ofModels('monitaur_feedback_total', 'kind="false_positive"')
const ALL = ofModels('monitaur_feedback_total')

export const decisions = [
  graph({
    title: 'Actions taken',
    description:
      'Verdicts by what the caller was told to do. In observe mode never more than flag. Green should fill nearly all.',
    unit: 'reqps',
    width: 8,
    isStacked: true,
    colours: ACTIONS,
    lines: [['{{action}}', perSecond('action', ofModels('monitaur_decisions_total'))]],
  }),
  graph({
    title: 'Actions proposed',
    description:
      'The same verdicts by what enforcement does or would do. Look here before you switch a model from observe to ' +
      'enforce: orange and red are the queries that will be refused.',
    unit: 'reqps',
    width: 8,
    isStacked: true,
    colours: ACTIONS,
    lines: [['{{action}}', perSecond('action', ofModels('monitaur_proposed_decisions_total'))]],
  }),
  graph({
    title: 'Queries refused',
    description:
      'Queries of suspended clients, turned away unseen. A plateau after a suspension is the attacker still trying.',
    unit: 'reqps',
    width: 8,
    lines: [['{{model}}', perSecond('model', ofModels('monitaur_refused_total'))]],
  }),
  graph({
    title: 'Suspended and released',
    description: 'Suspensions begun, and those ended by hand. Many releases: the policy is too strict.',
    width: 8,
    lines: [
      ['{{model}} suspended', growth('model', ofModels('monitaur_suspensions_total'))],
      ['{{model}} released', growth('model', ofModels('monitaur_releases_total'))],
    ],
  }),
  graph({
    title: 'Feedback',
    description: 'What people said of verdicts through /v1/feedback.',
    width: 8,
    colours: { true_positive: 'green', false_positive: 'red' },
    lines: [['{{kind}}', growth('kind', ALL)]],
  }),
  graph({
    title: 'False alarms',
    description:
      'Share of the feedback over the whole time shown that says false positive. Feedback is what somebody looked at, ' +
      'so this is no false-alarm rate of all traffic.',
    unit: 'percentunit',
    width: 8,
    max: 1,
    lines: [
      [
        '{{model}}',
        share(sumBy('model', `increase(${FALSE}[$__range])`), sumBy('model', `increase(${ALL}[$__range])`)),
      ],
    ],
  }),
]
