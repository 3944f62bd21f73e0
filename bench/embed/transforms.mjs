/**
 * What is done to a picture before it is asked whether it is still the same one: 25 plain transformations, the mirror,
 * a hard set, and more. Pictures are `{ data: Uint8Array, width, height, channels: 3 }`, RGB, row by row; the size is
 * kept, the argument is never changed, and the same seeds give the same bytes.
 */
import { crop, mirror, rotate, shift } from './geometry.mjs'
import { overlay, screenshot, squares, text } from './marks.mjs'
import { createRandom } from './random.mjs'
import { blur, brightness, contrast, hue, jpeg, noise, saturation, signNoise } from './tones.mjs'

/**
 * Groups: `plain` makes the mean · `mirror` stands alone · `hard` makes the mean of the hard set · `more` is shown.
 * `apply(picture, random)` gives a picture, or a promise of one.
 */
export const TRANSFORMS = [
  ...[2, 4, 8, 16].map((sigma) => plain(`noise σ ${sigma}`, (p, random) => noise(p, sigma, random))),
  ...[1, 2].map((sigma) => plain(`blur σ ${sigma}`, (p) => blur(p, sigma))),
  ...[90, 60, 30].map((quality) => plain(`JPEG ${quality}`, (p) => jpeg(p, quality))),
  ...[0.8, 1.2].map((factor) => plain(`brightness ×${factor}`, (p) => brightness(p, factor))),
  ...[0.8, 1.2].map((factor) => plain(`contrast ×${factor}`, (p) => contrast(p, factor))),
  ...[2, 5, 10].map((percent) => plain(`crop ${percent} %`, (p) => crop(p, percent / 100))),
  ...[1, 3, 5].map((degrees) => plain(`rotation ${degrees}°`, (p, random) => rotate(p, degrees * random.sign()))),
  ...[2, 8].map((pixels) => plain(`shift ${pixels} px`, (p, random) => shiftAny(p, pixels, random))),
  plain('overlay 5 %', (p, random) => overlay(p, 0.05, random)),
  plain('sign noise ±8', (p, random) => signNoise(p, 8, random)),
  plain('30 squares ±8', (p, random) => squares(p, 'patches', random)),
  plain('30 squares, colours', (p, random) => squares(p, 'colours', random)),

  { name: 'mirror', group: 'mirror', apply: mirror },

  hard('crop 20 %', (p) => crop(p, 0.2)),
  hard('rotation 10°', (p, random) => rotate(p, 10 * random.sign())),
  hard('shift 6.25 %', (p, random) => shiftAny(p, p.width / 16, random)),
  hard('shift 12.5 %', (p, random) => shiftAny(p, p.width / 8, random)),
  hard('overlay 20 %', (p, random) => overlay(p, 0.2, random)),
  hard('grey, contrast ×0.5', (p) => contrast(saturation(p, 0), 0.5)),
  hard('combination', combination),

  more('grey', (p) => saturation(p, 0)),
  more('saturation ×0.5', (p) => saturation(p, 0.5)),
  more('saturation ×1.5', (p) => saturation(p, 1.5)),
  more('hue 15°', (p, random) => hue(p, 15 * random.sign())),
  more('hue 30°', (p, random) => hue(p, 30 * random.sign())),
  more('shift 25 %', (p, random) => shiftAny(p, p.width / 4, random)),
  more('crop 25 %', (p) => crop(p, 0.25)),
  more('text', text),
  more('screenshot', screenshot),
]

function plain(name, apply) {
  return { name, group: 'plain', apply }
}

function hard(name, apply) {
  return { name, group: 'hard', apply }
}

function more(name, apply) {
  return { name, group: 'more', apply }
}

/** Along one axis or the other, to one side or the other. */
function shiftAny(picture, pixels, random) {
  const by = Math.round(pixels) * random.sign()
  return random.next() < 0.5 ? shift(picture, by, 0) : shift(picture, 0, by)
}

/** Several at once: what is left after somebody worked on a copy. */
function combination(picture, random) {
  const turned = rotate(crop(picture, 0.05), 3 * random.sign())
  const covered = overlay(brightness(turned, 1 + 0.15 * random.sign()), 0.05, random)
  return jpeg(noise(covered, 6, random), 60)
}

/**
 * One picture transformed in every way, in the order of `transforms`.
 *
 * @param picture RGB pixels.
 * @param options `seed` of the benchmark, `index` of the picture in its data set; each transformation has chance of its own.
 * @returns {Promise<object[]>} As many pictures as transformations.
 */
export async function transformAll(picture, { seed = 1, index = 0, transforms = TRANSFORMS } = {}) {
  const made = []
  for (const transform of transforms) {
    made.push(await transform.apply(picture, createRandom(seed, index, TRANSFORMS.indexOf(transform))))
  }
  return made
}
