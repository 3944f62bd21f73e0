/** The servers themselves: settings in force, and the process. */

import { growth, ofDetectors, ofModels, ofServers, orZero, perSecond, sumBy } from '../queries.ts'
import { graph, table } from '../specs.ts'

const EACH = 'instance, model, detector'
const backends = `max by (${EACH}, backend) (${ofDetectors('monitaur_backend_info')})`
const builtIn = `label_replace(group by (${EACH}) (${ofDetectors('monitaur_threshold')}), "backend", "built in", "", "")`
// A lost backend makes a series of its own that begins at 1, which no rate would see.
const lost = orZero(sumBy('', ofDetectors('monitaur_backend_changes_total')))
// There are series where a model is calibrated.
const drift = `max by (model, detector) (${ofDetectors('monitaur_calibration_drift')})`

export const server = [
  table({
    title: 'Thresholds',
    description: 'The score from which a detector calls a query suspicious, inclusive, as it is in force now.',
    width: 8,
    expression: `max by (${EACH}, unit) (${ofDetectors('monitaur_threshold')})`,
    columns: { instance: 'server', model: 'model', detector: 'detector', Value: 'threshold', unit: 'unit' },
  }),
  table({
    title: 'Backends',
    description:
      'What takes the features of each detector: the runtime of its model, or built in where it needs none. Thresholds ' +
      'are calibrated per backend, so a change here asks for another calibration.',
    width: 8,
    expression: `${backends} or on (${EACH}) ${builtIn}`,
    columns: { instance: 'server', model: 'model', detector: 'detector', backend: 'backend' },
  }),
  table({
    title: 'Builds',
    description: 'Versions that run. More than one: a roll-out is under way, or was left half done.',
    width: 8,
    expression: `max by (instance, version, runtime) (${ofServers('monitaur_build_info')})`,
    columns: { instance: 'server', version: 'version', runtime: 'runtime' },
  }),
  graph({
    title: 'Age of the calibration',
    description: 'Time since the thresholds of a model were calibrated. It only falls when somebody calibrates.',
    unit: 's',
    width: 6,
    lines: [['{{model}}', `max by (model) (${ofModels('monitaur_calibration_age_seconds')})`]],
  }),
  graph({
    title: 'Drift from the calibration',
    description:
      'How often the benign scores of a detector were found to have moved, which detectors stand apart now (1 higher, −1 ' +
      'lower), and where nobody is suspended because of it: calibrate again. Nothing but zeros where nothing is calibrated.',
    width: 6,
    lines: [
      ['{{model}} found', growth('model', ofModels('monitaur_drifts_total'))],
      ['{{model}} {{detector}}', orZero(drift)],
      ['{{model}} suspensions held', orZero(`max by (model) (${ofModels('monitaur_suspensions_held')})`)],
      ['{{model}} alpha', orZero(`max by (model) (${ofModels('monitaur_calibration_alpha')})`)],
    ],
  }),
  graph({
    title: 'Reloads and lost backends',
    description:
      'Configuration files read while running: refused means that the old settings are still in force, and the log ' +
      'says why. Lost backends were made again or replaced by the next.',
    width: 6,
    lines: [
      ['reload {{result}}', growth('result', ofServers('monitaur_config_reloads_total'))],
      ['backends lost since the start', lost],
    ],
  }),
  graph({
    title: 'Listeners of events',
    description:
      'Open cockpits and other readers of /v1/events, and those that were dropped because they were too slow.',
    width: 6,
    lines: [
      ['listening', sumBy('', ofServers('monitaur_event_listeners'))],
      ['dropped', growth('', ofServers('monitaur_event_listeners_dropped_total'))],
    ],
  }),
  graph({
    title: 'Slow senders',
    description:
      'Connections, and what had to give way because the server was full: requests whose bodies came too slowly, and ' +
      'connections that never asked anything.',
    width: 6,
    lines: [
      ['connections', sumBy('', ofServers('http_connections'))],
      ['requests given up', growth('', ofServers('http_requests_cut_total'))],
      ['connections given up', growth('', ofServers('http_connections_dropped_total'))],
    ],
  }),
  graph({
    title: 'Steps of the clock',
    description: 'Times that the clock of the machine was set. The monitor follows after a minute.',
    width: 6,
    lines: [['{{instance}}', growth('instance', ofServers('monitaur_clock_steps_total'))]],
  }),
  graph({
    title: 'CPU',
    description: 'Cores in use. One thread judges, so near 1 the server is full; pictures are decoded on others.',
    width: 6,
    lines: [['{{instance}}', perSecond('instance', ofServers('process_cpu_seconds_total'))]],
  }),
  graph({
    title: 'Memory',
    description:
      'Resident memory of the process, and the part that JavaScript uses. A line that never levels off is a leak.',
    unit: 'bytes',
    width: 6,
    lines: [
      ['{{instance}} resident', sumBy('instance', ofServers('process_resident_memory_bytes'))],
      ['{{instance}} heap', sumBy('instance', ofServers('nodejs_heap_size_used_bytes'))],
    ],
  }),
  graph({
    title: 'Event loop lag, p99',
    description: 'How late timers fire, since the scrape before. Every request waits that long.',
    unit: 's',
    width: 6,
    lines: [['{{instance}}', sumBy('instance', ofServers('nodejs_eventloop_lag_p99_seconds'))]],
  }),
  graph({
    title: 'Running since',
    description: 'Age of the process. A saw is a server that crashes, or is killed, again and again.',
    unit: 's',
    width: 6,
    lines: [['{{instance}}', `time() - max by (instance) (${ofServers('process_start_time_seconds')})`]],
  }),
]
