/** Sample pictures, drawn by the page itself, and small changes to any picture: the steps of somebody who probes a model. */

const SIZE = 224
/** Longest side of a changed copy, in pixels. */
const LONGEST = 1024

type Paint = (context: CanvasRenderingContext2D) => void

export const PICTURES: readonly { readonly label: string; readonly paint: Paint }[] = [
  { label: 'Harbour', paint: harbour },
  { label: 'Mountains', paint: mountains },
  { label: 'Still life', paint: stillLife },
]

/** A sample picture as a canvas. */
export function paintSample(paint: Paint): HTMLCanvasElement {
  const { canvas, context } = blank(SIZE, SIZE)
  paint(context)
  return canvas
}

/** The picture as a PNG file, as if it had been dropped onto the page. */
export function toFile(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('the canvas gave no picture')) : resolve(blob)),
      'image/png',
    )
  })
}

/** A changed copy of a picture. */
export type Change = (picture: ImageBitmap) => HTMLCanvasElement

export const CHANGES: readonly { readonly label: string; readonly change: Change }[] = [
  { label: 'Blurred copy', change: blurred },
  { label: 'Noisy copy', change: noisy },
  { label: 'Brighter copy', change: brighter },
]

/** Shrunk to a third and stretched again: a blur that every browser can do. */
function blurred(picture: ImageBitmap): HTMLCanvasElement {
  const { canvas, context } = copy(picture)
  const small = blank(Math.max(1, Math.round(canvas.width / 3)), Math.max(1, Math.round(canvas.height / 3)))
  small.context.imageSmoothingQuality = 'high'
  small.context.drawImage(canvas, 0, 0, small.canvas.width, small.canvas.height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(small.canvas, 0, 0, canvas.width, canvas.height)
  return canvas
}

function noisy(picture: ImageBitmap): HTMLCanvasElement {
  return eachValue(picture, (value) => value + (Math.random() + Math.random() - 1) * 36)
}

function brighter(picture: ImageBitmap): HTMLCanvasElement {
  return eachValue(picture, (value) => value * 1.08 + 18)
}

function eachValue(picture: ImageBitmap, change: (value: number) => number): HTMLCanvasElement {
  const { canvas, context } = copy(picture)
  const image = context.getImageData(0, 0, canvas.width, canvas.height)
  const { data } = image
  for (let i = 0; i < data.length; i++) if (i % 4 !== 3) data[i] = change(data[i]!)
  context.putImageData(image, 0, 0)
  return canvas
}

function copy(picture: ImageBitmap) {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height))
  const made = blank(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)))
  made.context.drawImage(picture, 0, 0, made.canvas.width, made.canvas.height)
  return made
}

function blank(width: number, height: number) {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('this browser has no canvas')
  return { canvas, context }
}

function harbour(context: CanvasRenderingContext2D): void {
  ground(context, ['#f7c873', '#ef8a62', '#8b5e83'])
  disc(context, 158, 92, 27, '#fff2c9')
  context.fillStyle = '#2f5d7c'
  context.fillRect(0, 132, SIZE, 92)
  for (let i = 0; i < 14; i++) {
    context.fillStyle = i % 2 === 0 ? '#f3b27a' : '#4b7f9e'
    context.fillRect((i * 53) % 190, 140 + i * 6, 26 + ((i * 17) % 30), 2)
  }
  shape(context, '#3b2530', [
    [30, 150],
    [118, 150],
    [102, 174],
    [46, 174],
  ])
  shape(context, '#fbf3e4', [
    [72, 62],
    [72, 144],
    [28, 144],
  ])
  shape(context, '#d9483b', [
    [78, 76],
    [78, 144],
    [112, 144],
  ])
}

function mountains(context: CanvasRenderingContext2D): void {
  ground(context, ['#5b8fd6', '#a9cdf0', '#e8f3fb'])
  shape(context, '#71829c', [
    [-20, 170],
    [62, 48],
    [140, 170],
  ])
  shape(context, '#f6f9fc', [
    [62, 48],
    [82, 80],
    [66, 74],
    [52, 86],
    [43, 77],
  ])
  shape(context, '#53647d', [
    [70, 178],
    [158, 66],
    [250, 178],
  ])
  shape(context, '#eef3f8', [
    [158, 66],
    [182, 97],
    [164, 90],
    [150, 102],
    [137, 93],
  ])
  context.fillStyle = '#4d8a4a'
  context.fillRect(0, 164, SIZE, 60)
  for (let i = 0; i < 9; i++) {
    const x = 12 + i * 26
    const y = 188 + ((i * 13) % 24)
    shape(context, i % 2 === 0 ? '#1f5130' : '#2c6a3b', [
      [x - 13, y],
      [x, y - 46],
      [x + 13, y],
    ])
  }
}

function stillLife(context: CanvasRenderingContext2D): void {
  ground(context, ['#26323f', '#3d4d5c', '#26323f'])
  context.fillStyle = '#8a5a34'
  context.fillRect(0, 156, SIZE, 68)
  shape(context, '#a8cfc4', [
    [24, 44],
    [58, 44],
    [72, 170],
    [10, 170],
  ])
  disc(context, 112, 140, 34, '#d8402f')
  disc(context, 102, 128, 9, '#ef8b7d')
  disc(context, 172, 148, 28, '#e8b832')
  disc(context, 148, 172, 24, '#7fa83a')
}

function ground(context: CanvasRenderingContext2D, colours: readonly string[]): void {
  const gradient = context.createLinearGradient(0, 0, 0, SIZE)
  for (const [i, colour] of colours.entries()) gradient.addColorStop(i / (colours.length - 1), colour)
  context.fillStyle = gradient
  context.fillRect(0, 0, SIZE, SIZE)
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  context.fillStyle = colour
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fill()
}

function shape(
  context: CanvasRenderingContext2D,
  colour: string,
  points: readonly (readonly [number, number])[],
): void {
  context.fillStyle = colour
  context.beginPath()
  for (const [x, y] of points) context.lineTo(x, y)
  context.fill()
}
