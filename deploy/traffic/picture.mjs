/** Little pictures as PNG files, drawn from chance. */
import { deflateSync } from 'node:zlib'

const SIDE = 48
const CHANNELS = 3
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** The pixels of a scene: a sky that shades off, and a few blocks before it. RGB, row by row. */
export function drawScene({ between, below }) {
  const pixels = new Uint8Array(SIDE * SIDE * CHANNELS)
  const colour = () => [between(0, 255), between(0, 255), between(0, 255)]
  const [top, bottom] = [colour(), colour()]
  paint(pixels, { x: 0, y: 0, width: SIDE, height: SIDE }, (channel, _x, y) => {
    return top[channel] + ((bottom[channel] - top[channel]) * y) / SIDE
  })
  const blocks = 4 + below(5)
  for (let i = 0; i < blocks; i++) {
    const [width, height] = [4 + below(24), 4 + below(24)]
    const shade = colour()
    const slope = between(-4, 4)
    const place = { x: below(SIDE - width), y: below(SIDE - height), width, height }
    paint(pixels, place, (channel, x) => shade[channel] + slope * x)
  }
  return pixels
}

/** The same scene with a little noise on every pixel, as a search in small steps sends it. */
export function altered(pixels, { between }) {
  return pixels.map((value) => Math.min(255, Math.max(0, value + between(-4, 4))))
}

function paint(pixels, { x, y, width, height }, value) {
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        const shade = value(channel, column - x, row - y)
        pixels[(row * SIDE + column) * CHANNELS + channel] = Math.min(255, Math.max(0, shade))
      }
    }
  }
}

/** The file of a scene, in base64. */
export function toPng(pixels) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header.set([8, 2, 0, 0, 0], 8) // 8 bits, RGB, and no other choice
  const lines = Buffer.alloc(SIDE * (1 + SIDE * CHANNELS)) // each line begins with its filter: 0, none
  for (let row = 0; row < SIDE; row++) {
    const line = pixels.subarray(row * SIDE * CHANNELS, (row + 1) * SIDE * CHANNELS)
    lines.set(line, row * (1 + SIDE * CHANNELS) + 1)
  }
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([Buffer.from(SIGNATURE), ...chunks]).toString('base64')
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeInt32BE(crc32(body), body.length + 4)
  return framed
}

/** Of our own: that of node:zlib is younger than Node 20. */
function crc32(bytes) {
  let crc = -1
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8)
  return ~crc
}
