/**
 * Published detectors against what was published of them: `npm run build && node bench/eval/reproduced.mjs` (an hour). Options as
 * of cifar10.mjs. They stand as released; nothing is chosen.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alarmShare, byClient, firstAlarm } from '../../dist/eval.js'
import { machine, middle, number, own, readOptions, root, runPart, sessionsOf, share, table, today } from './record.mjs'

const CIFAR = {
  models: ['cifar10/cifar10_resnet20'],
  pictures: 'cifar10/cifar10_test_0-100_per_class.bin',
  how: ['--normalize', 'imagenet'],
  fragile: 'drop',
}
const BUDGET_OF_OARS = 20_000

const PARTS = {
  blacklight: {
    ...CIFAR,
    detectors: {
      'content fingerprint': { name: 'content_fingerprint' },
      confidence: { name: 'confidence' },
      repetition: { name: 'image_repetition' },
      similarity: { name: 'image_similarity' },
    },
    attacks: 'nes_b,simba,square',
    workloads: 'lime,kernel_shap,occlusion,rise,noise_copies,shuffled',
    sources: 20,
  },
  prada: {
    models: ['mnist/mnist'],
    pictures: 'mnist/t10k-images-0-1000.idx3-ubyte',
    fragile: 'keep',
    detectors: { prada: { name: 'prada' } },
    attacks: 'jbda,jbda_relu,knockoff_random',
    workloads: 'shuffled',
    sources: 20,
  },
  oars: {
    ...CIFAR,
    detectors: { 'content fingerprint': { name: 'content_fingerprint', enforce: 'reject' } },
    attacks: 'oars_nes,oars_square,oars_hopskipjump',
    sources: 16,
    budget: BUDGET_OF_OARS,
  },
}

/** What the papers have, by session where they say so; sources in the text below the table. */
const PUBLISHED = {
  nes_b: '100 %, first 4–7',
  simba: '100 %, first 2',
  square: '–',
  lime: '100 %, first 2–6',
  kernel_shap: '100 %, first 2–6',
  occlusion: '100 %, first 2–6',
  rise: '3–10.5 %',
  noise_copies: '0 of 400',
  shuffled: '0 of 10 000 queries',
  jbda: '96.7 % (CIFAR-10, 500 queries)',
  jbda_relu: 'the same',
  knockoff_random: '4.4 % (CIFAR-10, 500 queries)',
  oars_nes: '98 %',
  oars_square: '–',
  oars_hopskipjump: '75 %',
}

const options = readOptions('eval-reproduced')
if (!options.report) for (const [name, part] of Object.entries(PARTS)) runPart(name, options, part)
writeFileSync(join(root, 'bench/results/eval-reproduced.md'), report())

function alarms(sessions, label) {
  const first = number(middle(sessions.map((s) => firstAlarm(s, own(label)))))
  return `${share(alarmShare(sessions, own(label)))}${first === '–' ? '' : `, first ${first}`}`
}

function rowsOf(sessions, labels, published = PUBLISHED) {
  return [...byClient(sessions)].map(([name, some]) => [
    ...[name, some.length],
    ...labels.map((label) => alarms(some, label)),
    published[name] ?? '–',
  ])
}

function report() {
  const [blacklight, prada, oars] = Object.keys(PARTS).map((name) => sessionsOf(options.out, [name]))
  const labels = Object.keys(PARTS.blacklight.detectors)
  return `# Published detectors, reproduced

${today()} · ${machine} · \`node bench/eval/reproduced.mjs\`

Sessions with an alarm, and the query of the first one in the median. Every detector as released, one client a session.

## Blacklight, and the detectors of the Python toolkit, on CIFAR-10

ResNet-20, held-out pictures, 1024 queries. The published figures are Blacklight's: attacks and explainers by Montazeri and Ghatee (2026),
unrelated pictures by its release.

${table(['client', 'sessions', ...labels, 'published for Blacklight'], rowsOf(blacklight, labels))}

## PRADA, on MNIST

At most 1024 queries; thieves begin with ten pictures a class. As published it finds queries that are made from each other, and not those that are
drawn from another collection.

${table(['client', 'sessions', 'prada', 'published'], rowsOf(prada, ['prada'], { ...PUBLISHED, shuffled: '–' }))}

## OARS against Blacklight, on CIFAR-10

What Blacklight flags is rejected, and the attacker is told (Feng et al., CCS 2023, its released settings). Sessions of at most ${BUDGET_OF_OARS.toLocaleString('en')}
queries, where the published ones had 100 000: HopSkipJump, which needs most of them, falls short for that. NES and HopSkipJump are
targeted, Square is not.

${table(
  ['attack', 'sessions', 'succeeds', 'median success', 'published'],
  [...byClient(oars)].map(([name, some]) => {
    const won = some.filter(({ success }) => success !== undefined)
    return [
      ...[name, some.length, `${won.length} = ${((100 * won.length) / some.length).toFixed(0)} %`],
      ...[number(middle(won.map(({ success }) => success))), PUBLISHED[name]],
    ]
  }),
)}
`
}
