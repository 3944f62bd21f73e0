/**
 * An ONNX model, watched.
 *
 *     node examples/onnxruntime.mjs mnist.onnx t10k-images-idx3-ubyte
 *
 * Honest digits, then one digit with a little more noise each time, as a black-box attack sends them.
 */
import { readFileSync } from 'node:fs'
import { createMonitor, monitorModel } from 'monitaur'
import * as ort from 'onnxruntime-web'

const [modelFile, imageFile] = process.argv.slice(2)
const session = await ort.InferenceSession.create(readFileSync(modelFile))
const images = readFileSync(imageFile).subarray(16)
const digit = (i) => Uint8Array.from(images.subarray(784 * i, 784 * (i + 1)))

const monitor = createMonitor({
  detectors: [
    { name: 'confidence', mode: 'margin', outputs: 'logits', threshold: 0.9 },
    { name: 'image_similarity', threshold: 0.98 }, // all digits look alike: 0.9 is for photos
  ],
})
const verdicts = []
const classify = monitorModel(run, monitor, {
  client: (_pixels, client) => client,
  toQuery: ([data], logits) => ({ input: { data, width: 28, height: 28, channels: 1 }, modelOutput: logits }),
  onVerdict: (verdict) => verdicts.push(verdict),
})

async function run(pixels, _client) {
  const input = new ort.Tensor('float32', Float32Array.from(pixels), [1, 1, 28, 28])
  const outputs = await session.run({ [session.inputNames[0]]: input })
  return outputs[session.outputNames[0]].data
}

for (let i = 0; i < 40; i++) await classify(digit(i), 'honest')
const probe = digit(40)
for (let step = 0; step < 40; step++) {
  probe[(step * 131) % 784] = 255 - probe[(step * 131) % 784]
  await classify(probe, 'attacker')
}

for (const client of ['honest', 'attacker']) {
  const own = verdicts.filter((verdict) => verdict.client.id === client)
  const flagged = own.filter((verdict) => verdict.suspicious).length
  console.log(
    `${client}: ${flagged} of ${own.length} queries suspicious, evidence ${own.at(-1).client.evidence.toFixed(1)}`,
  )
}
await session.release()
