/**
 * A model and pictures made of nothing but a seed: a run without any file, for a first look and for continuous integration. It
 * stands for no real model; that attacks succeed on it within hundreds of queries is all it shares with one.
 */
import { createRandom, type Random } from './random.ts'
import type { Labelled, Picture, Shape, Victim } from './types.ts'

export const TOY_SHAPE: Shape = { width: 32, height: 32, channels: 3 }

const CLASSES = 4
const HIDDEN = 32
const SIZE = TOY_SHAPE.width * TOY_SHAPE.height * TOY_SHAPE.channels
/** Waves that a class is drawn with. */
const WAVES = 3
const CONTRAST = 0.07
const BACKGROUND = 0.16
const GRAIN = 0.04
/** How steeply the answer follows the distance to a class. */
const STEEPNESS = 9

/** Pictures with their classes, in turn. The same seed gives the same pictures. */
export function toyPictures(count: number, seed = 1): Labelled<Picture>[] {
  const patterns = patternsOf()
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const label = i % CLASSES
    const background = waves(random, WAVES)
    const grain = random.normals(SIZE)
    const input = patterns[label]!.map((v, k) => {
      const value = 0.5 + CONTRAST * v + BACKGROUND * background[k]! + GRAIN * grain[k]!
      return Math.round(255 * Math.min(Math.max(value, 0), 1)) / 255
    })
    return { input, label }
  })
}

/** A network with one hidden layer of fixed random weights; the nearest mean of a class is the answer. */
export function toyVictim(): Victim<'image'> {
  const random = createRandom(7)
  const weights = Float64Array.from(random.normals(HIDDEN * SIZE), (v) => (8 * v) / Math.sqrt(SIZE))
  const means = meansOf(toyPictures(50 * CLASSES, 2), (picture) => hiddenOf(weights, picture))
  return {
    name: 'toy',
    hash: 'toy-1',
    kind: 'image',
    classes: CLASSES,
    answer: async (pictures) => pictures.map((picture) => logitsOf(hiddenOf(weights, picture), means)),
  }
}

function patternsOf(): Picture[] {
  const random = createRandom(5)
  return Array.from({ length: CLASSES }, () => waves(random, WAVES))
}

/** A smooth field of coloured waves, of deviation about 1. */
function waves(random: Random, count: number): Picture {
  const field = new Float64Array(SIZE)
  for (let n = 0; n < count; n++) {
    const [across, down, phase] = [random.normal() / 4, random.normal() / 4, 6.3 * random.next()]
    const colour = random.normals(3)
    const weights = colour.map((v) => v / Math.sqrt(count / 2))
    for (let pixel = 0, i = 0; i < SIZE; pixel++) {
      const angle = across * (pixel % TOY_SHAPE.width) + down * Math.floor(pixel / TOY_SHAPE.width) + phase
      const height = Math.sin(angle)
      for (const weight of weights) field[i++]! += height * weight
    }
  }
  return field
}

function hiddenOf(weights: Float64Array, picture: Picture): Float64Array {
  const hidden = new Float64Array(HIDDEN)
  for (let h = 0; h < HIDDEN; h++) {
    let sum = 0
    const from = h * SIZE
    for (let i = 0; i < SIZE; i++) sum += weights[from + i]! * (picture[i]! - 0.5)
    hidden[h] = sum / (1 + Math.abs(sum))
  }
  return hidden
}

function meansOf(pictures: readonly Labelled<Picture>[], hidden: (picture: Picture) => Float64Array): Float64Array[] {
  const means = Array.from({ length: CLASSES }, () => new Float64Array(HIDDEN))
  for (const { input, label } of pictures) {
    for (const [h, value] of hidden(input).entries()) means[label]![h]! += (value * CLASSES) / pictures.length
  }
  return means
}

function logitsOf(hidden: Float64Array, means: readonly Float64Array[]): Float32Array {
  return Float32Array.from(means, (mean) => {
    let squares = 0
    for (let h = 0; h < HIDDEN; h++) squares += (hidden[h]! - mean[h]!) ** 2
    return -STEEPNESS * squares
  })
}
