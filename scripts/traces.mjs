/**
 * Records the traces of the demo page anew: real attacks and honest clients at a real network, seen by eight detectors.
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
import { gzipSync } from 'node:zlib'
import { runnerImport } from 'vite'

const root = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const { values } = parseArgs({ options: { data: { type: 'string', default: root('../shared/data') } } })

const { IMAGENET, readRun, runPlan } = await import(root('dist/eval-node.js'))
const { CLIENTS } = await import(root('dist/eval.js'))
const { createDetector } = await import(root('dist/core.js'))
const GEOMETRY = createDetector('update_geometry').describe().config.threshold

const DETECTORS = {
  answer_following: { name: 'answer_following' },
  descent_lineage: { name: 'descent_lineage' },
  content_fingerprint: { name: 'content_fingerprint' },
  // So that what comes after an alarm at one threshold can be judged at another.
  neighbour_distance: { name: 'neighbour_distance', resetOnAlarm: false },
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

process.stderr.write('\n')

/** The thresholds that a visitor can choose; the detector's own is one of them. */
const SCALES = [
  scale('answer_following', 'share of the evidence that alarms', { own: 1, parts: 50, most: 3 }),
  scale('descent_lineage', 'share of its rule that is reached', { own: 1, parts: 50, most: 3 }),
  scale('content_fingerprint', 'hashes shared with an earlier query, of 50', {
    own: 25,
    parts: 25,
    most: 50,
    isStrict: true,
  }),
  scale('neighbour_distance', 'nearness of the fifty nearest earlier queries', { own: 1 / 1.45, parts: 120, most: 1 }),
  scale('margin_trend', 'share of its rule that is reached', { own: 1, parts: 50, most: 3 }),
  scale('update_geometry', 'difference of the turns from honest ones, in bits', {
    own: GEOMETRY,
    parts: 80,
    most: 1,
    isStrict: true,
  }),
  scale('prada', '1 − W of the distances', { own: 1 - 0.9, parts: 20, most: 1, isStrict: true }),
  scale('image_similarity', 'cosine to the nearest earlier query', { own: 0.9, parts: 180, most: 1 }),
]

function scale(name, about, { own, parts, most, isStrict = false }) {
  const step = own / parts
  return { name, about, step, levels: Math.floor(most / step + 1e-9), own: parts, isStrict }
}

const { packTraces } = (await runnerImport(root('demo/traces/traces.ts'), { configFile: false })).module
const { record, sessions } = readRun(out)
const clients = Object.keys(plan.clients).map((name) => {
  const { role, profile, summary } = CLIENTS.find((client) => client.name === name)
  return { name, role, ...(profile !== undefined && { profile }), summary }
})
const file = packTraces({ record, sessions, scales: SCALES, clients, command: 'node scripts/traces.mjs' })
const text = `${JSON.stringify(file)}\n`
const target = root('demo/traces/recorded.json')
writeFileSync(target, text)
console.log(`${target}: ${text.length} bytes, ${gzipSync(text).length} compressed`)
