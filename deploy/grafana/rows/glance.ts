/** The first look: is it up, is it busy, is something wrong. */

import { ofModels, ofServers, perSecond, quantile, share, sumBy } from '../queries.ts'
import { number } from '../specs.ts'

/** The routes that judge queries. */
export const DETECTION = 'handler=~"/detect|/v1/inspect|/v1/inspect/batch"'
const DAY = 86_400

export const glance = [
  number({
    title: 'Servers up',
    description: 'How many of the selected servers Prometheus could read last time. Red: none.',
    width: 3,
    lines: [['up', sumBy('', ofServers('up'))]],
    steps: [
      [null, 'red'],
      [1, 'green'],
    ],
  }),
  number({
    title: 'Queries judged',
    description: 'Verdicts per second, all models together. Queries of suspended clients get none; see Decisions.',
    unit: 'reqps',
    width: 3,
    lines: [['queries', perSecond('', ofModels('monitaur_decisions_total'))]],
  }),
  number({
    title: 'Not simply allowed',
    description:
      'Share of verdicts that enforcement flags, throttles or suspends, or would. Compare with its own past: what is ' +
      'usual depends on the thresholds.',
    unit: 'percentunit',
    width: 3,
    lines: [
      [
        'share',
        share(
          perSecond('', ofModels('monitaur_proposed_decisions_total', 'action!="allow"')),
          perSecond('', ofModels('monitaur_proposed_decisions_total')),
        ),
      ],
    ],
    steps: [
      [null, 'green'],
      [0.1, 'orange'],
      [0.3, 'red'],
    ],
  }),
  number({
    title: 'Clients suspended',
    description: 'Now, whether they are refused or, in observe mode, only would be.',
    width: 3,
    lines: [['suspended', sumBy('', ofModels('monitaur_clients_suspended'))]],
  }),
  number({
    title: 'Failed requests',
    description: 'Share of answers with a 5xx status: the server could not, though the caller asked properly.',
    unit: 'percentunit',
    width: 3,
    lines: [
      [
        'share',
        share(
          `(${perSecond('', ofServers('http_requests_total', 'status="5xx"'))} or vector(0))`,
          perSecond('', ofServers('http_requests_total')),
        ),
      ],
    ],
    steps: [
      [null, 'green'],
      [0.001, 'orange'],
      [0.01, 'red'],
    ],
  }),
  number({
    title: 'Answer time, p99',
    description: 'Ninety-nine of a hundred detection requests were answered at least as fast.',
    unit: 's',
    width: 3,
    lines: [['p99', quantile(0.99, '', (part) => ofServers(`http_request_duration_seconds_${part}`, DETECTION))]],
    steps: [
      [null, 'green'],
      [0.5, 'orange'],
      [1, 'red'],
    ],
  }),
  number({
    title: 'Oldest calibration',
    description: 'Time since the thresholds of a model were calibrated, the oldest of the models. No value: never.',
    unit: 's',
    width: 3,
    decimals: 0,
    lines: [['age', `max(${ofModels('monitaur_calibration_age_seconds')})`]],
    steps: [
      [null, 'green'],
      [30 * DAY, 'orange'],
      [90 * DAY, 'red'],
    ],
  }),
  number({
    title: 'Policy',
    description: 'Whether suspended clients are refused, or the server only tells.',
    width: 3,
    lines: [['{{model}}', `min by (model) (${ofModels('monitaur_enforcing')})`]],
    words: { 0: 'observes', 1: 'enforces' },
  }),
]
