/** What the benchmarks of record share: running parts of an evaluation, and the tables of what came out. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { alarmShare, byClient, firstAlarm, timelyShare } from '../../dist/eval.js'
import { readRun } from '../../dist/eval-node.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const data = process.env.MONITAUR_DATA ?? resolve(root, '../shared/data')
export const machine = `${cpus()[0].model} × ${cpus().length}, Node ${process.version}`
export const today = () => new Date().toISOString().slice(0, 10)

/** `--out FOLDER`, `--jobs N`, `--report`, `--sixteenth`. */
export function readOptions(folder) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(root, 'reports', folder) },
      jobs: { type: 'string', default: String(cpus().length) },
      report: { type: 'boolean', default: false },
      sixteenth: { type: 'boolean', default: false },
    },
  })
  return values
}

/** One run of `monitaur eval`, into the folder of its name. */
export function runPart(
  name,
  { out, jobs },
  {
    models,
    pictures,
    sources,
    fragile,
    seeds = '1',
    attacks = 'none',
    workloads = 'none',
    sets = [],
    detectors,
    split = 'heldout',
    how = [],
    budget = 1024,
    plugin,
  },
) {
  mkdirSync(out, { recursive: true })
  const watched = join(out, `${name}.json`)
  writeFileSync(watched, JSON.stringify(detectors))
  const args = [
    ...models.flatMap((model) => ['--model', join(data, 'models/image', `${model}.onnx`)]),
    ...['--data', join(data, 'images', pictures), '--attacks', attacks, '--workloads', workloads, ...how],
    ...['--detectors', watched, ...sets.flatMap((one) => ['--set', one]), ...(plugin ? ['--plugin', plugin] : [])],
    ...['--sources', String(sources), '--split', split, '--fragile', fragile, '--seed', seeds],
    ...['--budget', String(budget), '--jobs', jobs, '--out', join(out, name), '--cache', join(out, 'cache')],
  ]
  const { status } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), 'eval', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) process.exit(status ?? 1)
}

/** A sixteenth of the pictures of each part, for the time that all of them would take. Returns minutes, those of everything. */
export function timeParts(parts, options) {
  rmSync(options.out, { recursive: true, force: true })
  let all = 0
  for (const [name, part] of Object.entries(parts)) {
    const sources = Math.ceil(part.sources / 16)
    const startMs = performance.now()
    runPart(name, options, { ...part, sources })
    const minutes = (((performance.now() - startMs) / 60_000) * part.sources) / sources
    console.log(`${name}: ${minutes.toFixed(1)} min for ${part.sources} pictures, by ${sources} of them`)
    all += minutes
  }
  return all
}

/** The sessions of these parts; none of one that has not run. */
export function sessionsOf(out, names) {
  return names.flatMap((name) => (existsSync(join(out, name, 'run.json')) ? readRun(join(out, name)).sessions : []))
}

export const own = (label) => ({ label, thresholds: { [label]: 'own' } })
export const percent = (x) => (Number.isNaN(x) ? '–' : `${(100 * x).toFixed(1)}`)
export const middle = (list) => list.sort((a, b) => a - b)[Math.ceil(list.length / 2) - 1]
export const number = (n) => (n === undefined || n === Infinity ? '–' : String(n))

export function share({ count, of, share: s, interval: { low, high } }) {
  return of === 0 ? '–' : `${count}/${of} = ${percent(s)} % [${percent(low)}, ${percent(high)}]`
}

export function table(head, rows) {
  const row = (cells) => `| ${cells.join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

/** Of attacks, a row for each group: a name and its sessions. */
export function attackTable(groups, labels) {
  return table(
    [
      ...['attack', 'sessions', 'successes', 'median success'],
      ...labels.map((label) => `${label}: timely`),
      `median first alarm: ${labels.join(' · ')}`,
    ],
    groups.map(([name, some]) => {
      const successes = some.filter((s) => s.success !== undefined).map((s) => s.success)
      return [
        ...[name, some.length, successes.length, number(middle(successes))],
        ...labels.map((label) => share(timelyShare(some, own(label)))),
        labels.map((label) => number(middle(some.map((s) => firstAlarm(s, own(label)))))).join(' · '),
      ]
    }),
  )
}

/** Of honest sessions, a row for each workload. */
export function honestTable(sessions, labels) {
  return table(
    ['workload', 'profile', 'sessions', 'pictures', ...labels],
    [...byClient(sessions)].map(([name, some]) => [
      ...[name, some[0].profile, some.length, new Set(some.map(({ source }) => source)).size],
      ...labels.map((label) => share(alarmShare(some, own(label)))),
    ]),
  )
}
