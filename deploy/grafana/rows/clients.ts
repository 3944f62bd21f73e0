/** What is remembered of clients, within its limits. */

import { growth, ofDetectors, ofModels, sumBy } from '../queries.ts'
import { graph } from '../specs.ts'

const EACH = 'model, detector'
const NAME = '{{model}} {{detector}}'

export const clients = [
  graph({
    title: 'Clients remembered',
    description:
      'Dashed: the limit, from which the least recently seen is forgotten. Lying at it for long is too small a limit.',
    width: 8,
    lines: [
      ['{{model}}', sumBy('model', ofModels('monitaur_clients_active'))],
      ['{{model}} limit', sumBy('model', ofModels('monitaur_clients_limit'))],
    ],
  }),
  graph({
    title: 'Suspensions in force',
    description: 'Clients that are refused now. In observe mode those that would be.',
    width: 8,
    lines: [['{{model}}', sumBy('model', ofModels('monitaur_clients_suspended'))]],
  }),
  graph({
    title: 'Clients forgotten',
    description:
      'Evicted to make room. A storm, more than half of all clients within a minute, is an alarm: somebody may be ' +
      'washing out memories with invented names. Or erased by an operator, at the wish of the client.',
    width: 8,
    lines: [
      ['{{model}} evicted', growth('model', ofModels('monitaur_evictions_total'))],
      ['{{model}} storms', growth('model', ofModels('monitaur_eviction_storms_total'))],
      ['{{model}} erased', growth('model', ofModels('monitaur_erasures_total'))],
    ],
  }),
  graph({
    title: 'Bytes of clients',
    description: 'Estimate of everything remembered of clients. At the dashed limit clients are forgotten, too.',
    unit: 'bytes',
    width: 8,
    lines: [
      ['{{model}}', sumBy('model', ofModels('monitaur_clients_bytes'))],
      ['{{model}} limit', sumBy('model', ofModels('monitaur_clients_bytes_limit'))],
    ],
  }),
  graph({
    title: 'Bytes of histories',
    description: 'Which detector the memory goes to, by estimate. A window half as long takes half of it.',
    unit: 'bytes',
    width: 8,
    isStacked: true,
    lines: [[NAME, sumBy(EACH, ofDetectors('monitaur_history_bytes'))]],
  }),
  graph({
    title: 'Entries of histories',
    description: 'Queries that detectors remember, over all clients. It levels off once every window is full.',
    width: 8,
    isStacked: true,
    lines: [[NAME, sumBy(EACH, ofDetectors('monitaur_history_entries'))]],
  }),
]
