/** Where a sentence model is, and the files of it. Knows nothing of the document. */
import type { EmbedderDescription } from '../../src/embed/index.ts'

/** The model that most people take: 384 numbers a sentence, weights of 8 bits. */
export const MODEL = 'Xenova/all-MiniLM-L6-v2'
export const HUB = 'https://huggingface.co/'

/** What transformers.js asks for: the network in 8 bits, and how to cut a text into pieces. */
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_quantized.onnx']

/** What a visitor has chosen. */
export interface Choice {
  /** Such as `Xenova/all-MiniLM-L6-v2`. */
  readonly model: string
  /** A hub by its address, or a folder of the page's own site, such as `models/`. */
  readonly from: string
}

export interface Place {
  readonly reader: EmbedderDescription
  /** Who will be asked: a host, such as `huggingface.co`. */
  readonly host: string
  /** The addresses of all files. */
  readonly files: readonly string[]
}

/** The choice made out for a page at `base`. Throws what is wrong with it, in words. */
export function placeOf({ model, from }: Choice, base: string): Place {
  if (!/^\w[\w.-]*(?:\/\w[\w.-]*)*$/.test(model)) {
    throw new Error(`the model must be a name such as ${MODEL}, came “${model}”`)
  }
  if (!URL.canParse(from, base) || !/^https?:/.test(new URL(from, base).protocol)) {
    throw new Error(`“From” must be an address such as ${HUB}, or a folder such as models/, came “${from}”`)
  }
  const place = new URL(from.endsWith('/') ? from : `${from}/`, base)
  const isHere = place.origin === new URL(base).origin
  const folder = isHere ? `${place.href}${model}/` : `${place.href}${model}/resolve/main/`
  const where = isHere ? { localPath: place.href } : { host: place.href }
  return {
    reader: { from: 'transformers', model, dtype: 'q8', backend: 'wasm', ...where },
    host: place.host,
    files: FILES.map((file) => folder + file),
  }
}

/** `24.1 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
