/** What the networks take, written to a Float32Array as red, green and blue planes. */
import { warp } from './geometry.mjs'
import { core } from './library.mjs'

/** For the copy networks: 64 × 64, 0 … 255. */
export function smallPicture(picture, out) {
  for (const [c, plane] of core.thumbnail(picture).entries()) out.set(plane, c * plane.length)
}

// Mean and deviation of ImageNet's colours, as torchvision's models take them.
const MEAN = [0.485, 0.456, 0.406]
const DEVIATION = [0.229, 0.224, 0.225]
const SIDE = 224

/** For MobileNetV2: 224 × 224, standardised; smaller pictures are enlarged (bilinear). */
export function imageNetPicture(picture, out) {
  const { data } = enlarged(picture)
  const area = SIDE * SIDE
  for (let c = 0; c < 3; c++) {
    const scale = 1 / (255 * DEVIATION[c])
    const offset = MEAN[c] / DEVIATION[c]
    for (let i = 0; i < area; i++) out[c * area + i] = data[3 * i + c] * scale - offset
  }
}

function enlarged(picture) {
  if (picture.width === SIDE && picture.height === SIDE) return picture
  const place = (i, size) => ((i + 0.5) * size) / SIDE - 0.5
  const where = (x, y) => [place(x, picture.width), place(y, picture.height)]
  return warp(picture, where, { outside: 'edge', width: SIDE, height: SIDE })
}
