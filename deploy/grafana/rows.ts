/** Every row of the dashboard, in order. */
import { clients } from './rows/clients.ts'
import { decisions } from './rows/decisions.ts'
import { detectors } from './rows/detectors.ts'
import { glance } from './rows/glance.ts'
import { log } from './rows/log.ts'
import { scores } from './rows/scores.ts'
import { server } from './rows/server.ts'
import { time } from './rows/time.ts'
import type { RowSpec } from './specs.ts'

export const ROWS: readonly RowSpec[] = [
  { title: 'At a glance', panels: glance },
  { title: 'Decisions: what callers were told to do, and what enforcement would have told them', panels: decisions },
  { title: 'Detectors: who finds what', panels: detectors },
  { title: 'Scores in $unit: how far calm traffic stays from the thresholds', panels: scores, each: 'unit' },
  { title: 'Time: how long answers take, and in which phase', panels: time },
  { title: 'Clients: what is remembered, and how much room is left', panels: clients },
  { title: 'Log: whether it is written, and whether servers keep up with each other', panels: log },
  { title: 'Servers: settings in force, and the process', panels: server },
]
