/**
 * A transformers.js classifier in a Web Worker of a page, watched by a monitor in the same worker: texts go no further.
 *
 *     npx vite examples/browser
 *
 * Open the address it prints and ask: edit one text again and again, and you are told so, then refused. The model comes from
 * the hub, once; or from a folder of yours that holds models as the hub lays them out:
 * `MODELS=folder VITE_MODEL=name npx vite examples/browser`.
 */
import { env, pipeline } from '@huggingface/transformers'
import { createMonitor, monitorModel } from 'monitaur'
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url'
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url'

env.backends.onnx.wasm.wasmPaths = { mjs, wasm } // from this page, not from a CDN
const { VITE_MODEL: own } = import.meta.env
if (own !== undefined) Object.assign(env, { localModelPath: '/', allowLocalModels: true, allowRemoteModels: false })
const model = own ?? 'Xenova/distilbert-base-uncased-finetuned-sst-2-english'
const loading = pipeline('text-classification', model, { dtype: 'q8', device: 'wasm' })

const monitor = createMonitor({
  detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
const ask = monitorModel(async (text) => (await loading)(text, { top_k: null }), monitor, {
  client: 'this tab',
  onVerdict: ({ action, suspicious, detections }) => {
    const why = detections.filter((detection) => detection.suspicious).map(({ reason }) => reason)
    if (suspicious) postMessage({ kind: 'verdict', text: `${action}: ${why.join(' ')}` })
  },
})

addEventListener('message', async ({ data: text }) => {
  try {
    const [{ label, score }] = await ask(text)
    postMessage({ kind: 'answer', text: `${label} ${score.toFixed(2)}` })
  } catch ({ code, message }) {
    postMessage({ kind: code === 'suspended' ? 'refused' : 'failed', text: message })
  }
})

loading.then(
  () => postMessage({ kind: 'status', text: 'ready' }),
  ({ message }) => postMessage({ kind: 'status', text: `no model: ${message}` }),
)
