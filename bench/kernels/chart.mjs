/** The growth curves: time per query over the size of the window, both on logarithmic axes. */

const COLOURS = ['#0550ae', '#79c0ff', '#bc4c00', '#ffa657', '#1b7c83']
const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [760, 420, 70, 56, 300, 44]

export function toSvg(curves, about) {
  const points = curves.flatMap((curve) => curve.points)
  const sizes = points.map(({ size }) => Math.log10(size))
  const times = points.flatMap(({ min, max }) => [Math.log10(min), Math.log10(max)])
  const [x0, x1] = [Math.min(...sizes), Math.max(...sizes)]
  const [y0, y1] = [Math.floor(Math.min(...times)), Math.ceil(Math.max(...times))]
  const x = (size) => LEFT + ((Math.log10(size) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT)
  const y = (time) => HEIGHT - BOTTOM - ((Math.log10(time) - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM)
  const parts = []
  for (let power = x0; power <= x1; power++) {
    const at = x(10 ** power)
    parts.push(`<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`)
    parts.push(`<text class="small" text-anchor="middle" x="${at}" y="${HEIGHT - BOTTOM + 18}">1e${power}</text>`)
  }
  for (let power = y0; power <= y1; power++) {
    const at = y(10 ** power)
    parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`)
    parts.push(`<text class="small" text-anchor="end" x="${LEFT - 8}" y="${at + 4}">${unitOf(power)}</text>`)
  }
  for (const [i, { name, points: own, exponent }] of curves.entries()) {
    const colour = COLOURS[i % COLOURS.length]
    const line = own.map(({ size, median }) => `${x(size).toFixed(1)},${y(median).toFixed(1)}`).join(' ')
    parts.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${line}"/>`)
    for (const { size, min, median, max } of own) {
      const at = x(size).toFixed(1)
      parts.push(`<line stroke="${colour}" x1="${at}" x2="${at}" y1="${y(min).toFixed(1)}" y2="${y(max).toFixed(1)}"/>`)
      parts.push(`<circle fill="${colour}" cx="${at}" cy="${y(median).toFixed(1)}" r="3"/>`)
    }
    const row = TOP + 16 + 34 * i
    parts.push(`<rect fill="${colour}" x="${WIDTH - RIGHT + 20}" y="${row - 10}" width="12" height="12"/>`)
    parts.push(`<text x="${WIDTH - RIGHT + 40}" y="${row}">${name}</text>`)
    parts.push(
      `<text class="small" x="${WIDTH - RIGHT + 40}" y="${row + 15}">size to the power ${exponent.toFixed(2)}</text>`,
    )
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    '<title id="title">CPU per query by the size of the window</title>',
    '<style>text{font:13px sans-serif;fill:#1f2328}.small{font-size:11px;fill:#59636e}.grid{stroke:#d1d9e0}.page{fill:#fff}',
    '@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.small{fill:#9198a1}.grid{stroke:#3d444d}.page{fill:#0d1117}}</style>',
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    '<text x="12" y="22">CPU per query, the window full, by its size</text>',
    `<text class="small" x="12" y="40">${about}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function unitOf(power) {
  return power < 3 ? `${10 ** power} ns` : power < 6 ? `${10 ** (power - 3)} µs` : `${10 ** (power - 6)} ms`
}
