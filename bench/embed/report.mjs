/** The report as Markdown. */
import { EDITS } from './edits.mjs'
import { TRANSFORMS } from './transforms.mjs'

const figure = (value) => (value === undefined || value === null ? '–' : value.toFixed(4))
const time = (ms) => (ms >= 10 ? ms.toFixed(1) : ms.toFixed(2))
const line = (cells) => `| ${cells.join(' | ')} |`
const table = (head, rows) => [line(head), line(head.map(() => '---')), ...rows.map(line), '']

/**
 * @param halves `[{ half, images, edits, tables }]`, the main one first.
 * @param common `{ name, times, backends, paraphrases, machine, date, command, rows }`; `rows` as of goals.mjs, `name` of the file.
 */
export function toMarkdown(halves, common) {
  const [main, ...others] = halves
  return [
    '# Near-duplicates: how well copies are told from other queries',
    '',
    `${common.machine} · ${common.date} · \`${common.command}\``,
    '',
    ...introduction(main, common.name),
    ...goalTable(common.rows),
    ...main.images.flatMap((set) => imageTable(set, main.half, common.times)),
    ...transformTable(main.images, main.half),
    ...presetTable(main.images),
    ...timeTable(common),
    ...others.flatMap(({ half, images }) => images.flatMap((set) => imageTable(set, half, common.times))),
    ...halves.flatMap((part) => editTable(part)),
    ...paraphraseTable(common.paraphrases),
    ...peopleTable(halves),
  ].join('\n')
}

function introduction({ half }, name) {
  return [
    'One threshold per method and data set: such that 0.1 % (or 0.01 %) of *all* pairs of an original and the transformed',
    'copy of another picture reach it. A figure is the share of the pictures whose own copy reaches it. The mean is that of',
    '25 plain transformations, the hard set has 7, the others 9. "Mirror compared": the mirrored picture is compared as',
    'well, and the threshold taken anew. Photos are transformed at 224 × 224, CIFAR at 32 × 32, digits at 28 × 28.',
    'The pictures at even positions are the *dev* half, on which choices were made, those at odd positions the *heldout*',
    `half. ${half === 'heldout' ? 'What follows is the heldout half; the dev half stands further below.' : `Only the ${half} half was measured.`}`,
    '',
    `![True-positive rate per transformation](${name}.svg)`,
    '',
  ]
}

function goalTable(rows) {
  const shown = rows.filter((row) => row.goal !== undefined)
  const verdict = { true: 'yes', false: '**no**' }
  const isMost = (row) => row.unit === 'ms' || row.goal <= 0.1
  return [
    '## Goals',
    '',
    ...table(
      ['what', 'measured', 'goal', 'met'],
      shown.map((row) => [
        row.name,
        figure(row.value),
        `${isMost(row) ? '≤' : '≥'} ${row.goal}${row.unit === 'ms' ? ' ms' : ''}`,
        verdict[row.met],
      ]),
    ),
  ]
}

function imageTable({ name, count, methods }, half, times) {
  const head = [
    'method',
    'mean @0.1 %',
    'mean @0.01 %',
    'hard @0.1 %',
    'others @0.1 %',
    'mirror @0.1 %',
    'mirror compared: mirror @0.1 %',
    'mean @0.01 %',
    'hard @0.1 %',
    'threshold @0.01 %',
    'ms',
  ]
  const rows = methods.map((method) => {
    if (method.missing !== undefined)
      return [method.name, `missing: ${method.missing}`, ...head.slice(2).map(() => '–')]
    const [at, strict] = method.direct
    const [mirrored, mirroredStrict] = method.mirrored ?? []
    return [
      method.name,
      ...[at.means.plain, strict.means.plain, at.means.hard, at.means.more, at.means.mirror].map(figure),
      ...[mirrored?.means.mirror, mirroredStrict?.means.plain, mirrored?.means.hard].map(figure),
      method.key === 'phash' ? `${Math.floor(-strict.threshold)} bits` : strict.threshold.toFixed(3),
      timeOf(method.key, times),
    ]
  })
  return [`## ${title(name)}, ${half} half (${count} pictures)`, '', ...table(head, rows)]
}

function title(name) {
  return name[0].toUpperCase() + name.slice(1)
}

/** Of JavaScript, or of WebAssembly. */
function timeOf(key, times) {
  const row = times?.rows.find((one) => one.key === key && one.backend !== 'native')
  return row === undefined ? '–' : time(row.median)
}

