/**
 * Small models in fp32, made here, all numbers random. They know nothing of language or pictures; they are there because
 * their matrix products run on a GPU, and in fp32.
 *
 * A file is a protobuf message `ModelProto`, written field by field (github.com/onnx/onnx, onnx.proto).
 */
import { random } from './random.ts'

const ROWS = 512
const WIDTH = 32
const INNER = 64

const FLOAT = 1
const INT64 = 7

/** The side of the picture that {@link tinyPictureModel} takes. */
export const SIDE = 16

/** The length of the vectors of both. */
export const TINY_WIDTH = WIDTH

/**
 * A sentence embedder, always the same: `last_hidden_state = tanh(table[id mod 512] · A) · B`. A strict one wants exactly
 * four tokens, which are two words between two special ones: its run fails for any other text, on every backend.
 */
export function tinyTextModel({ isStrict = false }: { readonly isStrict?: boolean } = {}): Uint8Array {
  const next = random(7)
  return model([
    node('Mod', ['input_ids', 'rows'], 'ids'),
    node('Gather', ['table', 'ids'], 'x'),
    ...(isStrict ? [node('Reshape', ['x', 'four'], 'strict')] : []),
    node('MatMul', [isStrict ? 'strict' : 'x', 'A'], 'xA'),
    node('Tanh', ['xA'], 'h'),
    node('MatMul', ['h', 'B'], 'last_hidden_state'),
    message(5, integers('rows', [], [ROWS])),
    ...(isStrict ? [message(5, integers('four', [3], [1, 4, WIDTH]))] : []),
    message(5, floats('table', [ROWS, WIDTH], next)),
    message(5, floats('A', [WIDTH, INNER], next)),
    message(5, floats('B', [INNER, WIDTH], next)),
    message(11, value('input_ids', INT64, ['batch', 'tokens'])),
    message(12, value('last_hidden_state', FLOAT, ['batch', 'tokens', WIDTH])),
  ])
}

/**
 * What a hub has of {@link tinyTextModel}, by path, under the names that are asked for in 8 bits. It knows the letters
 * alone: each letter is a piece, with or without others before it.
 */
export function tinyTextFiles(): Readonly<Record<string, Uint8Array>> {
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789']
  const marks = [...'.,;:?!-']
  const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...marks, ...letters, ...letters.map((letter) => `##${letter}`)]
  const special = (content: string) => ({ id: pieces.indexOf(content), content, special: true, normalized: false })
  const framed = (id: string) => ({ id, ids: [pieces.indexOf(id)], tokens: [id] })
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: pieces.slice(0, 4).map(special),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: { '[CLS]': framed('[CLS]'), '[SEP]': framed('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    },
  }
  const named = { cls_token: '[CLS]', pad_token: '[PAD]', sep_token: '[SEP]', unk_token: '[UNK]' }
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  return {
    'config.json': json({ architectures: ['BertModel'], model_type: 'bert', vocab_size: ROWS, hidden_size: WIDTH }),
    'tokenizer.json': json(tokenizer),
    'tokenizer_config.json': json({
      ...named,
      tokenizer_class: 'BertTokenizer',
      model_max_length: 512,
      do_lower_case: true,
    }),
    'onnx/model_quantized.onnx': tinyTextModel(),
  }
}

/** A picture embedder, always the same: `last_hidden_state = pixels · A`. */
export function tinyPictureModel(): Uint8Array {
  return model([
    node('Flatten', ['pixel_values'], 'flat'),
    node('MatMul', ['flat', 'A'], 'last_hidden_state'),
    message(5, floats('A', [3 * SIDE * SIDE, WIDTH], random(8))),
    message(11, value('pixel_values', FLOAT, ['batch', 3, SIDE, SIDE])),
    message(12, value('last_hidden_state', FLOAT, ['batch', WIDTH])),
  ])
}

function model(graph: readonly Uint8Array[]): Uint8Array {
  const opset = message(8, [text(1, ''), number(2, 17)])
  return join([number(1, 8), opset, message(7, [...graph, text(2, 'tiny')])])
}

function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(1, [...inputs.map((name) => text(1, name)), text(2, output), text(4, operator)])
}

function floats(name: string, dims: readonly number[], next: () => number): Uint8Array[] {
  const size = dims.reduce((product, dim) => product * dim, 1)
  const values = Float32Array.from({ length: size }, () => (next() - 0.5) / 2)
  return tensor(name, FLOAT, dims, new Uint8Array(values.buffer))
}

function integers(name: string, dims: readonly number[], values: readonly number[]): Uint8Array[] {
  return tensor(name, INT64, dims, new Uint8Array(BigInt64Array.from(values, BigInt).buffer))
}

function tensor(name: string, type: number, dims: readonly number[], raw: Uint8Array): Uint8Array[] {
  return [...dims.map((dim) => number(1, dim)), number(2, type), text(8, name), bytes(9, raw)]
}

function value(name: string, type: number, dims: readonly (number | string)[]): Uint8Array[] {
  const shape = dims.map((dim) => message(1, [typeof dim === 'number' ? number(1, dim) : text(2, dim)]))
  return [text(1, name), message(2, [message(1, [number(1, type), message(2, shape)])])]
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return bytes(field, join(parts))
}

function text(field: number, words: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(words))
}

function bytes(field: number, content: Uint8Array): Uint8Array {
  return join([varint(field * 8 + 2), varint(content.length), content])
}

function number(field: number, content: number): Uint8Array {
  return join([varint(field * 8), varint(content)])
}

function varint(content: number): Uint8Array {
  const digits: number[] = []
  let rest = content
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push(128 + (rest % 128))
  return Uint8Array.of(...digits, rest)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
