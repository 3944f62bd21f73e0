/** Transformations that move pixels. Pictures are `{ data, width, height, channels: 3 }`, RGB row by row; never changed. */

/** A picture with the same size and new bytes. */
export function withData(picture, data) {
  return { data, width: picture.width, height: picture.height, channels: 3 }
}

/**
 * Every pixel of the result is looked up at a place of the source, between the pixels (bilinear).
 *
 * @param where From the centre of a pixel of the result to a place in the source, both in pixels: `(x, y) => [x, y]`.
 * @param options `outside`: beyond the border is `black` (the default), or the border goes on (`edge`); `width` and
 *   `height` of the result, by default those of the picture.
 */
export function warp(picture, where, { outside = 'black', width = picture.width, height = picture.height } = {}) {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      lookUp(picture, where(x, y), outside, data, (y * width + x) * 3)
    }
  }
  return { data, width, height, channels: 3 }
}

/** Writes the colour at (x, y) of a picture to `out`, from position `at` on. */
function lookUp({ data, width, height }, [x, y], outside, out, at) {
  const left = Math.floor(x)
  const top = Math.floor(y)
  let red = 0
  let green = 0
  let blue = 0
  for (let k = 0; k < 4; k++) {
    const column = left + (k & 1)
    const row = top + (k >> 1)
    const weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row))
    const isInside = row >= 0 && row < height && column >= 0 && column < width
    if (weight <= 0 || (!isInside && outside === 'black')) continue
    const p = (clamp(row, height) * width + clamp(column, width)) * 3
    red += weight * data[p]
    green += weight * data[p + 1]
    blue += weight * data[p + 2]
  }
  out[at] = Math.round(red)
  out[at + 1] = Math.round(green)
  out[at + 2] = Math.round(blue)
}

function clamp(place, size) {
  return Math.min(Math.max(place, 0), size - 1)
}

/** The picture without a share of its width and height on each side, resized back. */
export function crop(picture, share) {
  const { width, height } = picture
  const place = (i, size) => share * size + (i + 0.5) * (1 - 2 * share) - 0.5
  return warp(picture, (x, y) => [place(x, width), place(y, height)], { outside: 'edge' })
}

/** Turned around its centre; what comes in from outside is black. */
export function rotate(picture, degrees) {
  const { width, height } = picture
  const cos = Math.cos((degrees * Math.PI) / 180)
  const sin = Math.sin((degrees * Math.PI) / 180)
  const [midX, midY] = [(width - 1) / 2, (height - 1) / 2]
  return warp(picture, (x, y) => {
    const [dx, dy] = [x - midX, y - midY]
    return [midX + cos * dx + sin * dy, midY - sin * dx + cos * dy]
  })
}

/** Moved by whole pixels, right and down where positive; what comes in from outside is black. */
export function shift(picture, right, down) {
  return warp(picture, (x, y) => [x - right, y - down])
}

/** Left and right changed. */
export function mirror(picture) {
  const { data, width, height } = picture
  const mirrored = new Uint8Array(data.length)
  for (let y = 0; y < height; y++) {
    let to = y * width * 3
    for (let from = to + (width - 1) * 3; from >= y * width * 3; from -= 3) {
      mirrored[to++] = data[from]
      mirrored[to++] = data[from + 1]
      mirrored[to++] = data[from + 2]
    }
  }
  return withData(picture, mirrored)
}

/** The picture smaller, in the middle of a canvas of its own size that `paint(x, y)` colours. */
export function inset(picture, share, paint) {
  const { width, height } = picture
  const [inWidth, inHeight] = [Math.round(width * share), Math.round(height * share)]
  const small = shrink(picture, inWidth, inHeight)
  const [left, top] = [(width - inWidth) >> 1, height - inHeight - ((width - inWidth) >> 1)]
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(paint(x, y), (y * width + x) * 3)
  }
  for (let y = 0; y < inHeight; y++) {
    const line = small.data.subarray(y * inWidth * 3, (y + 1) * inWidth * 3)
    data.set(line, ((top + y) * width + left) * 3)
  }
  return withData(picture, data)
}

function shrink(picture, width, height) {
  const place = (i, size, sourceSize) => ((i + 0.5) * sourceSize) / size - 0.5
  const where = (x, y) => [place(x, width, picture.width), place(y, height, picture.height)]
  return warp(picture, where, { outside: 'edge', width, height })
}
