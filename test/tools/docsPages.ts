/** Which test runs the blocks of which page of docs. */

/** Programs that stand by themselves, and configurations of the server: `test/readme.test.ts`. */
export const RUN = [
  'library',
  'detectors',
  'embeddings',
  'server',
  'journal',
  'replicas',
  'middleware',
  'evaluation',
  'choose',
  'migrate',
  'extend',
]

/** Done from top to bottom as their readers do: `test/docsStarts.test.ts`. */
export const WALKED = [
  'start-browser',
  'start-onnx',
  'start-node',
  'start-deno',
  'start-cloudflare',
  'start-operator',
  'start-research',
  'calibration',
]

/** Has a test of its own: `test/runtime/backends/workerd.test.ts`. */
export const ELSEWHERE = ['edge']
