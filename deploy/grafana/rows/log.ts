/** The log of a journal or in Redis: whether it can be written, and whether a server keeps up with the others. */
import { growth, ofModels, orZero } from '../queries.ts'
import { graph } from '../specs.ts'

const grown = (what: string) => orZero(growth('', ofModels(`monitaur_log_${what}_total`)))
const most = (what: string) => orZero(`max(${ofModels(`monitaur_log_${what}`)})`)

export const log = [
  graph({
    title: 'Behind the log',
    description: 'Entries of other servers that the slowest one has not read, and for how long it has been behind.',
    width: 8,
    lines: [
      ['entries', most('lag_entries')],
      ['seconds', most('lag_seconds')],
      ['behind the last snapshot', most('entries')],
    ],
  }),
  graph({
    title: 'Log that fails',
    description:
      'failing: 1 while a server cannot write. Queries are then refused (onError closed) or judged in memory (open) and ' +
      'written later; lost ones are in no log.',
    width: 8,
    lines: [
      ['failing', most('failing')],
      ['failed calls', grown('failures')],
      ['refused', grown('refused')],
      ['in memory only', grown('unsaved')],
      ['lost', grown('lost')],
    ],
  }),
  graph({
    title: 'Snapshots and queries sent twice',
    description: 'Snapshots written and failed; queries that clients have sent again, which count once.',
    width: 8,
    lines: [
      ['snapshots', grown('snapshots')],
      ['failed snapshots', grown('snapshot_failures')],
      ['sent twice', grown('duplicates')],
    ],
  }),
]
