/**
 * The benchmark of record on CIFAR-10: `npm run build && node bench/eval/cifar10.mjs` (some hours on two cores; a run that was
 * stopped goes on where it was). Only held-out sources: nothing is chosen here, the detectors stand as they are by default.
 *
 *     --out FOLDER     runs and reports (default reports/eval-cifar10)
 *     --jobs N         threads (default: one a core)
 *     --report         no runs: bench/results/eval-cifar10.md from what is there
 *     --sixteenth      a sixteenth of the pictures, to say how long all would take; writes no record
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alarmShare, byClient, firstAlarm, isTimely, select, timelyShare } from '../../dist/eval.js'
import adaptive from './adaptive.mjs'
import {
  attackTable,
  honestTable,
  machine,
  middle,
  number,
  own,
  percent,
  readOptions,
  root,
  runPart,
  sessionsOf,
  share,
  table,
  timeParts,
  today,
} from './record.mjs'

const DETECTORS = {
  'answer following': { name: 'answer_following' },
  'lineage M': { name: 'descent_lineage' },
  'lineage S': { name: 'descent_lineage', rule: 'S' },
}
/** Published ones that may run beside the attacks. */
const PUBLISHED = {
  'content fingerprint': { name: 'content_fingerprint' },
  'margin trend': { name: 'margin_trend' },
}
const [R20, R56] = ['cifar10_resnet20', 'cifar10_resnet56']
const PICTURES = {
  pictures: 'cifar10/cifar10_test_0-100_per_class.bin',
  how: ['--normalize', 'imagenet'],
  detectors: DETECTORS,
}
const ATTACKED = {
  ...PICTURES,
  models: [`cifar10/${R20}`, `cifar10/${R56}`],
  sources: 32,
  fragile: 'drop',
  seeds: '1,2,3',
}
const HONEST = { ...PICTURES, models: [`cifar10/${R20}`], sources: 370, fragile: 'keep', seeds: '1' }
/** Their starts are corrupted: only where the network still knows them. */
const STURDY = { ...HONEST, sources: 75, fragile: 'drop', seeds: '1,2,3,4,5' }
const OPTIMISERS = ['denoise', 'deblur', 'confidence_raising']
const OTHERS =
  'editing,near_duplicates,occlusion,kernel_shap,lime,retries,video,jpeg_sweep,noise_copies,rise,rescoring,shuffled'.split(
    ',',
  )
/** The other half of the pictures: what may be chosen, is chosen here. */
const CALIBRATION = {
  ...ATTACKED,
  models: [`cifar10/${R20}`],
  sources: 24,
  seeds: '1',
  split: 'calibration',
  attacks: 'nes_a,nes_b,simba,square,rays,hopskipjump',
  workloads: [...OPTIMISERS, ...OTHERS].join(','),
}
/** Declared before the choice, from the most to the least sensitive. */
const CANDIDATES = [
  ...[0.4, 0.6, 0.8].map((least) => ({
    name: `answer following at ${least}`,
    thresholds: { 'answer following': least },
  })),
  { name: 'answer following', thresholds: { 'answer following': 'own' } },
  ...[1.25, 1.5].map((least) => ({ name: `answer following at ${least}`, thresholds: { 'answer following': least } })),
  { name: 'lineage M', thresholds: { 'lineage M': 'own' } },
  { name: 'lineage S', thresholds: { 'lineage S': 'own' } },
  { name: 'answer following or lineage S', thresholds: { 'answer following': 'own', 'lineage S': 'own' } },
  { name: 'never', thresholds: { 'lineage S': Infinity } },
]
/** Attackers who know that they are watched; on one network, few pictures. */
const ADAPTIVE = { ...ATTACKED, models: [`cifar10/${R20}`], seeds: '1' }
const watchedBy = (enforce) => ({ 'answer following': { name: 'answer_following', enforce } })
/** The detector that is spoken of where only one is. */
const label = 'answer following'
/** Attacks that were tried in disguise. */
const BASES = ['nes_b', 'simba', 'square', 'rays']
/** In time, of the attacks by scores together. */
const TIMELY_GOAL = 0.85
/** Queries by which OARS-Square learns how many squares, and how small ones, are not refused. */
const OARS_PROBES = 150
const RESPONSES = ['none', 'reject', 'silent']
const PARTS = {
  calibration: CALIBRATION,
  ...Object.fromEntries(
    RESPONSES.map((enforce) => [
      `oars-${enforce}`,
      { ...ADAPTIVE, sources: 16, attacks: 'oars_nes,oars_square,oars_hopskipjump', detectors: watchedBy(enforce) },
    ]),
  ),
  adaptive: {
    ...ADAPTIVE,
    sources: 8,
    attacks: ['nes_b', 'simba', 'square', 'rays', ...adaptive.attacks.map(({ name }) => name)].join(','),
    plugin: join(root, 'bench/eval/adaptive.mjs'),
    detectors: watchedBy('none'),
  },
  attacks: {
    ...ATTACKED,
    attacks: 'nes_a,nes_b,simba,square,rays,hopskipjump',
    detectors: { ...DETECTORS, ...PUBLISHED },
  },
  nesb1: { ...ATTACKED, sources: 16, attacks: 'nes_b', sets: [`nes_b.step=${1 / 255}`] },
  nesb2: { ...ATTACKED, sources: 16, attacks: 'nes_b', sets: [`nes_b.step=${2 / 255}`] },
  ...Object.fromEntries(OPTIMISERS.map((workload) => [`honest-${workload}`, { ...STURDY, workloads: workload }])),
  ...Object.fromEntries(OTHERS.map((workload) => [`honest-${workload}`, { ...HONEST, workloads: workload }])),
}

