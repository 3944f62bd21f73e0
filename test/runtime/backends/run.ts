/** What is asked of every backend: the vectors of a stream, the time, and the verdicts. */
import { type Backend, copyNet, getDetector } from 'monitaur'
import { pictureStream } from './pictures.ts'

export interface BackendRun {
  /** The backend in use, and the GPU if it has one. */
  readonly on: string
  readonly vectors: readonly (readonly number[])[]
  /** One after the other, the model loaded: median ms a picture. */
  readonly msPerPicture: number
  readonly flagged: readonly boolean[]
}

/** Runs our own network over the stream of `count` pictures and their copies. */
export async function runBackend(backend: Backend, count: number): Promise<BackendRun> {
  const embedder = copyNet({ backend })
  const pictures = pictureStream(count)
  const { adapter } = await embedder.warmup()
  const vectors: number[][] = []
  const times: number[] = []
  for (const pixels of pictures) {
    const start = performance.now()
    vectors.push(Array.from(await embedder(pixels)))
    times.push(performance.now() - start)
  }
  const detector = getDetector('image_similarity', { embedder })
  const detections = await detector.processBatch(pictures.map((input) => ({ input })))
  await detector.dispose()
  return {
    on: adapter === undefined ? backend : `${backend}, ${adapter}`,
    vectors,
    msPerPicture: times.sort((a, b) => a - b)[times.length >> 1]!,
    flagged: detections.map(({ suspicious }) => suspicious),
  }
}
