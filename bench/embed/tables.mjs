/**
 * Tables: the people of UCI's Adult table through `tabular_similarity` as it is when nothing is set (threshold 0.9, 100
 * remembered), with and without a profile of the table fitted on other people.
 */
import { readTable } from './csv.mjs'
import { core, embed } from './library.mjs'
import { createProgress } from './progress.mjs'
import { createRandom } from './random.mjs'

const FILE = 'tabular/adult.csv'

/**
 * Rows `{ name, people, flagged, nudged }`: how many people, the share of the distinct people that is flagged, and the
 * share of the copies in which one number was nudged. `missing` instead of shares where the library has no profiles.
 */
export async function measureTables(half, limit) {
  const all = readTable(FILE).map(toRow)
  const other = half === 'dev' ? 'heldout' : 'dev'
  const people = inHalf(all, half).slice(0, limit)
  const profiles = [
    { name: 'nothing set', config: {} },
    core.fitTabular === undefined
      ? { name: 'with fitTabular', missing: 'this build has no fitTabular' }
      : { name: 'with fitTabular', config: { schema: core.fitTabular(inHalf(all, other)) } },
  ]
  const rows = []
  for (const { name, config, missing } of profiles) {
    rows.push(
      missing === undefined ? { name, people: people.length, ...(await shares(people, config)) } : { name, missing },
    )
  }
  return rows
}

function inHalf(rows, half) {
  return half === 'all' ? rows : rows.filter((_, i) => i % 2 === (half === 'dev' ? 0 : 1))
}

/** Cells that spell a number become numbers, as a program would send them. */
function toRow(record) {
  return Object.fromEntries(
    Object.entries(record).map(([name, cell]) => [name, /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell]),
  )
}

async function shares(people, config) {
  const alone = embed.getDetector('tabular_similarity', config)
  const together = embed.getDetector('tabular_similarity', config)
  const progress = createProgress('tables', people.length)
  let flagged = 0
  let nudged = 0
  for (const [i, person] of people.entries()) {
    if ((await alone.process({ input: person })).suspicious) flagged++
    await together.process({ input: person })
    if ((await together.process({ input: nudge(person, createRandom(3, i)) })).suspicious) nudged++
    progress.step(i + 1)
  }
  progress.end()
  return { flagged: flagged / people.length, nudged: nudged / people.length }
}

/** One of the numbers up or down by 1 … 5 %, by 1 at least; whole numbers stay whole, and none becomes negative. */
export function nudge(row, random) {
  const name = random.pick(Object.keys(row).filter((key) => typeof row[key] === 'number'))
  const value = row[name]
  const step = Math.max(1, Math.round(Math.abs(value) * (0.01 + 0.04 * random.next()))) * random.sign()
  return { ...row, [name]: value + step < 0 && value >= 0 ? value - step : value + step }
}
