/**
 * The descriptor's features, computed by the library's own code: small pictures in, features out.
 *
 *     node models/training/features.mjs < pictures > features
 *
 * In: 64 · 64 · 3 bytes a picture, RGB row by row. Out: 32-bit floats, as many a picture as `FEATURE_COUNT`.
 */
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const SIDE = 64
const BYTES = SIDE * SIDE * 3

const source = (name) => fileURLToPath(new URL(`../../src/core/pictures/${name}`, import.meta.url))
const build = await rolldown({ input: source('features.ts'), logLevel: 'silent' })
const { output } = await build.generate({ format: 'esm' })
await build.close()
const { features } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`)

let left = Buffer.alloc(0)
for await (const chunk of process.stdin) {
  const bytes = Buffer.concat([left, chunk])
  const whole = bytes.length - (bytes.length % BYTES)
  for (let at = 0; at < whole; at += BYTES) await write(features(planesOf(bytes, at)).values)
  left = bytes.subarray(whole)
}
if (left.length > 0)
  throw new Error(`the input must be whole pictures of ${BYTES} bytes, ${left.length} bytes are left over`)

function planesOf(bytes, start) {
  return [0, 1, 2].map((c) => Float64Array.from({ length: SIDE * SIDE }, (_, i) => bytes[start + 3 * i + c]))
}

function write(values) {
  const floats = Float32Array.from(values)
  if (process.stdout.write(new Uint8Array(floats.buffer))) return
  return new Promise((resolve) => process.stdout.once('drain', resolve))
}
