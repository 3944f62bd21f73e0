/**
 * Shares of a theft among honest queries, and when each form of `distribution_shift` sees them:
 * `npm run build && node bench/eval/extraction.mjs` (about a quarter of an hour), to bench/results/extraction.md.
 *
 *     --quick     a tenth of the clients, to reports/extraction-quick.md
 *
 * The protocol of Liu, Guo and Dong 2026 on other texts: honest clients draw from one collection; a thief's queries come from
 * another, as a share of 5 … 100 % of a client's. References, calibration, thresholds and measured clients draw from disjoint parts.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clopperPearson, createDetector, fitShift } from '../../dist/core.js'
import { createRandom } from '../../dist/eval.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = process.env.MONITAUR_DATA ?? resolve(root, '../shared/data')
const { values: given } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const EMBEDDER = 'wordnet-static-256'
/** Queries of a client; well below a quarter of the smallest collection, so that clients differ. */
const LENGTH = 500
const ALPHA = given.quick ? 0.05 : 0.003
const SHARES = [0.05, 0.1, 0.25, 0.5, 1]
const CLIENTS = given.quick ? { honest: 40, thieves: 3 } : { honest: 400, thieves: 20 }
/** Honest collection: whose texts the thieves send. */
const PAIRS = {
  ag_news: ['banking77', 'sst2', 'pan', 'stsb', 'mrpc'],
  pan: ['ag_news', 'banking77', 'sst2', 'stsb', 'mrpc'],
  stsb: ['ag_news', 'banking77', 'sst2', 'pan', 'mrpc'],
}
const COLLECTIONS = {
  banking77: ['banking77.csv', ['text']],
  ag_news: ['ag_news.csv', ['title', 'description']],
  sst2: ['sst2.csv', ['sentence']],
  pan: ['pan_paraphrase.csv', ['sentence1', 'sentence2']],
  stsb: ['stsb_en.csv', ['sentence1', 'sentence2']],
  mrpc: ['mrpc.csv', ['sentence1', 'sentence2']],
}
const FORMS = {
  window: { form: 'window', queries: LENGTH, every: LENGTH },
  stream: { form: 'stream', queries: 200 },
  bets: { form: 'bets' },
}
const random = createRandom(20261130)

const vectors = await embedAll()
const honestRows = []
const theftRows = []
for (const [name, others] of Object.entries(PAIRS)) {
  for (const [label, form] of Object.entries(FORMS)) {
    measure(name, others, label, form)
    process.stderr.write(`${name}, ${label}\n`)
  }
}
const niche = measureNiche()
mkdirSync(join(root, 'reports'), { recursive: true })
writeFileSync(join(root, given.quick ? 'reports/extraction-quick.md' : 'bench/results/extraction.md'), report())

function measure(name, others, label, form) {
  const [references, calibration, limits, measured] = parts(vectors[name], 4)
  // fitShift takes references from the 1st, 5th, … client, what is set aside from the 3rd, 7th, …, and limits from all others.
  const drawn = [references, limits, calibration, limits]
  const count = 2 * Math.ceil((form.form === 'bets' ? 2 : 1) / ALPHA)
  const clients = Array.from({ length: count }, (_, i) => draw(drawn[i % 4], LENGTH).map(({ vector }) => vector))
  const reference = fitShift(clients, { ...form, references: 400, alpha: ALPHA })
  const alarms = repeat(CLIENTS.honest, () => firstAlarm(reference, draw(measured, LENGTH)))
  honestRows.push({ name, label, alarms })
  for (const other of others) {
    for (const share of SHARES) {
      const count = Math.round(share * LENGTH)
      const firsts = repeat(CLIENTS.thieves, () =>
        firstAlarm(reference, shuffled([...draw(measured, LENGTH - count), ...draw(vectors[other], count)])),
      )
      theftRows.push({ name, other, label, share, firsts })
    }
  }
}

