/**
 * What each detector can do on texts, rows and prompts without disturbing anybody: `npm run build && node bench/eval/choices.mjs` (about half
 * an hour), to bench/results/eval-{prompts,banking77,adult}.md. A threshold is chosen for each on one half of the inputs, and
 * looked at once on the other. Options as of cifar10.mjs.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { clopperPearson } from '../../dist/core.js'
import { alarmShare, byClient, highestScores, labelsOf, thresholdsOf, worstWorkload } from '../../dist/eval.js'
import { machine, percent, readOptions, root, sessionsOf, share, table, today } from './record.mjs'

const named = (...names) => Object.fromEntries(names.map((name) => [name.replaceAll('_', ' '), { name }]))
const ON_TEXTS = ['text_repetition', 'text_similarity', 'content_fingerprint', 'neighbour_distance', 'provenance']
const ON_ROWS = ['tabular_repetition', 'tabular_similarity', 'content_fingerprint', 'answer_following']
const RUNS = {
  prompts: {
    title: 'Prompts',
    of: 'Prompts that people share, and a stand-in for a guard, which turns away by words: what clients do does not hang on it',
    how: ['--model', 'guard', '--data', 'prompts', '--budget', '300'],
    detectors: named(...ON_TEXTS, 'coverage', 'query_rate'),
  },
  banking77: {
    title: 'Banking77',
    of: 'Questions to a bank, and a classifier of 77 intents',
    how: ['--model', 'banking77', '--data', 'banking77', '--budget', '300'],
    detectors: named('confidence', ...ON_TEXTS, 'margin_trend', 'coverage', 'query_rate'),
  },
  adult: {
    title: 'Adult',
    of: 'Rows of the census, and a small network that says who earns more than 50 000',
    how: ['--model', 'adult', '--data', 'adult', '--budget', '400'],
    detectors: named(
      ...[
        'confidence',
        ...ON_ROWS,
        'descent_lineage',
        'margin_trend',
        'prada',
        'coverage',
        'extraction_status',
        'query_rate',
      ],
    ),
  },
}
const SOURCES = 20

const options = readOptions('eval-choices')
for (const [name, run] of Object.entries(RUNS)) {
  if (!options.report) evaluate(name, run)
  const sessions = sessionsOf(options.out, [name])
  if (sessions.length > 0) writeFileSync(join(root, `bench/results/eval-${name}.md`), report(run, sessions))
}

function evaluate(name, { how, detectors }) {
  mkdirSync(options.out, { recursive: true })
  const watched = join(options.out, `${name}.json`)
  writeFileSync(watched, JSON.stringify(detectors))
  const plugin = join(root, `bench/eval/${name}.mjs`)
  const more = ['--sources', String(SOURCES), '--jobs', options.jobs, '--out', join(options.out, name), '--no-cache']
  const args = ['eval', '--plugin', plugin, ...how, '--detectors', watched, ...more]
  const { status } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) process.exit(status ?? 1)
}

function report({ title, of }, sessions) {
  const onHalf = (half) => sessions.filter(({ split, role }) => split === half && role !== 'equivalent')
  const workloads = (half) => byClient(onHalf(half).filter(({ role }) => role === 'benign'))
  const hostile = [...byClient(onHalf('heldout').filter(({ role }) => role !== 'benign'))]
  const rows = labelsOf(sessions).flatMap((label) => {
    const own = { name: 'own', thresholds: { [label]: 'own' } }
    const chosen = candidatesOf(onHalf('calibration'), label).find((one) => !disturbs(workloads('calibration'), one))
    return [own, chosen].map((candidate) => {
      const threshold = candidate.thresholds[label]
      const { workload, ...worst } = worstWorkload(workloads('heldout'), candidate)
      return {
        label,
        threshold: threshold === 'own' ? 'own' : threshold === Infinity ? 'never' : String(+threshold.toPrecision(4)),
        worst: worst.count === 0 ? `none of ${worst.of}` : `${workload}: ${share(worst)}`,
        caught: hostile.map(([, some]) => alarmShare(some, candidate).count),
        isQuiet: worst.count === 0 && !disturbs(workloads('calibration'), candidate),
      }
    })
  })
  return `# ${title}

${today()} · ${machine} · \`node bench/eval/choices.mjs\`

${of}; ${SOURCES} inputs for the choice and ${SOURCES} others for the look; sessions of at most ${Math.max(...sessions.map(({ queries }) => queries))}
queries. Of each detector two rules: its own threshold, and the lowest one that alarms in none of ${SOURCES} sessions of any honest workload of
the first half; *never* where there is none. ${SOURCES} sessions prove little: no alarm in ${SOURCES} says at most ${percent(clopperPearson(0, SOURCES, 0.05).high)} %.

## In short

${summary(rows, hostile)}

Held-out sessions of ${SOURCES} with an alarm, by attack; in bold what alarmed in no honest session of either half:

${table(
  ['detector', 'threshold', 'worst honest workload', ...hostile.map(([client]) => client)],
  rows.map(({ label, threshold, worst, caught, isQuiet }) => [
    isQuiet ? `**${label}**` : label,
    threshold,
    worst,
    ...caught,
  ]),
)}

Honest workloads: ${[...workloads('heldout').keys()].join(', ')}.
`
}

function disturbs(workloads, candidate) {
  return [...workloads.values()].some((sessions) => alarmShare(sessions, candidate).count > 0)
}

/** What the quiet ones catch, at best. */
function summary(rows, hostile) {
  const quiet = rows.filter(({ isQuiet }) => isQuiet)
  const best = hostile.map(([client, some], i) => {
    const [most, label] = quiet.map((row) => [row.caught[i], row.label]).sort(([a], [b]) => b - a)[0] ?? [0]
    return most === 0 ? `${client} by nothing` : `${client} ${most}/${some.length} by ${label}`
  })
  return `**What alarmed in no honest session of either half caught, at best:** ${best.join('; ')}.`
}

/** Just above every score that a session reaches at most, from the lowest on, and never. */
function candidatesOf(sessions, label) {
  const scores = highestScores(sessions, label).map(({ score }) => score)
  return thresholdsOf(
    label,
    scores.map((score) => score + Math.max(1e-9, Math.abs(score) * 1e-6)),
  )
}
