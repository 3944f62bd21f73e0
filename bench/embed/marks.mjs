/** Transformations that lay something over a picture: rectangles, patches, text, the frame of a window. */
import { inset, withData } from './geometry.mjs'

/** A copy on which `draw(set)` may colour pixels: `set(x, y, change)` with `change(value, channel)`. */
function drawn(picture, draw) {
  const { width, height } = picture
  const data = Uint8Array.from(picture.data)
  draw((x, y, change) => {
    if (x < 0 || x >= width || y < 0 || y >= height) return
    const p = (y * width + x) * 3
    for (let c = 0; c < 3; c++) data[p + c] = Math.max(0, Math.min(255, change(data[p + c], c)))
  })
  return withData(picture, data)
}

function rectangle(set, left, top, width, height, change) {
  for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) set(x, y, change)
}

function anyColour(random) {
  return [random.below(256), random.below(256), random.below(256)]
}

/** A rectangle of one colour over a share of the area, 2:3 to 3:2, wholly inside. */
export function overlay(picture, share, random) {
  const { width, height } = picture
  const aspect = (2 / 3) * 2.25 ** random.next()
  const side = Math.sqrt(share * width * height)
  const across = Math.min(width, Math.max(1, Math.round(side * Math.sqrt(aspect))))
  const down = Math.min(height, Math.max(1, Math.round((share * width * height) / across)))
  const colour = anyColour(random)
  const left = random.below(width - across + 1)
  const top = random.below(height - down + 1)
  return drawn(picture, (set) => rectangle(set, left, top, across, down, (_, c) => colour[c]))
}

/**
 * Thirty squares of a sixteenth of the side, as a random search leaves them.
 *
 * @param kind `patches`: each colour inside up or down by 8 · `colours`: inside one colour.
 */
export function squares(picture, kind, random) {
  const side = Math.max(1, Math.round(picture.width / 16))
  return drawn(picture, (set) => {
    for (let i = 0; i < 30; i++) {
      const left = random.below(picture.width - side + 1)
      const top = random.below(picture.height - side + 1)
      const colour = kind === 'patches' ? [0, 1, 2].map(() => 8 * random.sign()) : anyColour(random)
      const change = kind === 'patches' ? (value, c) => value + colour[c] : (_, c) => colour[c]
      rectangle(set, left, top, side, side, change)
    }
  })
}

// A font of our own, 5 × 7: each letter as seven rows of five bits, so that no machine's fonts enter.
const FONT = {
  A: [14, 17, 17, 31, 17, 17, 17],
  C: [14, 17, 16, 16, 16, 17, 14],
  E: [31, 16, 16, 30, 16, 16, 31],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  Y: [17, 17, 10, 4, 4, 4, 4],
}
const WORDS = ['SAMPLE', 'COPY', 'PLACE', 'TEMPLATE']

/** White or black words with the opposite shadow, four fifths of the picture wide, at a random height. */
export function text(picture, random) {
  const { width, height } = picture
  const word = random.pick(WORDS)
  const cell = Math.max(1, Math.floor((0.8 * width) / (6 * word.length)))
  const ink = random.next() < 0.5 ? 255 : 0
  const left = (width - cell * (6 * word.length - 1)) >> 1
  const top = random.below(Math.max(1, height - 8 * cell))
  const write = (set, dx, value) => {
    for (let i = 0; i < word.length; i++) {
      for (let row = 0; row < 7; row++) {
        for (let column = 0; column < 5; column++) {
          if ((FONT[word[i]][row] >> (4 - column)) % 2 === 0) continue
          rectangle(set, left + dx + (6 * i + column) * cell, top + dx + row * cell, cell, cell, () => value)
        }
      }
    }
  }
  return drawn(picture, (set) => {
    write(set, Math.max(1, cell >> 1), 255 - ink)
    write(set, 0, ink)
  })
}

/** As a screenshot shows it: smaller (86 %), in a window with a title bar and a frame, light or dark. */
export function screenshot(picture, random) {
  const isDark = random.next() < 0.5
  const frame = isDark ? [32, 33, 36] : [241, 243, 244]
  const bar = isDark ? [60, 64, 67] : [222, 225, 230]
  const barHeight = Math.max(1, Math.round(0.06 * picture.height))
  const buttons = [
    [237, 106, 94],
    [245, 191, 79],
    [98, 197, 84],
  ]
  return inset(picture, 0.86, (x, y) => {
    if (y >= barHeight) return frame
    const button = buttons[Math.floor(x / barHeight)]
    const isButton = button !== undefined && 2 * Math.abs((x % barHeight) - barHeight / 2) < barHeight * 0.6
    return isButton && y > 0.2 * barHeight && y < 0.8 * barHeight ? button : bar
  })
}
