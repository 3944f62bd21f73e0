/**
 * An ONNX classifier of pictures on onnxruntime-web in a page, watched: draw a digit and ask, change a pixel and ask again.
 *
 *     npx vite examples/onnxruntime-web
 *
 * The model is the small one in `models/`; one of yours: `MODELS=folder VITE_MODEL=name.onnx npx vite examples/onnxruntime-web`,
 * with an input of 1 × 1 × 28 × 28.
 */
import { createMonitor, monitorModel } from 'monitaur'
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'
import * as ort from 'onnxruntime-web/wasm'

const SIDE = 28
ort.env.wasm.wasmPaths = { wasm } // from this page, not from a CDN
const loading = ort.InferenceSession.create(`/${import.meta.env.VITE_MODEL ?? 'digits.onnx'}`)

const monitor = createMonitor({
  detectors: [
    { name: 'image_similarity', threshold: 0.98 }, // all digits look alike: 0.9 is for photos
    { name: 'confidence', mode: 'margin', outputs: 'logits', threshold: 0.9 },
  ],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
const ask = monitorModel(run, monitor, {
  client: 'this tab',
  toQuery: ([data], logits) => ({ input: { data, width: SIDE, height: SIDE, channels: 1 }, modelOutput: logits }),
  onVerdict: ({ action, suspicious, detections }) => {
    const why = detections.filter((detection) => detection.suspicious).map(({ reason }) => reason)
    if (suspicious) tell('verdict', `${action}: ${why.join(' ')}`)
  },
})

async function run(pixels) {
  const session = await loading
  const input = new ort.Tensor(
    'float32',
    Float32Array.from(pixels, (v) => v / 255),
    [1, 1, SIDE, SIDE],
  )
  const outputs = await session.run({ [session.inputNames[0]]: input })
  return outputs[session.outputNames[0]].data
}

const canvas = document.querySelector('canvas')
const context = canvas.getContext('2d', { willReadFrequently: true })
const status = document.querySelector('[role=status]')
const askButton = document.querySelector('[data-do=ask]')

canvas.addEventListener('pointermove', ({ buttons, offsetX, offsetY }) => {
  if (buttons === 0) return
  const toPixel = SIDE / canvas.clientWidth
  context.fillStyle = 'white'
  context.fillRect(offsetX * toPixel - 1, offsetY * toPixel - 1, 2.5, 2.5)
})
document.querySelector('[data-do=clear]').addEventListener('click', clear)
askButton.addEventListener('click', async () => {
  const { data } = context.getImageData(0, 0, SIDE, SIDE)
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i])
  try {
    const logits = Array.from(await ask(pixels))
    tell('answer', `a ${logits.indexOf(Math.max(...logits))}`)
  } catch ({ code, message }) {
    tell(code === 'suspended' ? 'refused' : 'failed', message)
  }
})

function clear() {
  context.fillStyle = 'black'
  context.fillRect(0, 0, SIDE, SIDE)
}

function tell(kind, text) {
  const item = document.createElement('li')
  item.dataset.kind = kind
  item.textContent = text
  document.querySelector('ol').append(item)
}

clear()
loading.then(
  () => {
    status.textContent = 'ready'
    askButton.disabled = false
  },
  ({ message }) => {
    status.textContent = `no model: ${message}`
  },
)
