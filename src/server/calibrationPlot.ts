/** The benign scores of a calibration as a picture: which share of benign units reaches a score, and the thresholds. */
import type { Calibration } from '../core/index.ts'
import { calibratedLimits, type MonitorCalibration } from '../core/monitor/index.ts'

/** One diagram. */
interface Panel {
  readonly title: string
  readonly unit: string
  readonly scores: Calibration['scores']
  readonly lines: readonly { readonly at: number; readonly name: string; readonly colour: string }[]
}

const WIDTH = 640
const HEIGHT = 220
const LEFT = 76
const RIGHT = 24
const TOP = 34
const BOTTOM = 40
const INK = '#333'
const FAINT = '#ccc'
const BLUE = '#2166ac'
const RED = '#b2182b'
const ORANGE = '#d6761b'

/** An SVG picture without anything that has to be loaded. */
export function plotOf(record: Calibration | MonitorCalibration): string {
  const panels = panelsOf(record)
  const height = panels.length * HEIGHT
  const drawn = panels.map((panel, i) => `<g transform="translate(0 ${i * HEIGHT})">${draw(panel)}</g>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11" fill="${INK}">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`
}

function panelsOf(record: Calibration | MonitorCalibration): Panel[] {
  if (record.kind === 'detector') return [panelOf(record.detector, record)]
  const { throttleAt, suspendAt } = calibratedLimits(record)
  const clients: Panel = {
    title: 'most evidence that a benign client ever had, in nats',
    unit: 'clients',
    scores: record.clients.maxima,
    lines: [
      { at: throttleAt, name: 'throttled', colour: ORANGE },
      { at: suspendAt, name: 'suspended', colour: RED },
    ],
  }
  return [clients, ...record.detectors.map(({ label, record: own }) => panelOf(label, own))]
}

function panelOf(label: string, { unit, scores, threshold }: Calibration): Panel {
  const whose = unit === 'query' ? 'score of a benign query' : `largest score of a benign ${unit}`
  const units = unit === 'query' ? 'queries' : `${unit}s`
  return {
    title: `${label}: ${whose}`,
    unit: units,
    scores,
    lines: [{ at: threshold, name: 'suspicious', colour: RED }],
  }
}

/** A staircase, falling from all units to none, over a logarithmic axis of shares. */
function draw({ title, unit, scores, lines }: Panel): string {
  const { n, values, above } = scores
  const [least, most] = rangeOf([...values, ...lines.map(({ at }) => at)])
  const x = (score: number) => LEFT + ((score - least) / (most - least)) * (WIDTH - LEFT - RIGHT)
  const decades = Math.max(1, Math.ceil(Math.log10(n)))
  const y = (share: number) => TOP + (-Math.log10(share) / decades) * (HEIGHT - TOP - BOTTOM)
  const floor = HEIGHT - BOTTOM
  let path = `M${x(least).toFixed(1)} ${y(1).toFixed(1)}`
  for (const [i, value] of values.entries()) {
    path += `H${x(value).toFixed(1)}V${(above[i]! > 0 ? y(above[i]! / n) : floor).toFixed(1)}`
  }
  const marks = lines.map(({ at, name, colour }, i) => {
    const px = x(at).toFixed(1)
    const anchor = x(at) > WIDTH / 2 ? 'end' : 'start'
    const dx = anchor === 'end' ? -4 : 4
    const text = `${name} above ${short(at)}`
    return `<path d="M${px} ${TOP}V${floor}" stroke="${colour}" stroke-dasharray="4 3"/><text x="${Number(px) + dx}" y="${TOP + 12 + 14 * i}" text-anchor="${anchor}" fill="${colour}">${text}</text>`
  })
  return [
    `<text x="${LEFT}" y="18" font-size="13">${escaped(title)} (${n} ${unit})</text>`,
    ...shareAxis(decades, y),
    ...scoreAxis(least, most, x),
    `<path d="${path}" fill="none" stroke="${BLUE}" stroke-width="1.5"/>`,
    ...marks,
  ].join('\n')
}

function shareAxis(decades: number, y: (share: number) => number): string[] {
  return Array.from({ length: decades + 1 }, (_, k) => {
    const at = y(10 ** -k).toFixed(1)
    const label = k === 0 ? 'all' : `1 in ${(10 ** k).toLocaleString('en')}`
    return `<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="${FAINT}"/><text x="${LEFT - 6}" y="${Number(at) + 4}" text-anchor="end">${label}</text>`
  })
}

function scoreAxis(least: number, most: number, x: (score: number) => number): string[] {
  const floor = HEIGHT - BOTTOM
  const line = `<path d="M${LEFT} ${floor}H${WIDTH - RIGHT}" stroke="${INK}"/>`
  const ticks = Array.from({ length: 6 }, (_, i) => {
    const score = least + (i / 5) * (most - least)
    return `<text x="${x(score).toFixed(1)}" y="${floor + 16}" text-anchor="middle">${short(score)}</text>`
  })
  return [line, ...ticks]
}

/** The range of these numbers, never empty. */
function rangeOf(values: readonly number[]): readonly [least: number, most: number] {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity)
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity)
  const room = most > least ? 0.02 * (most - least) : 0.5
  return [least - room, most + room]
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
}
