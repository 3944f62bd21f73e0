/** What is asked of every backend: the vectors of a stream, the time, and the verdicts. */
import { type Backend, copyNet, getDetector, type ModelEmbedder, type Pixels } from 'monitaur'
import type { CopyNetOptions } from 'monitaur/embed'
import { pictureStream } from './pictures.ts'

/** A picture of the golden files. */
export interface GoldenPicture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly pixels_base64: string
}

export interface BackendRun {
  /** The backend in use, and the GPU if it has one. */
  readonly on: string
  readonly vectors: readonly (readonly number[])[]
  /** One after the other, the model loaded: median ms a picture. */
  readonly msPerPicture: number
  readonly flagged: readonly boolean[]
  /** Verdicts over the golden pictures, each sent twice. */
  readonly golden: readonly boolean[]
}

/** Runs our own network over the stream of `count` pictures and their copies, and over the golden pictures. */
export async function runBackend(
  backend: Backend,
  count: number,
  golden: readonly GoldenPicture[],
  options: CopyNetOptions = {},
): Promise<BackendRun> {
  const embedder = copyNet({ ...options, backend })
  const pictures = pictureStream(count)
  const { adapter } = await embedder.warmup()
  const vectors: number[][] = []
  const times: number[] = []
  for (const pixels of pictures) {
    const start = performance.now()
    vectors.push(Array.from(await embedder(pixels)))
    times.push(performance.now() - start)
  }
  const flagged = await verdicts(embedder, pictures)
  const once = golden.map(toPixels)
  const ofGolden = await verdicts(embedder, [...once, ...once])
  await embedder.dispose()
  return {
    on: adapter === undefined ? backend : `${backend}, ${adapter}`,
    vectors,
    msPerPicture: times.sort((a, b) => a - b)[times.length >> 1]!,
    flagged,
    golden: ofGolden,
  }
}

async function verdicts(embedder: ModelEmbedder<Pixels>, pictures: readonly Pixels[]): Promise<boolean[]> {
  const detector = getDetector('image_similarity', { embedder })
  const detections = await detector.processBatch(pictures.map((input) => ({ input })))
  return detections.map(({ suspicious }) => suspicious)
}

function toPixels({ pixels_base64, width, height, channels }: GoldenPicture): Pixels {
  return { data: Uint8Array.from(atob(pixels_base64), (letter) => letter.charCodeAt(0)), width, height, channels }
}

/** Between two numbers at the same place of their vectors. */
export function largestDifference(a: BackendRun, b: BackendRun): number {
  const flat = b.vectors.flat()
  return a.vectors.flat().reduce((most, value, i) => Math.max(most, Math.abs(value - flat[i]!)), 0)
}
