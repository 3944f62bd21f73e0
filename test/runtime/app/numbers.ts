/** What must be the same to the last bit wherever it is computed. Runs in the page and in Node. */
import type * as Core from 'monitaur/core'
import { sampleOutputs, samplePictures, sampleRows, sampleTexts } from './samples.ts'

/** The features of the samples, each as hexadecimal digits. */
export function featuresOf(core: typeof Core): Record<string, string[]> {
  const [texts, rows, pictures] = [sampleTexts(60), sampleRows(60), samplePictures(24)]
  const confidence = core.createDetector('confidence')
  const logits = core.createDetector('confidence', { outputs: 'logits' })
  return {
    textFingerprint: texts.map((text) => core.textFingerprint(text)),
    embedText: texts.map((text) => hex(core.embedText(text))),
    rowFingerprint: rows.map((row) => core.rowFingerprint(row)),
    embedRow: rows.map((row) => hex(core.embedRow(row))),
    perceptualHash: pictures.map((pixels) => core.perceptualHash(pixels)),
    embedPixels: pictures.map((pixels) => hex(core.embedPixels(pixels))),
    entropy: sampleOutputs(60).map((probabilities) =>
      hex(Float64Array.of(confidence.process({ probabilities }).score)),
    ),
    softmax: sampleOutputs(60).map((p) => {
      return hex(Float64Array.of(logits.process({ probabilities: p.map((v) => 50 * v - 7) }).score))
    }),
  }
}

/** The bytes of numbers. */
export function hex(values: Float32Array | Float64Array | Uint8Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Bytes as a page and a test hand them to each other. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
}
