/** Scenarios with pictures, in the page. */
import { getDetector, type ImageInput, isMonitorError, type Pixels } from 'monitaur'
import { embedPixels, flattenAlpha, perceptualHash } from 'monitaur/core'
import { decodeImage } from 'monitaur/embed'
import { fromHex, hex } from './numbers.ts'
import { samplePicture } from './samples.ts'

/** One picture in every shape, each with the hash that a detector of its own gives it. */
export async function hashesOfShapes(): Promise<Record<string, string>> {
  const pixels = samplePicture()
  const image = imageData(pixels)
  const png = await encoded(image, 'image/png')
  const shapes: Record<string, ImageInput> = {
    'raw, 4 channels': pixels,
    'raw, 3 channels': withoutAlpha(pixels),
    'raw, floats of 0 … 1': { ...floats(withoutAlpha(pixels), 255), maxValue: 1 },
    'raw, floats of 0 … 255': { ...floats(withoutAlpha(pixels), 1), maxValue: 255 },
    ImageData: image,
    ImageBitmap: await createImageBitmap(image),
    'PNG in a Blob': png,
    'PNG in a File': new File([png], 'picture.png'),
    'PNG as Uint8Array': new Uint8Array(await png.arrayBuffer()),
    'PNG as ArrayBuffer': await png.arrayBuffer(),
    'JPEG in a Blob': await encoded(image, 'image/jpeg', 0.95),
    'WebP in a Blob': await encoded(image, 'image/webp', 0.9),
  }
  return Object.fromEntries(
    await Promise.all(Object.entries(shapes).map(async ([name, input]) => [name, await hashOf(input)])),
  )
}

/** A grey picture with 1, 3 and 4 channels. */
export async function hashesOfGrey(): Promise<string[]> {
  const { data, width, height } = samplePicture()
  const grey = data.filter((_, i) => i % 4 === 0)
  const of = (channels: 1 | 3 | 4, value: (i: number) => number): Pixels => {
    return { data: Uint8Array.from({ length: grey.length * channels }, (_, i) => value(i)), width, height, channels }
  }
  const shapes = [
    of(1, (i) => grey[i]!),
    of(3, (i) => grey[Math.floor(i / 3)]!),
    of(4, (i) => (i % 4 === 3 ? 255 : grey[Math.floor(i / 4)]!)),
  ]
  return Promise.all(shapes.map(hashOf))
}

/** Hash and vector of an encoded picture, or the error's code. */
export async function featuresOfFile(
  file: string,
): Promise<{ hash: string; vector: string; size: number[]; data: string }> {
  const pixels = flattenAlpha(await decodeImage(fromHex(file))) // as the detectors do
  const { data, width, height } = pixels
  return {
    hash: perceptualHash(pixels),
    vector: hex(embedPixels(pixels)),
    size: [width, height],
    data: hex(data as Uint8Array),
  }
}

/** What a detector that has seen one picture says to bad ones, and how much it remembers afterwards. */
export async function refusals(
  files: readonly string[],
): Promise<{ errors: string[]; historySize: number; sameState: boolean }> {
  const detector = getDetector('image_similarity')
  await detector.process({ input: samplePicture() })
  const before = JSON.stringify(await detector.snapshot())
  const errors: string[] = []
  for (const file of files) {
    const outcome = await detector.process({ input: fromHex(file) }).catch((error: unknown) => error)
    errors.push(isMonitorError(outcome) ? `${outcome.code} at ${outcome.path}` : 'no error')
  }
  const { historySize } = await detector.describe()
  return { errors, historySize, sameState: before === JSON.stringify(await detector.snapshot()) }
}

async function hashOf(input: ImageInput): Promise<string> {
  return (await getDetector('image_repetition').process({ input })).metadata.fingerprint
}

function imageData({ data, width, height }: Pixels): ImageData {
  return new ImageData(Uint8ClampedArray.from(data), width, height)
}

function encoded(image: ImageData, type: string, quality?: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height)
  canvas.getContext('2d')!.putImageData(image, 0, 0)
  return canvas.convertToBlob(quality === undefined ? { type } : { type, quality })
}

function withoutAlpha({ data, width, height }: Pixels): Pixels {
  return { data: (data as Uint8Array).filter((_, i) => i % 4 !== 3), width, height, channels: 3 }
}

function floats({ data, width, height, channels }: Pixels, divisor: number): Pixels {
  return { data: Float32Array.from(data, (value) => value / divisor), width, height, channels }
}
