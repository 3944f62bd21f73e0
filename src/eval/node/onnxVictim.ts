/** Any ONNX classifier of pictures as the model under watch, on one thread of onnxruntime-node. */
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { MonitorError } from '../../core/index.ts'
import type { Picture, Shape, Victim } from '../types.ts'
import { hashOf } from './files.ts'

export interface OnnxVictimOptions {
  /** Default: the file's name without `.onnx`. */
  readonly name?: string
  /** What 0 … 1 is multiplied by first: 255 for models that eat bytes. Default 1. */
  readonly scale?: number
  /** Subtracted then, per channel, or one for all. Default 0. */
  readonly mean?: readonly number[]
  /** Divided by then, per channel, or one for all. Default 1. */
  readonly std?: readonly number[]
  /** The output to read. Default: `logits` if there is one, else the first. */
  readonly output?: string
  /** What it holds. Default: probabilities if two pictures give non-negative numbers that sum to 1. */
  readonly outputs?: 'logits' | 'probabilities'
}

/** Torchvision's, for models trained on ImageNet, and by habit for many others. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/** A victim that knows what its pictures look like. */
export interface PictureVictim extends Victim<'image'> {
  readonly shape: Shape
}

/** Numbers of a run, at most: 64 pictures of 32 × 32, a few of 224 × 224. */
const MOST_NUMBERS = 2 ** 20
const MOST_PICTURES = 64

/**
 * Opens the model, and lets it look at two pictures to see that it works.
 *
 * @throws `missing_package` without onnxruntime-node; `bad_config` for a file that is no model, one whose input is no picture, an
 * output that is not there, or options that do not fit.
 */
export async function openOnnxVictim(path: string, options: OnnxVictimOptions = {}): Promise<PictureVictim> {
  const { InferenceSession: Sessions, Tensor: Numbers } = await importRuntime()
  const file = readModel(path)
  const session = await create(Sessions, file, path)
  const input = layoutOf(session, path)
  const output = outputOf(session, options.output, path)
  const fill = fillerOf(input, options, path)
  const { batch, layout, shape } = input
  const { width, height, channels } = shape
  const size = width * height * channels
  const most = batch ?? Math.max(1, Math.min(MOST_PICTURES, Math.floor(MOST_NUMBERS / size)))
  const dims = layout === 'NCHW' ? [channels, height, width] : [height, width, channels]

  const samples = [0.25, 0.75].map((grey) => new Float64Array(size).fill(grey))
  const first = await answerRaw(samples)
  const outputs = options.outputs ?? (first.every(isDistribution) ? 'probabilities' : 'logits')
  return {
    name: options.name ?? basename(path).replace(/\.onnx$/, ''),
    hash: hashOf(file, JSON.stringify(options)),
    kind: 'image',
    classes: first[0]!.length,
    shape,
    async answer(pictures) {
      const answers = await answerRaw(pictures)
      return outputs === 'logits' ? answers : answers.map((p) => p.map((v) => Math.log(Math.max(v, 1e-30))))
    },
  }

  async function answerRaw(pictures: readonly Picture[]): Promise<Float32Array[]> {
    const answers: Float32Array[] = []
    for (let from = 0; from < pictures.length; from += most) {
      answers.push(...(await runBatch(pictures.slice(from, from + most))))
    }
    return answers
  }

  async function runBatch(pictures: readonly Picture[]): Promise<Float32Array[]> {
    // A model of a fixed batch gets grey pictures for those that are missing.
    const count = batch ?? pictures.length
    const data = new Float32Array(count * size)
    for (const [n, picture] of pictures.entries()) fill(picture, data.subarray(n * size, (n + 1) * size))
    const feeds = { [session.inputNames[0]!]: new Numbers('float32', data, [count, ...dims]) }
    const said = await run(session, feeds, output, path)
    const classes = said.length / count
    if (!Number.isInteger(classes) || classes < 2) {
      throw new MonitorError('bad_config', `the output '${output}' must have at least 2 numbers a picture`, path)
    }
    return pictures.map((_, n) => said.slice(n * classes, (n + 1) * classes))
  }
}

