/** A line over time, as a picture that follows the reader's light or dark mode. */

const WIDTH = 720
const HEIGHT = 260
const LEFT = 56
const BOTTOM = 34
const TOP = 40
const RIGHT = 16

/** @param samples `[{ second, now }]` */
export function toSvg(samples, { title, unit }) {
  const seconds = samples.at(-1).second
  const step = stepOf(Math.max(...samples.map(({ now }) => now)))
  const top = Math.ceil(Math.max(...samples.map(({ now }) => now)) / step) * step
  const x = (second) => LEFT + ((WIDTH - LEFT - RIGHT) * second) / seconds
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * value) / top
  const path = samples.map(({ second, now }, i) => `${i === 0 ? 'M' : 'L'}${x(second).toFixed(1)} ${y(now).toFixed(1)}`)
  const levels = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  const minutes = Array.from({ length: Math.floor(seconds / 60) + 1 }, (_, i) => i)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title">`,
    `<title id="title">${title}, ${unit} over minutes</title>`,
    '<style>rect{fill:#fff}text{font:11px system-ui,sans-serif;fill:#57606a}.head{font-size:13px;font-weight:600;fill:#1f2328}.grid{stroke:#d0d7de}.line{fill:none;stroke:#0550ae;stroke-width:1.5}@media(prefers-color-scheme:dark){rect{fill:#0d1117}text{fill:#8d96a0}.head{fill:#e6edf3}.grid{stroke:#30363d}.line{stroke:#79c0ff}}</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text class="head" x="12" y="22">${title}</text>`,
    ...levels.flatMap((level) => [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(level)}" y2="${y(level)}"/>`,
      `<text x="${LEFT - 8}" y="${y(level) + 4}" text-anchor="end">${level}${level === top ? ` ${unit}` : ''}</text>`,
    ]),
    ...minutes.map(
      (m) => `<text x="${x(m * 60)}" y="${HEIGHT - 12}" text-anchor="middle">${m}${m === 0 ? ' min' : ''}</text>`,
    ),
    `<path class="line" d="${path.join('')}"/>`,
    '</svg>',
    '',
  ].join('\n')
}

/** About five levels, at round numbers. */
function stepOf(most) {
  const rough = most / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough)
}
