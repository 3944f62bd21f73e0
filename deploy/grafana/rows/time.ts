/** Requests: how many, how long, and where the time goes. */

import { ofModels, ofServers, perSecond, quantile, sumBy } from '../queries.ts'
import { graph, type Line } from '../specs.ts'
import { DETECTION } from './glance.ts'

const QUANTILES = [0.5, 0.95, 0.99]

function quantiles(label: string, histogram: (part: string) => string): Line[] {
  return QUANTILES.map((q) => [`{{${label}}} p${q * 100}`, quantile(q, label, histogram)])
}

export const time = [
  graph({
    title: 'Answer time by route',
    description: 'From the head of a request to its answer, for the routes that judge queries. Slow uploads count.',
    unit: 's',
    width: 12,
    lines: quantiles('handler', (part) => ofServers(`http_request_duration_seconds_${part}`, DETECTION)),
  }),
  graph({
    title: 'Time by phase',
    description:
      'decode: reading the body · embed: taking features, the only phase with models and pictures · detect: judging. ' +
      'Detect that grows with the history wants a shorter one.',
    unit: 's',
    width: 12,
    lines: quantiles('phase', (part) => ofModels(`monitaur_phase_duration_seconds_${part}`)),
  }),
  graph({
    title: 'Requests by route and status',
    description:
      '4xx: the caller was refused, and should have been; 403 of suspended clients is among them. 5xx: the server ' +
      'failed or was too busy. none is an address that does not exist.',
    unit: 'reqps',
    width: 16,
    lines: [['{{handler}} {{status}}', perSecond('handler, status', ofServers('http_requests_total'))]],
  }),
  graph({
    title: 'Requests under way',
    description: 'At the moment of the scrape. The server refuses with 503 above limits.maxConcurrent, 512 by default.',
    width: 8,
    lines: [['{{instance}}', sumBy('instance', ofServers('http_requests_in_flight'))]],
  }),
]
