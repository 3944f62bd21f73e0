/** The weights out of an ONNX file: just enough of protobuf for `models/digits.onnx`. */

const TEXT = new TextDecoder()
/** Field numbers of ModelProto, GraphProto and TensorProto; data type 10 is a float of 16 bits. */
const GRAPH = 7
const INITIALIZER = 5
const [DATA_TYPE, NAME, RAW_DATA] = [2, 8, 9]
const FLOAT16 = 10

/** Every initializer by its name, widened to 32 bits. Throws for a file that is cut short or of other types. */
export function onnxWeights(file: Uint8Array): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>()
  for (const graph of fieldsOf(file).filter(({ field }) => field === GRAPH)) {
    for (const { field, bytes } of fieldsOf(graph.bytes)) {
      if (field !== INITIALIZER) continue
      const parts = fieldsOf(bytes)
      const type = parts.find((part) => part.field === DATA_TYPE)?.value
      const name = TEXT.decode(parts.find((part) => part.field === NAME)?.bytes)
      if (type !== FLOAT16) throw new Error(`${name} must be of 16-bit floats (type 10), came type ${type}`)
      weights.set(name, fromHalves(parts.find((part) => part.field === RAW_DATA)?.bytes ?? new Uint8Array()))
    }
  }
  return weights
}

interface Field {
  readonly field: number
  readonly value: number
  readonly bytes: Uint8Array
}

function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < message.length) {
    const key = varint()
    const kind = key & 7
    if (kind !== 0 && kind !== 2) throw new Error(`no field of kind ${kind} is known here: not the file of our model`)
    const value = varint()
    if (kind === 2 && at + value > message.length) throw new Error('the model file is cut short')
    fields.push({ field: key >>> 3, value, bytes: kind === 2 ? message.subarray(at, at + value) : EMPTY })
    if (kind === 2) at += value
  }
  return fields

  function varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]
      if (byte === undefined || shift > 28) throw new Error('the model file is cut short')
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
  }
}

const EMPTY = new Uint8Array()

/** IEEE 754 halves, little-endian. */
function fromHalves(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const half = view.getUint16(2 * i, true)
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023]
    const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
    return half & 0x8000 ? -size : size
  })
}