const options = readOptions('eval-cifar10')
if (options.sixteenth) {
  const minutes = timeParts(PARTS, { ...options, out: join(options.out, 'sixteenth') })
  console.log(`all of it: about ${minutes.toFixed(0)} min with ${options.jobs} jobs on ${machine}`)
} else {
  if (!options.report) for (const [name, part] of Object.entries(PARTS)) runPart(name, options, part)
  writeFileSync(join(root, 'bench/results/eval-cifar10.md'), report())
}

/** Workloads that have not been run, or not to their end. */
function missing(honest) {
  const counts = byClient(honest)
  const lacking = [...OPTIMISERS, ...OTHERS].filter((workload) => (counts.get(workload)?.length ?? 0) < 300)
  return lacking.length === 0 ? '' : ` **Not run yet, or not to the end: ${lacking.join(', ')}.**`
}

function choices(sessions) {
  return ['E', 'D', 'F'].map((profile) => {
    const { status, candidate, calibration, heldout } = select(sessions, CANDIDATES, { profile, alpha: 0.01 })
    const worst = (looked) => (looked?.worst ? `${looked.worst.workload}: ${share(looked.worst)}` : '–')
    const timely = (looked) => (looked ? share(looked.timely) : '–')
    return [profile, candidate?.name ?? '–', timely(calibration), worst(heldout), timely(heldout), status]
  })
}

/** Of each attack: how many succeed at all, and how many before anybody could know. */
function oarsRows() {
  const runs = RESPONSES.map((enforce) => byClient(sessionsOf(options.out, [`oars-${enforce}`])))
  return [...runs[0].keys()].map((name) => {
    const before = (some) => some.filter((s) => s.success !== undefined && !isTimely(s, own(label))).length
    return [
      name,
      runs[0].get(name).length,
      ...runs.map((run) => {
        const some = run.get(name) ?? []
        return `${some.filter((s) => s.success !== undefined).length} (${before(some)})`
      }),
    ]
  })
}

/** What falls short of its goal, a line each. */
function shortcomings(attacks) {
  const counted = (some) => timelyShare(some, own(label))
  const late = [...byClient(attacks)].filter(([, some]) => counted(some).share < TIMELY_GOAL)
  const silent = byClient(sessionsOf(options.out, ['oars-silent']))
  const through = [...silent].map(
    ([name, some]) => `${name} ${some.filter((s) => s.success !== undefined).length} of ${some.length}`,
  )
  const square = silent.get('oars_square') ?? []
  const atRandom = square.filter((s) => s.success <= OARS_PROBES).length
  const runs = byClient(sessionsOf(options.out, ['adaptive']))
  const missed = disguisesOf(runs)
    .map((one) => [one, BASES.filter((base) => alarmShare(runs.get(base + one) ?? [], own(label)).share < 0.5)])
    .filter(([, bases]) => bases.length > 0)
    .map(([one, bases]) => `${one.slice(1)} (${bases.join(', ')})`)
  return [
    ...late.map(
      ([name, some]) => `- **${name} alone**: ${share(counted(some))} in time; 85 % were wanted of the four together.`,
    ),
    `- **OARS under silent enforcement**: ${through.join(', ')} succeed; the goal was 4.08 %. OARS-Square first asks ${OARS_PROBES} times at random, to learn`,
    `  what is refused: ${atRandom} sessions have succeeded by then, before anything followed an answer, and where not, its path begins with the`,
    '  evidence against it that so many aimless children of one point are. Other values of `maxStep` (26, 28) change nothing.',
    `- **Disguises** under which fewer than half of the sessions alarm: ${missed.join('; ')}.`,
  ].join('\n')
}

/** Of the attacks in disguise; `+` and the disguise. */
function disguisesOf(runs) {
  const all = adaptive.attacks.map(({ name }) => `+${name.split('+')[1]}`)
  return [...new Set(all)].filter((one) => runs.has(BASES[0] + one))
}

/** An attack and its disguise, side by side. */
function adaptiveTable() {
  const runs = byClient(sessionsOf(options.out, ['adaptive']))
  const cell = (some) => {
    if (some === undefined) return '–'
    const { count, of } = timelyShare(some, own(label))
    return `${count}/${of}, ${alarmShare(some, own(label)).count}`
  }
  return table(
    ['disguise', ...BASES],
    ['', ...disguisesOf(runs)].map((one) => [
      one === '' ? 'none' : one.slice(1),
      ...BASES.map((base) => cell(runs.get(base + one))),
    ]),
  )
}

