/** What is attacked in `monitaur eval`: models and data. */
import { resolve } from 'node:path'
import { MonitorError, refuse } from '../core/index.ts'
import type { Kind } from '../eval/index.ts'
import { type DataChoice, IMAGENET, type OnnxVictimOptions, type Parts, type VictimChoice } from '../eval/node/index.ts'
import type { ParsedOptions } from './args.ts'
import { listOf } from './evalWho.ts'
import { choiceOf, numberOf, textOf } from './replayOptions.ts'

const ON_MODELS = ['normalize', 'scale', 'output', 'outputs']
const ON_DATA = ['column', 'label-column', 'classes']

export function victimsOf(parsed: ParsedOptions, parts: Parts): VictimChoice[] {
  const models = parsed.values.get('model') ?? []
  if (models.length === 0) {
    refuseUnused(parsed, ON_MODELS, '--model')
    return ['toy']
  }
  const options = onnxOptionsOf(parsed)
  return models.map((name) => (parts.victims.has(name) ? { victim: name } : { file: resolve(name), ...options }))
}

function refuseUnused({ values }: ParsedOptions, names: readonly string[], option: string): void {
  const unused = names.find((name) => values.has(name))
  if (unused !== undefined) throw new MonitorError('bad_config', `goes with ${option}`, `--${unused}`)
}

function onnxOptionsOf(parsed: ParsedOptions): OnnxVictimOptions {
  const output = textOf(parsed, 'output')
  const outputs = choiceOf(parsed, 'outputs', ['logits', 'probabilities'])
  const scale = numberOf(parsed, 'scale')
  return {
    ...normalizationOf(textOf(parsed, 'normalize') ?? 'none'),
    ...(scale !== undefined && { scale }),
    ...(output !== undefined && { output }),
    ...(outputs !== undefined && { outputs }),
  }
}

function normalizationOf(text: string): Pick<OnnxVictimOptions, 'mean' | 'std'> {
  if (text === 'none') return {}
  if (text === 'imagenet') return IMAGENET
  const parts = text.includes('/') ? text.split('/') : text.split(',')
  const [mean, std] = parts.map((part) => part.split(',').map(Number)) as [number[], number[]?]
  const isSound = parts.length === 2 && mean.length === std!.length && [...mean, ...std!].every(Number.isFinite)
  if (isSound && std!.every((v) => v > 0)) return { mean, std: std! }
  return refuse('bad_config', "must be none, imagenet, 'MEAN,STD' or 'M,M,M/S,S,S'", text, '--normalize')
}

export function dataOf(parsed: ParsedOptions, { data }: Parts): DataChoice {
  const path = textOf(parsed, 'data')
  const hasModel = parsed.values.has('model')
  if (path === undefined) {
    refuseUnused(parsed, ON_DATA, '--data')
    if (hasModel) throw new MonitorError('bad_config', 'is missing: inputs with their classes for the model', '--data')
    return 'toy'
  }
  if (!hasModel) throw new MonitorError('bad_config', 'is missing: the model that classifies the data', '--model')
  if (data.has(path)) return { data: path }
  const column = textOf(parsed, 'column')
  const labelColumn = textOf(parsed, 'label-column')
  const classes = textOf(parsed, 'classes')
  return {
    path: resolve(path),
    ...(column !== undefined && { column }),
    ...(labelColumn !== undefined && { labelColumn }),
    ...(classes !== undefined && { classes: listOf(classes) }),
  }
}

export async function kindOf(data: DataChoice, parts: Parts): Promise<Kind> {
  if (data === 'toy') return 'image'
  if ('data' in data) return (await parts.data.get(data.data)!()).kind
  if (!/\.csv$/i.test(data.path)) return 'image'
  return data.column === undefined ? 'tabular' : 'text'
}
