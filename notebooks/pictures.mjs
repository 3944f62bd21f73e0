/** Pictures for the notebooks: drawn by code, blurred, and shown as PNG. */
import { deflateSync } from 'node:zlib'

const SIZE = 96

/** A scene of a seed: a sky, hills, a sun, some houses. `{ data, width, height, channels }`, as detectors take it. */
export function drawn(seed) {
  const data = new Uint8Array(SIZE * SIZE * 3)
  const part = (n) => ((seed * 7919 + n * 104_729) % 97) / 97
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) data.set(colourAt(x, y, part), 3 * (SIZE * y + x))
  }
  return { data, width: SIZE, height: SIZE, channels: 3 }
}

function colourAt(x, y, part) {
  const horizon = 40 + 24 * part(1) - Math.abs(x - SIZE * part(2)) / 4
  const house = [3, 4, 5].find((n) => x > 80 * part(n) && x < 80 * part(n) + 14 && y > 60 + 10 * part(n + 3) && y < 88)
  if (house !== undefined) return (x + y) % 6 < 2 ? [70, 50, 40] : [200 * part(house + 7), 90, 160 * part(house + 9)]
  if (y > horizon) return [30 + 60 * part(12), 90 + 70 * part(13) + ((x * 7 + y * 13) % 17), 40]
  if ((x - SIZE * part(10)) ** 2 + (y - 20) ** 2 < 90) return [250, 220, 90]
  return [120 - y, 150 + y / 2, 235 - 40 * part(11)]
}

/** The mean over `2 · radius + 1` pixels in each direction. */
export function blurred({ data, width, height, channels }, radius) {
  const result = new Uint8Array(data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const [top, bottom] = [Math.max(0, y - radius), Math.min(height - 1, y + radius)]
        const [left, right] = [Math.max(0, x - radius), Math.min(width - 1, x + radius)]
        let sum = 0
        for (let v = top; v <= bottom; v++) {
          for (let u = left; u <= right; u++) sum += data[channels * (width * v + u) + c]
        }
        result[channels * (width * y + x) + c] = Math.round(sum / ((bottom - top + 1) * (right - left + 1)))
      }
    }
  }
  return { data: result, width, height, channels }
}

/** For the kernel to show: an object that says how it looks. */
export function png({ data, width, height }) {
  const rows = Buffer.alloc(height * (3 * width + 1)) // each row begins with its filter, 0
  for (let y = 0; y < height; y++) rows.set(data.subarray(3 * width * y, 3 * width * (y + 1)), y * (3 * width + 1) + 1)
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]) // 8 bits, RGB
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]
  const bytes = Buffer.concat([signature, ...parts])
  return { [Symbol.for('Jupyter.display')]: () => ({ 'image/png': bytes.toString('base64') }) }
}

function chunk(type, data) {
  const named = Buffer.concat([Buffer.from(type), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc(named))
  return Buffer.concat([length, named, check])
}

function crc(bytes) {
  let value = 0xffffffff
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return (value ^ 0xffffffff) >>> 0
}