/** Clients of a bank who ask of three matters each: are they left in peace, and what does it cost? */
function measureNiche() {
  const names = [...new Set(vectors.banking77.map(({ group }) => group))]
  const client = (texts) => {
    const wanted = new Set(shuffled([...names]).slice(0, 3))
    return shuffled(texts.filter(({ group }) => wanted.has(group)))
  }
  const [references, calibration, limits, measured] = parts(vectors.banking77, 4)
  const drawn = [references, limits, calibration, limits]
  const alpha = given.quick ? 0.1 : 0.01
  return Object.entries(FORMS).map(([label, form]) => {
    const count = 2 * Math.ceil((form.form === 'bets' ? 2 : 1) / alpha)
    const short = form.form === 'bets' ? form : { ...form, queries: 10, every: 10 }
    const clients = Array.from({ length: count }, (_, i) => {
      for (;;) {
        const one = client(drawn[i % 4])
        if (one.length >= 10) return one
      }
    })
    const reference = fitShift(
      clients.map((one) => one.map(({ vector }) => vector)),
      { ...short, references: 400, alpha },
    )
    const alarms = repeat(CLIENTS.honest, () => firstAlarm(reference, client(measured)))
    const thieves = PAIRS.pan
      .filter((other) => other !== 'banking77')
      .flatMap((other) => repeat(CLIENTS.thieves, () => firstAlarm(reference, draw(vectors[other], 60))))
    return { label, alpha, alarms, thieves }
  })
}

function firstAlarm(reference, texts) {
  const detector = createDetector('distribution_shift', { reference })
  for (const [i, { vector }] of texts.entries()) if (detector.process({ embedding: vector }).suspicious) return i + 1
  return Infinity
}

function parts(list, count) {
  const mixed = shuffled([...list])
  return Array.from({ length: count }, (_, i) => mixed.filter((_, k) => k % count === i))
}

/** Without repetition, as long as there are enough. */
function draw(list, count) {
  const drawn = []
  while (drawn.length < count) drawn.push(...shuffled([...list]).slice(0, count - drawn.length))
  return drawn
}

function shuffled(list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.whole(i + 1)
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

function repeat(count, make) {
  return Array.from({ length: count }, make)
}

async function embedAll() {
  const { pipeline, env } = await import('@huggingface/transformers')
  Object.assign(env, { allowRemoteModels: false, localModelPath: join(data, 'models/text') })
  const embed = await pipeline('feature-extraction', EMBEDDER, { dtype: 'q8' })
  const all = {}
  for (const [name, [file, columns]] of Object.entries(COLLECTIONS)) {
    const rows = parseCsv(readFileSync(join(data, 'text', file), 'utf8'))
    const seen = new Map()
    for (const row of rows) for (const column of columns) if (row[column]) seen.set(row[column], row.intent)
    all[name] = []
    for (const [text, group] of seen) {
      const { data: numbers } = await embed(text, { pooling: 'mean', normalize: true })
      all[name].push({ vector: Float32Array.from(numbers), group })
    }
  }
  return all
}

function parseCsv(text) {
  const rows = [[]]
  let field = ''
  let isQuoted = false
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (isQuoted && c === '"' && text[i + 1] === '"') field += text[++i]
    else if (c === '"') isQuoted = !isQuoted
    else if (isQuoted && c !== undefined) field += c
    else if (c === ',' || c === '\n' || c === undefined) {
      rows.at(-1).push(field.replace(/\r$/, ''))
      field = ''
      if (c === '\n') rows.push([])
    } else field += c
  }
  const [head, ...body] = rows.filter((row) => row.length > 1 || row[0] !== '')
  return body.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])))
}

