/** Just enough of ZMTP 3.0 (rfc.zeromq.org/spec/23) to speak with a Jupyter kernel on loopback: one peer, no security. */
import { once } from 'node:events'
import { connect } from 'node:net'

const MORE = 1
const LONG = 2
const COMMAND = 4
const GREETING_BYTES = 64

/** Connects a socket of type `DEALER` or `SUB`. `onMessage` gets each message as a list of frames. */
export async function zmtpSocket({ port, type, onMessage }) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(greeting())
  socket.write(frame(ready(type), COMMAND))
  let waiting = Buffer.alloc(0)
  let isGreeted = false
  let frames = []
  const isReady = new Promise((done) => {
    socket.on('data', (data) => {
      waiting = Buffer.concat([waiting, data])
      if (!isGreeted && waiting.length >= GREETING_BYTES) {
        waiting = waiting.subarray(GREETING_BYTES)
        isGreeted = true
      }
      for (let next = isGreeted && readFrame(waiting); next; next = readFrame(waiting)) {
        waiting = waiting.subarray(next.end)
        if (next.flags & COMMAND) {
          done()
          continue
        }
        frames.push(next.body)
        if (next.flags & MORE) continue
        onMessage(frames)
        frames = []
      }
    })
  })
  await isReady
  if (type === 'SUB') socket.write(frame(Buffer.of(1), 0)) // to everything
  return {
    send(parts) {
      socket.write(Buffer.concat(parts.map((part, i) => frame(Buffer.from(part), i < parts.length - 1 ? MORE : 0))))
    },
    close: () => socket.destroy(),
  }
}

/** Signature, version 3.0, mechanism NULL, not a server. */
function greeting() {
  const bytes = Buffer.alloc(GREETING_BYTES)
  bytes[0] = 0xff
  bytes[9] = 0x7f
  bytes[10] = 3
  bytes.write('NULL', 12)
  return bytes
}

function ready(type) {
  const name = Buffer.from('\x05READY\x0bSocket-Type')
  const size = Buffer.alloc(4)
  size.writeUInt32BE(type.length)
  return Buffer.concat([name, size, Buffer.from(type)])
}

function frame(body, flags) {
  if (body.length < 256) return Buffer.concat([Buffer.of(flags, body.length), body])
  const head = Buffer.alloc(9)
  head[0] = flags | LONG
  head.writeBigUInt64BE(BigInt(body.length), 1)
  return Buffer.concat([head, body])
}

function readFrame(bytes) {
  if (bytes.length < 2) return undefined
  const flags = bytes[0]
  const isLong = (flags & LONG) !== 0
  const start = isLong ? 9 : 2
  if (bytes.length < start) return undefined
  const end = start + (isLong ? Number(bytes.readBigUInt64BE(1)) : bytes[1])
  return bytes.length < end ? undefined : { flags, body: bytes.subarray(start, end), end }
}
