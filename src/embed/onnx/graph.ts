/**
 * The little that must be known of a model file, read and changed without a library. The file is a protobuf message
 * `ModelProto` (github.com/onnx/onnx, onnx.proto): field 7 is the graph; in a graph, field 1 is a node, 12 an output; in
 * a node, field 2 is an output's name, 4 the operator; in an output, field 1 is its name.
 */
import { hint, MonitorError } from '../../core/index.ts'

/** What {@link readGraph} tells of a model. */
export interface Graph {
  /** In the model's order; the first is the default. */
  readonly outputs: readonly string[]
  /** Every tensor that a node makes, outputs included. */
  readonly tensors: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
}

const GRAPH = 7
const NODE = 1
const OUTPUT = 12
const NODE_OUTPUT = 2
const OPERATOR = 4
const NAME = 1

const LENGTH_DELIMITED = 2

/** Reads names and operators; costs one look at each node, none at the weights. Throws `model_unavailable`. */
export function readGraph(model: Uint8Array): Graph {
  const outputs: string[] = []
  const tensors = new Set<string>()
  const operators = new Set<string>()
  for (const graph of fields(model, GRAPH)) {
    for (const node of fields(graph, NODE)) {
      for (const name of fields(node, NODE_OUTPUT)) tensors.add(text(name))
      for (const operator of fields(node, OPERATOR)) operators.add(text(operator))
    }
    for (const output of fields(graph, OUTPUT)) for (const name of fields(output, NAME)) outputs.push(text(name))
  }
  if (outputs.length === 0) {
    throw new MonitorError('model_unavailable', `is no ONNX model: ${startOf(model)}`, 'model')
  }
  tensors.delete('') // an output that a node leaves out
  return { outputs, tensors, operators }
}

/** True for onnxruntime's own format, which cannot be read here: its identifier stands at byte 4. */
export function isOrtFormat(model: Uint8Array): boolean {
  return text(model.subarray(4, 8)) === 'ORTM'
}

/**
 * The model with an inner tensor among its outputs; the same bytes if it is one already. A message may stand in several
 * parts, which are merged, so that a second graph with nothing but the output is put behind the first. Its type is left
 * to the runtime, which infers it. Throws `bad_config` for a name that the model does not have.
 */
export function withOutput(model: Uint8Array, graph: Graph, name: string): Uint8Array {
  if (graph.outputs.includes(name)) return model
  if (!graph.tensors.has(name)) throw unknownOutput(name, graph.outputs, graph.tensors)
  const addition = field(GRAPH, field(OUTPUT, field(NAME, new TextEncoder().encode(name))))
  const whole = new Uint8Array(model.length + addition.length)
  whole.set(model)
  whole.set(addition, model.length)
  return whole
}

/** The refusal of an output's name: the outputs that the model has, and the nearest inner tensor. */
export function unknownOutput(
  name: unknown,
  outputs: readonly string[],
  tensors: ReadonlySet<string> = new Set(),
): MonitorError {
  const known = `its outputs are ${outputs.map((output) => `'${output}'`).join(', ')}`
  const near = tensors.size === 0 ? '' : hint(name, [...tensors])
  const inner = near.startsWith('did')
    ? `; ${near}`
    : tensors.size === 0
      ? ''
      : `, and it has ${tensors.size} inner ones`
  return new MonitorError('bad_config', `the model has no tensor ${JSON.stringify(name)}; ${known}${inner}`, 'output')
}

/** The contents of every field of this number that holds bytes, text or a message. Throws `model_unavailable`. */
function* fields(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  let at = 0
  while (at < message.length) {
    const key = varint(message, at)
    at = key.end
    const length = lengthOf(message, at, key.value % 8)
    at = length.start
    const end = at + length.bytes
    if (end > message.length) throw damaged()
    if (key.value % 8 === LENGTH_DELIMITED && Math.floor(key.value / 8) === wanted) yield message.subarray(at, end)
    at = end
  }
}

/** Where a field's contents begin, and how long they are. */
function lengthOf(message: Uint8Array, at: number, wire: number): { start: number; bytes: number } {
  if (wire === 0) return { start: at, bytes: varint(message, at).end - at }
  if (wire === 1) return { start: at, bytes: 8 }
  if (wire === 5) return { start: at, bytes: 4 }
  if (wire !== LENGTH_DELIMITED) throw damaged()
  const { value, end } = varint(message, at)
  return { start: end, bytes: value }
}

/** Seven bits a byte, the lowest first. Large ones lose their lowest bits: lengths and keys are never that large. */
function varint(message: Uint8Array, start: number): { value: number; end: number } {
  let value = 0
  let scale = 1
  for (let at = start; at < message.length && at < start + 10; at++, scale *= 128) {
    const byte = message[at]!
    value += (byte % 128) * scale
    if (byte < 128) return { value, end: at + 1 }
  }
  throw damaged()
}

function field(number: number, contents: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytesOf(number * 8 + LENGTH_DELIMITED), ...bytesOf(contents.length), ...contents])
}

function bytesOf(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...bytesOf(Math.floor(value / 128))]
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function damaged(): MonitorError {
  return new MonitorError('model_unavailable', 'is no ONNX model, or a damaged one', 'model')
}

function startOf(model: Uint8Array): string {
  if (model.length === 0) return 'the file is empty'
  const start = text(model.subarray(0, 15)).replace(/[^ -~]/g, '?')
  return start.trim().startsWith('<') ? 'a web page came in its place' : `it begins with "${start}"`
}