function report() {
  const percent = (x) => (100 * x).toFixed(1)
  const middle = (list) => [...list].sort((a, b) => a - b)[Math.ceil(list.length / 2) - 1]
  const number = (n) => (n === Infinity ? '–' : String(n))
  const row = (cells) => `| ${cells.join(' | ')} |`
  const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
  const caught = (firsts) => firsts.filter((n) => n < Infinity).length
  const ofAll = (list) => {
    const { low, high } = clopperPearson(caught(list), list.length, 0.05)
    return `${caught(list)}/${list.length} = ${percent(caught(list) / list.length)} % [${percent(low)}, ${percent(high)}]`
  }
  const labels = Object.keys(FORMS)
  const thefts = (label, share) => theftRows.filter((one) => one.label === label && one.share === share)
  const rate = (rows) => rows.reduce((sum, { firsts }) => sum + caught(firsts) / firsts.length, 0) / rows.length
  const summary = labels.map((label) => {
    const rates = SHARES.map((share) => rate(thefts(label, share)))
    const mean = rates.reduce((sum, r) => sum + r, 0) / rates.length
    return [
      label,
      ofAll(honestRows.filter((one) => one.label === label).flatMap(({ alarms }) => alarms)),
      ...rates.map(percent),
      `**${percent(mean)}**`,
    ]
  })
  const delays = labels.map((label) => [
    label,
    ...SHARES.map((share) => number(middle(thefts(label, share).flatMap(({ firsts }) => firsts)))),
  ])
  const byPair = Object.entries(PAIRS).flatMap(([name, others]) =>
    others.map((other) => [
      `${name} ← ${other}`,
      ...labels.map((label) =>
        SHARES.map((share) =>
          percent(rate(thefts(label, share).filter((one) => one.name === name && one.other === other))),
        ).join(' · '),
      ),
    ]),
  )
  return `# Thieves among honest clients

${new Date().toISOString().slice(0, 10)} · ${cpus()[0].model} × ${cpus().length}, Node ${process.version} · \`node bench/eval/extraction.mjs\`

Clients of ${LENGTH} queries. Honest ones draw from one collection of texts; a thief mixes in texts of another, of which his share is made up.
${Object.values(PAIRS).flat().length} pairs of collections, ${CLIENTS.thieves} thieves for each pair and share; embeddings of ${EMBEDDER} (256 numbers). alpha = ${ALPHA}; references, what is set aside, limits
and measured clients come from disjoint quarters of a collection. An alarm is any alarm up to query ${LENGTH}.

**Not reached: the goal was 90.5 % at 0.3 %.** Shares of 5 and 10 % of 500 queries are mostly missed by all forms. Limits for alpha = 0.3 %
(1 % below) are exceeded by more honest clients than that: the hundreds of clients who set them share the few hundred texts of a
quarter, and those who are measured have others. With traffic of one's own that is so wherever few texts are asked by many.

## In short

Honest clients with an alarm (Clopper and Pearson, 95 %), and thieves caught in %, by the share of their queries that is theft.

${table(['form', 'honest clients with an alarm', ...SHARES.map((share) => `${100 * share} %`), 'mean'], summary)}

Median first alarm, in queries:

${table(['form', ...SHARES.map((share) => `${100 * share} %`)], delays)}

As published (Liu, Guo and Dong 2026; other texts, another embedder, so to be read side by side and not compared): mean 90.5 % at 0.3 %
with windows of 1500; 79 % with windows of 500, on five pairs and one seed; a pure thief at query 100.

## Honest clients, by collection

${table(
  ['collection', ...labels],
  Object.keys(PAIRS).map((name) => [
    name,
    ...labels.map((label) => ofAll(honestRows.find((one) => one.name === name && one.label === label).alarms)),
  ]),
)}

## Honest clients with three matters each

Real clients are narrow. Customers of a bank who ask of three of 77 matters, some twenty questions; references and limits from other such
customers, alpha = ${niche[0].alpha}; then thieves who send 60 texts of the other collections and nothing else.

${table(
  ['form', 'honest clients with an alarm', 'pure thieves caught', 'median first alarm'],
  niche.map(({ label, alarms, thieves }) => [label, ofAll(alarms), ofAll(thieves), number(middle(thieves))]),
)}

## By pair

Caught in % at shares of ${SHARES.map((share) => `${100 * share}`).join(' · ')} %.

${table(['honest ← theft', ...labels], byPair)}
`
}
