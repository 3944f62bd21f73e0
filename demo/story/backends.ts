/** Three ways to run the same model file. The runtimes are loaded on request only: they weigh megabytes. */
import { createRandom, largest, type Picture } from '../../src/eval/index.ts'
import { createDigitNet } from './digitNet.ts'
import { drawnDigits } from './drawnDigits.ts'
import type { BackendName, BackendReport } from './protocol.ts'

export type Answerer = (picture: Picture) => Promise<Float32Array>

/** Digits on which a runtime is compared with the plain network; and a few for the plain one's own time, which must not make anybody wait. */
const COMPARED = { runtime: 100, plain: 10 } as const

export interface Backend {
  readonly answer: Answerer
  readonly report: BackendReport
}

export interface BackendOptions {
  /** `models/digits.onnx`. */
  readonly file: Uint8Array
  readonly now: () => number
  readonly onProgress: (share: number, phase: string) => void
}

/** Opens a backend and compares it. Throws what the runtime throws, such as `backend_unavailable` where there is no GPU. */
export async function openBackend(backend: BackendName, options: BackendOptions): Promise<Backend> {
  const plain = createDigitNet(options.file)
  if (backend === 'plain') {
    const answer: Answerer = async (picture) => plain(picture)
    return { answer, report: await compare(backend, { answer, plain, now: options.now, threads: 1, adapter: '' }) }
  }
  const { fromOnnx } = await import('../../src/embed/index.ts')
  const model = fromOnnx<Picture>({
    model: options.file,
    backend,
    input: (picture) => ({ digit: { data: Float32Array.from(picture), dims: [1, 1, 28, 28] } }),
    output: 'logits',
  })
  const { threads, adapter = '' } = await model.warmup({
    onProgress: ({ overall, phase }) => options.onProgress(overall, phase),
  })
  const answer: Answerer = (picture) => model(picture)
  return { answer, report: await compare(backend, { answer, plain, now: options.now, threads, adapter }) }
}

async function compare(
  backend: BackendName,
  {
    answer,
    plain,
    now,
    threads,
    adapter,
  }: {
    readonly answer: Answerer
    readonly plain: (picture: Picture) => Float32Array
    readonly now: () => number
    readonly threads: number
    readonly adapter: string
  },
): Promise<BackendReport> {
  const compared = COMPARED[backend === 'plain' ? 'plain' : 'runtime']
  const digits = drawnDigits(compared, createRandom(11))
  let [equal, difference, spent] = [0, 0, 0]
  for (const { input } of digits) {
    const from = now()
    const got = await answer(input)
    spent += now() - from
    const wanted = plain(input)
    if (largest(got) === largest(wanted)) equal++
    for (const [k, value] of wanted.entries()) difference = Math.max(difference, Math.abs(value - got[k]!))
  }
  return { backend, threads, adapter, compared, equal, difference, msPerQuery: spent / compared }
}
