/** How long it takes from opening the page to a first answer, in ms, and what is not ours of it. */
import { pictureStream } from './pictures.ts'

/** onnxruntime-web loaded and run once on a model of pictures of `side` pixels, nothing else. */
export async function firstRun(model: readonly number[], side: number): Promise<number> {
  const ort = await import('onnxruntime-web/wasm')
  const session = await ort.InferenceSession.create(Uint8Array.from(model))
  const data = new Float32Array(3 * side * side)
  await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', data, [1, 3, side, side]) })
  return performance.now()
}

/** A first verdict over a picture with our network: when it came, and what it said. */
export async function firstVerdict(): Promise<{ readonly ms: number; readonly reason: string }> {
  const { copyNet, getDetector } = await import('monitaur')
  const detector = getDetector('image_similarity', { embedder: copyNet({ backend: 'wasm' }) })
  const { reason } = await detector.process({ input: pictureStream(1)[0]! })
  return { ms: performance.now(), reason }
}
