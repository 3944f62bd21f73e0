/**
 * What the demo page weighs and costs: `node bench/demo.mjs [--seeds 10] [--out bench/results/demo.md]`, after `npm run build:demo`.
 * Sizes of the files that a first visit loads, first paint, long tasks while the story runs, and where attacks are caught.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { listDetectors } from '../dist/core.js'
import { storyTable } from './demo/story.mjs'
import { culprits, tasksAfterStart, tasksOfDetectors } from './demo/tasks.mjs'
import { filesOf, visit } from './demo/visits.mjs'

const LIMIT_KB = 500
const ATTACKS = ['nes_b', 'simba_dct', 'simba', 'rays']
const VISITS = 5
/** Further seeds, which nobody looked at when the settings of the attacks were chosen. */
const FRESH = 20

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '10' }, out: { type: 'string', default: 'bench/results/demo.md' } },
})

/** Programs ready to run beside this one, before it began. */
const loadBefore = loadavg()[0]
const visits = await visit(VISITS)
const loadAfter = loadavg()[0]
const files = await filesOf(visits, listDetectors())
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
const rows = await storyTable(ATTACKS, seeds)
const further = Array.from({ length: FRESH }, (_, i) => seeds.length + 1 + i)
const fresh = await storyTable(ATTACKS, further)
const split = {
  apart: await storyTable(['split'], [...seeds, ...further], { cast: 'miss' }),
  together: await storyTable(['split'], [...seeds, ...further], { cast: 'miss', scope: 'group' }),
}
const report = markdown(visits, rows, { fresh, split })
await writeFile(values.out, report)
console.log(report)

function markdown(found, table, { fresh, split }) {
  return `# The demo page

\`npm run build && node bench/demo.mjs\` on ${cpus()[0]?.model.trim()} × ${cpus().length}, Node ${process.version}, headless Chromium, ${VISITS} first visits
on loopback. ${busyWords()} Sizes and the tables of seeds do not depend on that.

## Size of a first visit

${sizes()}

## Time

| | least | median | most | goal |
|---|---|---|---|---|
${spread(
  'first contentful paint, ms',
  found.map(({ paintMs }) => paintMs),
  '< 1000',
)}
${spread(
  'first query of the story on the page, ms',
  found.map(({ firstQueryMs }) => firstQueryMs),
  '< 1000',
)}
${spread(
  'verdict, ms',
  found.map(({ verdictMs }) => verdictMs),
  '≤ 20 000',
)}
${spread(
  'long tasks of the page until the verdict',
  found.map(({ tasks }) => tasks.length),
)}
${spread(
  'of them after the first query',
  found.map((one) => tasksAfterStart(one).length),
)}
${spread(
  'longest of those, ms',
  found.map((one) => Math.max(0, ...tasksAfterStart(one).map(({ duration }) => duration))),
)}

Long tasks (over 50 ms, by \`PerformanceObserver\`) that ran a script with a detector in it: **${tasksOfDetectors(found, files)}**. Model and detectors run in
workers: ${holdersWords()}. What ran in the long tasks after the first query, all visits together, by the browser's record of
long frames:

| script | long tasks | longest run, ms |
|---|---|---|
${culprits(found).join('\n') || '| none | 0 | – |'}

## Where attacks are caught

Three honest users and one attacker, from seeds 1 to ${seeds.length}; \`answer_following\` with its defaults, the client suspended at its first
alarm. "Succeeds" is the same run without protection; – is not within 3000 queries.

| attack | seed | caught at query | by | succeeds at query | labels | largest change of a pixel | honest users flagged |
|---|---|---|---|---|---|---|---|
${table.map(rowOf).join('\n')}

${summaries(table)}

This is a demonstration, no evaluation: the settings of the attacks (\`demo/story/cast.ts\`) were chosen on seeds 1 to 5 so that they
succeed within a few hundred queries; those of the detector were not touched. ${freshWords(fresh)}

## What is missed

RayS asked in turn from four accounts, each of which the detector watches by itself (\`?story=miss\`). ${splitWords(split)}

## Likeness alone

A check for likeness alone (cosine of the pixels from 0.9) would have flagged, of the queries of honest users: ${likeness(table)}.
`
}

