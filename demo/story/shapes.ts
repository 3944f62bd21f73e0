/** How the users are told apart: by shape, letter and colour together, so that no colour is needed. */

/** Up to four users. */
export const LETTERS = ['A', 'B', 'C', 'D'] as const

/** Of radius `r` around a point, as a path to fill. */
export function shapeOf(lane: number, x: number, y: number, r: number): Path2D {
  const path = new Path2D()
  if (lane === 0) path.arc(x, y, r, 0, 2 * Math.PI)
  else if (lane === 1) path.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r)
  else {
    const corners = lane === 2 ? [-90, 30, 150] : [-90, 0, 90, 180]
    for (const [i, degrees] of corners.entries()) {
      const angle = (degrees * Math.PI) / 180
      const [px, py] = [x + 1.2 * r * Math.cos(angle), y + 1.2 * r * Math.sin(angle)]
      if (i === 0) path.moveTo(px, py)
      else path.lineTo(px, py)
    }
    path.closePath()
  }
  return path
}

/** The same as the `d` of an SVG path in a box of 16 × 16. */
export const SHAPES = [
  'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2Z',
  'M2.7 2.7h10.6v10.6H2.7Z',
  'M8 1 14.6 12.6H1.4Z',
  'M8 .8 15.2 8 8 15.2.8 8Z',
] as const
