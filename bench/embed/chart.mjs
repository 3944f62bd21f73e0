/**
 * The true-positive rate of each transformation at 0.01 % false positives: one panel per data set, one line per
 * transformation, one mark per method. No fonts or scripts from elsewhere; follows the reader's light or dark mode.
 */
import { TRANSFORMS } from './transforms.mjs'

/** Marks of the methods by key: a colour for light and one for dark, and a shape. Ours are filled. */
const MARKS = {
  descriptor: { light: '#0550ae', dark: '#79c0ff', shape: 'circle', filled: true },
  network: { light: '#bc4c00', dark: '#ffa657', shape: 'square', filled: true },
  phash: { light: '#6e7781', dark: '#8b949e', shape: 'cross', filled: false },
  projection: { light: '#1b7c83', dark: '#56d4dd', shape: 'circle', filled: false },
  prototype: { light: '#cf222e', dark: '#ff8e8e', shape: 'square', filled: false },
  mobilenet: { light: '#8250df', dark: '#d2a8ff', shape: 'diamond', filled: false },
}

const LABELS = 150
const PANEL = 220
const GAP = 28
const ROW = 17
const GROUP_GAP = 20
const TOP = 96
const BOTTOM = 34
const GROUPS = { plain: 'plain', mirror: 'mirror', hard: 'hard set', more: 'others' }

/** @param part `{ half, images }` as measured. */
export function toSvg({ half, images }) {
  const places = rowPlaces()
  const width = LABELS + images.length * (PANEL + GAP)
  const height = places.bottom + BOTTOM
  const methods = images[0].methods.filter(({ missing }) => missing === undefined)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    '<title id="title">True-positive rate per transformation and method at 0.01 % false positives</title>',
    style(),
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    `<text x="12" y="24" class="title">Copies found, one false match in 10 000 unrelated pairs</text>`,
    `<text x="12" y="42" class="small">Share of the pictures (${half} half) whose transformed copy lies above the threshold. To the right is better; ours lie on top.</text>`,
    ...legend(methods),
    ...rowLabels(places),
    ...images.flatMap((set, i) => panel(set, LABELS + i * (PANEL + GAP), places)),
    '</svg>',
    '',
  ].join('\n')
}

/** The height of each transformation's line, with a gap between the groups. */
function rowPlaces() {
  const rows = []
  const heads = []
  let y = TOP
  for (const [i, { group }] of TRANSFORMS.entries()) {
    if (i === 0 || TRANSFORMS[i - 1].group !== group) {
      y += GROUP_GAP
      heads.push({ group, y: y - 6 })
    }
    rows.push(y + ROW / 2)
    y += ROW
  }
  return { rows, heads, bottom: y }
}

const PAGE = {
  light: { ink: '#1f2328', soft: '#59636e', line: '#d1d9e0', page: '#ffffff' },
  dark: { ink: '#e6edf3', soft: '#9198a1', line: '#3d444d', page: '#0d1117' },
}

function style() {
  return [
    '<style>',
    'text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:11px}',
    '.title{font-size:15px;font-weight:600}.head{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}',
    '.grid{stroke-width:1}.mark{stroke-width:1.4}',
    colours('light'),
    `@media (prefers-color-scheme:dark){${colours('dark')}}`,
    '</style>',
  ].join('')
}

/** Written out, since not every viewer of SVG knows CSS variables. */
function colours(mode) {
  const { ink, soft, line, page } = PAGE[mode]
  const marks = Object.entries(MARKS).map(([key, mark]) => {
    return `.${key}{stroke:${mark[mode]};fill:${mark.filled ? mark[mode] : 'none'}}`
  })
  return `text{fill:${ink}}.small{fill:${soft}}.grid{stroke:${line}}.page{fill:${page}}${marks.join('')}`
}

function legend(methods) {
  let x = 14
  return methods.map(({ key, name }) => {
    const item = `${mark(key, x, 62)}<text x="${x + 9}" y="66">${name}</text>`
    x += 30 + 6.2 * name.length
    return item
  })
}

function rowLabels({ rows, heads }) {
  return [
    ...heads.map(({ group, y }) => `<text x="${LABELS - 14}" y="${y}" class="head end">${GROUPS[group]}</text>`),
    ...TRANSFORMS.map(({ name }, i) => `<text x="${LABELS - 14}" y="${rows[i] + 4}" class="end">${name}</text>`),
  ]
}

function panel({ name, count, methods }, left, { rows, bottom }) {
  const place = (rate) => left + 8 + rate * (PANEL - 16)
  const drawn = methods.filter(({ missing }) => missing === undefined)
  const ticks = [0, 0.25, 0.5, 0.75, 1]
  return [
    `<text x="${left + PANEL / 2}" y="${TOP - 6}" class="head middle">${name} (${count})</text>`,
    ...ticks.map(
      (tick) => `<line class="grid" x1="${place(tick)}" x2="${place(tick)}" y1="${TOP + 4}" y2="${bottom}"/>`,
    ),
    ...rows.map(
      (y) => `<line class="grid" x1="${place(0)}" x2="${place(1)}" y1="${y}" y2="${y}" stroke-dasharray="1 3"/>`,
    ),
    ...ticks.map((tick) => `<text x="${place(tick)}" y="${bottom + 15}" class="small middle">${tick}</text>`),
    // Ours last, so that they lie on top.
    ...[...drawn]
      .reverse()
      .flatMap(({ key, direct }) =>
        direct[1].perTransform.map(({ rate }, t) => mark(key, round(place(rate)), rows[t])),
      ),
  ]
}

function round(value) {
  return Math.round(value * 10) / 10
}

function mark(key, x, y) {
  const { shape, filled } = MARKS[key]
  const style = `class="mark ${key}"`
  if (shape === 'circle') return `<circle ${style} cx="${x}" cy="${y}" r="${filled ? 3.4 : 4.4}"/>`
  if (shape === 'square') return `<rect ${style} x="${x - 3.2}" y="${y - 3.2}" width="6.4" height="6.4"/>`
  if (shape === 'diamond') return `<path ${style} d="M${x} ${y - 4.6}l4.6 4.6l-4.6 4.6l-4.6 -4.6z"/>`
  return `<path ${style} d="M${x - 3.4} ${y - 3.4}l6.8 6.8m0 -6.8l-6.8 6.8"/>`
}