function transformTable(images, half) {
  const columns = images.flatMap((set) =>
    set.methods.filter((m) => m.ours && m.missing === undefined).map((method) => ({ set: set.name, method })),
  )
  const head = [
    'transformation',
    'group',
    ...columns.map(({ set, method }) => `${method.name}, ${set}: @0.1 % / @0.01 %`),
  ]
  const rows = TRANSFORMS.map(({ name, group }, t) => [
    name,
    group,
    ...columns.map(({ method }) =>
      method.direct.map(({ perTransform }) => perTransform[t].rate.toFixed(2)).join(' / '),
    ),
  ])
  return [`## Each transformation, ${half} half`, '', ...table(head, rows)]
}

function presetTable(images) {
  const rows = images.flatMap(({ name, methods }) =>
    methods
      .filter(({ preset }) => preset)
      .map((method) => [
        `${method.name}, ${name}`,
        `${(100 * method.preset.falseRate).toFixed(4)} %`,
        ...['plain', 'hard', 'more'].map((group) => figure(method.preset.means[group])),
      ]),
  )
  return [
    '## At the default threshold, 0.9',
    '',
    ...table(['method', 'unrelated pairs above it', 'mean', 'hard', 'others'], rows),
  ]
}

function timeTable({ times, backends }) {
  const measured = times.rows.map((row) => [
    row.name,
    row.backend,
    `${time(row.median)} [${time(row.min)} … ${time(row.max)}]`,
  ])
  const { ratio } = times
  return [
    '## Time per picture',
    '',
    'From decoded 224 × 224 pixels to the vector, one picture at a time, one thread; in turns, four in a row behind one that is not counted: median',
    '[min … max] in ms.',
    '',
    ...table(['method', 'backend', 'ms'], measured),
    ratio === undefined
      ? 'Network ÷ MobileNetV2 on WASM: not measured, since a model is missing.'
      : `Network ÷ MobileNetV2 on WASM, median over the rounds: ${ratio.median.toFixed(3)} [${ratio.min.toFixed(3)} … ${ratio.max.toFixed(3)}].`,
    '',
    ...backendTable(backends),
  ]
}

function backendTable(backends) {
  if (backends.length === 0) return []
  return [
    'The network on every backend, as the test of the backends measured it in a run of its own: not comparable with the',
    'table above. The difference is the largest of a number of the vectors to those of the native runtime.',
    '',
    ...table(
      ['backend', 'ms', 'difference'],
      backends.map(({ backend, ms, difference }) => [backend, ms ?? '–', difference?.toExponential(1) ?? '–']),
    ),
  ]
}

function editTable({ half, edits }) {
  const head = ['edit', ...edits.map(({ name, count }) => `${name} (${count})`)]
  const rows = EDITS.map(({ name }, e) => [name, ...edits.map(({ rates }) => figure(rates[e]))])
  const means = ['**mean**', ...edits.map(({ mean }) => figure(mean))]
  const thresholds = ['threshold', ...edits.map(({ threshold }) => threshold.toFixed(3))]
  return [
    `## Text: typed edits with \`embedText\`, ${half} half, at 0.1 % of all unrelated pairs`,
    '',
    ...table(head, [...rows, means, thresholds]),
  ]
}

function paraphraseTable(paraphrases) {
  return [
    '## Text: paraphrases with `embedText` (information: meaning is not what it looks at)',
    '',
    ...table(
      ['set', 'pairs', 'ROC AUC against pairs labelled as none', 'paraphrases above 0.1 % of unrelated pairs'],
      paraphrases.map(({ name, count, auc, rate }) => [name, count, figure(auc), figure(rate)]),
    ),
  ]
}

function peopleTable(halves) {
  const rows = halves.flatMap(({ half, tables }) =>
    tables.map(({ name, people, flagged, nudged, missing }) =>
      missing === undefined
        ? [`${name}, ${half}`, people, figure(flagged), figure(nudged)]
        : [`${name}, ${half}`, `missing: ${missing}`, '–', '–'],
    ),
  )
  return [
    '## Tables: `tabular_similarity` on the people of Adult, as it is when nothing is set (0.9, 100 remembered)',
    '',
    'A copy has one of its numbers moved by 1 … 5 %, by 1 at least. The profile is fitted on the other half.',
    '',
    ...table(['', 'people', 'distinct people flagged', 'nudged copies flagged'], rows),
  ]
}
