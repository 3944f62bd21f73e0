/**
 * Records the traces of the demo page anew: real attacks and honest clients at a real network, seen by seven detectors.
 *
 *     npm run build && node scripts/traces.mjs --data ../shared/data
 *
 * Reads `models/image/cifar10/cifar10_resnet20.onnx` and `images/cifar10/cifar10_test_0-100_per_class.bin` (the first hundred
 * test pictures of each class of CIFAR-10) in that folder. Writes `demo/traces/recorded.json`: scores by query and detector,
 * no pictures. Sessions are kept in `reports/traces`, so a run that was stopped goes on; the same code gives the same file.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runnerImport } from 'vite'

const root = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const { values } = parseArgs({ options: { data: { type: 'string', default: root('../shared/data') } } })

const { IMAGENET, readRun, runPlan } = await import(root('dist/eval-node.js'))

const DETECTORS = {
  descent_lineage: { name: 'descent_lineage' },
  content_fingerprint: { name: 'content_fingerprint' },
  neighbour_distance: { name: 'neighbour_distance' },
  margin_trend: { name: 'margin_trend' },
  update_geometry: { name: 'update_geometry' },
  prada: { name: 'prada' },
  image_similarity: { name: 'image_similarity' },
}
const ATTACKS = ['nes_a', 'nes_b', 'simba', 'square', 'rays', 'hopskipjump']
const EXPLAINERS = ['shuffled', 'lime', 'kernel_shap', 'occlusion']
const OTHERS = ['denoise', 'confidence_raising', 'noise_copies', 'video', 'retries', 'editing']

const plan = {
  victims: [{ file: join(values.data, 'models/image/cifar10/cifar10_resnet20.onnx'), ...IMAGENET }],
  data: { path: join(values.data, 'images/cifar10/cifar10_test_0-100_per_class.bin') },
  clients: Object.fromEntries([...ATTACKS, ...EXPLAINERS, ...OTHERS].map((name) => [name, { name }])),
  detectors: DETECTORS,
  seeds: [1],
  budget: 512,
  sources: 10,
  fragile: 'drop',
}

const out = root('reports/traces')
const { failed } = await runPlan({
  plan,
  out,
  cache: join(out, 'cache'),
  version: 'traces',
  onProgress: ({ done, total }) => process.stderr.write(`\r${done} of ${total} sessions `),
})
if (failed > 0) throw new Error(`${failed} sessions failed; see ${out}`)
