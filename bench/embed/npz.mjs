/** Reads NumPy's `.npz` archives of float64 arrays: a ZIP file of `.npy` files. */
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

/** Array name to `{ shape, data: Float64Array, isColumnMajor }`. */
export function readNpz(file) {
  const bytes = readFileSync(file)
  const end = bytes.lastIndexOf('PK\x05\x06')
  if (end < 0) throw new Error(`${file}: not a ZIP file`)
  const arrays = {}
  let at = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = bytes.readUInt16LE(at + 28)
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength)
    arrays[name.replace(/\.npy$/, '')] = readNpy(entry(bytes, at))
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return arrays
}

/** The content of the file whose central directory entry begins at `at`. */
function entry(bytes, at) {
  const method = bytes.readUInt16LE(at + 10)
  const size = bytes.readUInt32LE(at + 20)
  const local = bytes.readUInt32LE(at + 42)
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  const content = bytes.subarray(start, start + size)
  return method === 0 ? content : inflateRawSync(content)
}

function readNpy(content) {
  const start = 10 + content.readUInt16LE(8)
  const header = content.toString('latin1', 10, start)
  if (!header.includes("'<f8'")) throw new Error(`an array of doubles was expected, not ${header.trim()}`)
  const shape = header
    .match(/'shape': \(([^)]*)\)/)[1]
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  const data = new Float64Array(Uint8Array.from(content.subarray(start)).buffer)
  return { shape, data, isColumnMajor: header.includes("'fortran_order': True") }
}
