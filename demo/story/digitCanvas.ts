/** A digit of 28 × 28 on a canvas, with what it is in words. */
import { element } from '../elements.ts'

const SIDE = 28

export function digitCanvas(alt: string): HTMLCanvasElement {
  return element('canvas', { class: 'digit', width: SIDE, height: SIDE, role: 'img', 'aria-label': alt })
}

/** Paints 784 bytes, 0 black … 255 white. */
export function paintDigit(canvas: HTMLCanvasElement, picture: Uint8Array): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const image = context.createImageData(SIDE, SIDE)
  for (const [i, value] of picture.entries()) image.data.set([value, value, value, 255], 4 * i)
  context.putImageData(image, 0, 0)
}