function sizes() {
  const total = files.reduce((sum, { packed }) => sum + packed, 0)
  const lines = files.map(({ file, bytes, packed }) => `| ${file} | ${bytes} | ${packed} |`)
  return `| file | bytes | gzip |\n|---|---|---|\n${lines.join('\n')}\n| **all** | | **${total}** of at most ${LIMIT_KB * 1000} |

With what the service worker fetches to keep the page for times without a network.`
}

function busyWords() {
  const cores = cpus().length
  const load = `load average ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after the visits on ${cores} cores`
  const busy = Math.max(loadBefore, loadAfter) > cores
  return busy ? `**The machine was busy** (${load}), so the times are too long.` : `The machine was quiet (${load}).`
}

function holdersWords() {
  const holding = files.filter(({ held }) => held > 0).map(({ file, held }) => `\`${file}\` (${held})`)
  return `of the files above, those with the code of detectors are ${holding.join(', ')}`
}

function spread(name, numbers, goal = '–') {
  const sorted = numbers.toSorted((a, b) => a - b)
  return `| ${name} | ${[sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((value) => Math.round(value)).join(' | ')} | ${goal} |`
}

function rowOf({ attack, seed, caughtAt, by, succeedsAt, isElsewhere, labels, change, honestFlagged }) {
  const did = succeedsAt === undefined ? '–' : `${succeedsAt}${isElsewhere ? '' : ' (did)'}`
  return `| ${attack} | ${seed} | ${caughtAt ?? '–'} | ${by || '–'} | ${did} | ${labels || '–'} | ${change ?? '–'} | ${honestFlagged.join(', ') || 'none'} |`
}

function summaries(table) {
  return ATTACKS.map((attack) => {
    const own = table.filter((row) => row.attack === attack)
    return `- \`${attack}\`: caught before success in ${own.filter(isTimely).length} of ${own.length} runs`
  }).join('\n')
}

function isTimely({ caughtAt, succeedsAt }) {
  return caughtAt !== undefined && caughtAt < (succeedsAt ?? Infinity)
}

function freshWords(table) {
  const caught = ATTACKS.map((attack) => {
    const own = table.filter((row) => row.attack === attack)
    return `\`${attack}\` in ${own.filter(isTimely).length} of ${own.length} runs`
  })
  const roles = [
    ...new Set(table.flatMap(({ seed, honestFlagged }) => honestFlagged.map((role) => `${role} in ${seed}`))),
  ]
  const [first, last] = [table[0].seed, table.at(-1).seed]
  return `On seeds ${first} to ${last}, which earlier detectors had been tried on too, attacks were caught before success as follows: ${caught.join(', ')}. Of the ${3 * FRESH} honest users of these seeds, who do the same whatever the attack, ${roles.length === 0 ? 'none was flagged' : `flagged were ${roles.join(', ')}`}.`
}

function splitWords({ apart, together }) {
  const missed = apart.filter(({ caughtAt, succeedsAt }) => caughtAt === undefined && succeedsAt !== undefined)
  const caught = together.filter(isTimely)
  const at = caught.map(({ caughtAt }) => caughtAt).toSorted((a, b) => a - b)
  const took = missed.map(({ succeedsAt }) => succeedsAt).toSorted((a, b) => a - b)
  return `Of ${apart.length} runs (seeds 1 to ${apart.at(-1).seed}) ${missed.length} succeeded without an alarm, after ${took[0]} … ${took.at(-1)} queries. With the four accounts watched
together (\`scope: 'group'\`) ${caught.length} were caught before success, at query ${at[0]} … ${at.at(-1)} (median ${at[at.length >> 1]}).`
}

function likeness(table) {
  const sums = new Map()
  for (const [role, alike, queries] of table
    .filter(({ attack }) => attack === ATTACKS[0])
    .flatMap(({ alike: all }) => all)) {
    if (ATTACKS.includes(role)) continue
    const [a, q] = sums.get(role) ?? [0, 0]
    sums.set(role, [a + alike, q + queries])
  }
  return [...sums].map(([role, [alike, queries]]) => `${alike} of ${queries} (${role})`).join(', ')
}