function report() {
  const labels = Object.keys(DETECTORS)
  const attacks = sessionsOf(options.out, ['attacks'])
  const others = ['nesb1', 'nesb2'].map((name, i) => [`nes_b, step ${i + 1}/255`, sessionsOf(options.out, [name])])
  const honest = sessionsOf(
    options.out,
    [...OPTIMISERS, ...OTHERS].map((workload) => `honest-${workload}`),
  )
  const byScore = attacks.filter(({ client }) => /^(nes|simba|square)/.test(client))
  const perModel = [R20, R56].map((model) => [
    `NES, SimBA, Square: ${model}`,
    byScore.filter((s) => s.victim === model),
  ])
  const published = [...byClient(attacks)].map(([name, some]) => [
    name,
    ...Object.keys(PUBLISHED).flatMap((label) => [
      share(timelyShare(some, own(label))),
      share(alarmShare(some, own(label))),
      number(middle(some.map((s) => firstAlarm(s, own(label))))),
    ]),
  ])
  const inBall = byScore.filter(({ client }) => client !== 'nes_a')
  const by = (n) => percent(inBall.filter((s) => s.success <= n).length / inBall.length)
  const early = byScore.filter((s) => s.success !== undefined)
  const within = (n) => percent(early.filter((s) => s.success <= n).length / early.length)
  return `# CIFAR-10, held out

${today()} · ${machine} · \`node bench/eval/cifar10.mjs\`

Sessions of at most 1024 queries, one client each; every detector at its defaults, which stood before these pictures were looked
at. Attacks and optimisers with honest aims: pictures that the network also gets right under light noise, as in the study that
the bar comes from; all other honest workloads: any picture that it gets right, 370 different ones. CIFAR-10 as JPEG copies (the
networks are right on 80.4 % and 82.5 % of them). Attacks end with the first wrong answer; *timely* is an alarm before it, among the
attacks that succeed. Intervals of 95 %: Clopper and Pearson for honest sessions, bootstrap over pictures for timely ones.

## Not reached

${shortcomings(attacks)}

## Honest clients: sessions with any alarm

${honestTable(honest, labels)}

No alarm in 368 sessions proves at most 1 % with 95 % confidence, two-sided. Sessions on one picture with other seeds are alike, so
that the intervals of the rows with fewer pictures than sessions are too narrow.${missing(honest)}

## Attacks caught in time

${attackTable(
  [
    ...byClient(attacks),
    ...others.filter(([, some]) => some.length > 0),
    ...perModel,
    ['**NES, SimBA, Square together**', byScore],
  ],
  labels,
)}

Are the attacks as strong as published? Of those in a ball of 8/255 (NES b, SimBA, Square) ${by(64)} % have succeeded by query 64, ${by(256)} % by
256, ${by(512)} % by 512 and ${by(1021)} % by 1021; in the matched study 8, 19, 37.5 and 71 % of its 400 (its own mix of attacks and network).

Of the attacks by scores ${within(5)} % succeed within 5 queries, ${within(15)} % within 15: there nobody can act. The published bar at this budget of honest
alarms is 0 of 285 (Montazeri and Ghatee 2026, their sessions and network).

## The choice

Of the candidates ${CANDIDATES.map(({ name }) => `*${name}*`).join(', ')} (a number: the lowest score that alarms) the one that
alarms in no calibration session of any workload (24 pictures of the other half, ResNet-20; 1 % of 24 is none) and catches most
attacks in time there; then one look at the held-out sessions above. The detector itself was shaped on these 24 pictures, with these attacks in view.

${table(
  [
    'profile',
    'chosen',
    'calibration: timely',
    'held out: worst workload',
    'held out: timely, all six attacks',
    'status',
  ],
  choices([...sessionsOf(options.out, ['calibration']), ...attacks, ...honest]),
)}

Two dozen sessions a workload cannot tell 1 % from 3 %: where the choice lands on a lower score than the detector's own, that is
luck, and the held-out sessions say so. \`recommended('image-classifier')\` keeps the detector's own limit (alpha = 0.01).

## Attackers who know that they are watched

OARS learns from refusals (Feng et al., CCS 2023, its released settings): sessions that succeed, in brackets before any alarm of
\`answer following\`, by what the client is told after one.

${table(['attack', 'sessions', ...RESPONSES.map((enforce) => `told: ${enforce}`)], oarsRows())}

Disguises (bench/eval/adaptive.mjs), 8 pictures each: caught in time of those that succeed, and sessions of 8 with an alarm.

${adaptiveTable()}

## Published detectors on the same attacks

The content fingerprint (Blacklight) and the margin trend at their defaults: timely, sessions with an alarm, median first alarm. What
they do to honest clients: [a first look](eval-cifar10-first.md).

${table(['attack', ...Object.keys(PUBLISHED).flatMap((label) => [`${label}: timely`, 'alarm', 'first'])], published)}
`
}