async function importRuntime(): Promise<typeof import('onnxruntime-node')> {
  try {
    return await import('onnxruntime-node')
  } catch (cause) {
    const message = `needs the package 'onnxruntime-node': npm i onnxruntime-node (${(cause as Error).message})`
    throw new MonitorError('missing_package', message, '', { cause })
  }
}

function readModel(path: string): Uint8Array {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return readFileSync(path)
  throw new MonitorError('bad_config', 'must be an ONNX file, but there is none', path)
}

async function create(Sessions: typeof InferenceSession, file: Uint8Array, path: string): Promise<InferenceSession> {
  try {
    return await Sessions.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1 })
  } catch (cause) {
    throw new MonitorError('bad_config', `cannot be opened as a model: ${(cause as Error).message}`, path, { cause })
  }
}

interface Layout {
  readonly shape: Shape
  readonly layout: 'NCHW' | 'NHWC'
  /** Undefined if it is free. */
  readonly batch: number | undefined
}

function layoutOf({ inputMetadata }: InferenceSession, path: string): Layout {
  const [input, ...more] = inputMetadata
  const isPicture = input?.isTensor === true && input.type === 'float32' && more.length === 0
  const dims = isPicture ? input.shape : []
  const [batch, ...sides] = dims
  for (const [layout, [c, h, w]] of [
    ['NCHW', [0, 1, 2]],
    ['NHWC', [2, 0, 1]],
  ] as const) {
    const [channels, height, width] = [sides[c], sides[h], sides[w]]
    const isFixed = typeof height === 'number' && typeof width === 'number' && height > 0 && width > 0
    if (sides.length !== 3 || (channels !== 1 && channels !== 3) || !isFixed) continue
    const shape: Shape = { width, height, channels }
    return { shape, layout, batch: typeof batch === 'number' && batch > 0 ? batch : undefined }
  }
  const came = inputMetadata.map(
    (one) => `${one.name}: ${one.isTensor ? `${one.type} [${one.shape.join(', ')}]` : '?'}`,
  )
  const message = `must take one picture, float32 [batch, channels, height, width] with 1 or 3 channels; it takes ${came.join('; ')}`
  throw new MonitorError('bad_config', message, path)
}

function outputOf({ outputNames }: InferenceSession, wanted: string | undefined, path: string): string {
  if (wanted === undefined) return outputNames.includes('logits') ? 'logits' : outputNames[0]!
  if (outputNames.includes(wanted)) return wanted
  throw new MonitorError('bad_config', `has no output '${wanted}'; it has ${outputNames.join(', ')}`, path)
}

/** Writes a picture as the model wants it. */
function fillerOf({ shape, layout }: Layout, options: OnnxVictimOptions, path: string) {
  const { scale = 1, mean = [0], std = [1] } = options
  const { channels } = shape
  const area = shape.width * shape.height
  const [means, deviations] = ([mean, std] as const).map((list) => {
    if (list.length === channels) return list
    if (list.length === 1) return Array.from({ length: channels }, () => list[0]!)
    throw new MonitorError('bad_config', `must be normalised by 1 or ${channels} numbers, got ${list.length}`, path)
  }) as [readonly number[], readonly number[]]
  return (picture: Picture, data: Float32Array): void => {
    for (let i = 0; i < area; i++) {
      for (let c = 0; c < channels; c++) {
        const value = (scale * picture[i * channels + c]! - means[c]!) / deviations[c]!
        data[layout === 'NCHW' ? c * area + i : i * channels + c] = value
      }
    }
  }
}

async function run(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  output: string,
  path: string,
): Promise<Float32Array> {
  let data: unknown
  try {
    data = (await session.run(feeds, [output]))[output]!.data
  } catch (cause) {
    throw new MonitorError('bad_config', `the model does not run: ${(cause as Error).message}`, path, { cause })
  }
  if (data instanceof Float32Array && data.every(Number.isFinite)) return data
  throw new MonitorError('bad_config', `the output '${output}' must be finite float32`, path)
}

function isDistribution(values: Float32Array): boolean {
  const sum = values.reduce((total, v) => total + v, 0)
  return values.every((v) => v >= 0) && Math.abs(sum - 1) < 1e-3
}
