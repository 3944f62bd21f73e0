/** A client that costs little: one connection, one request at a time, no parsing beyond the length. */
import { once } from 'node:events'
import { connect } from 'node:net'

/** @returns `ask(path, body)`, which resolves to the ms until the whole answer is there, and `close`. */
export async function openClient(port) {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  let received = ''
  let settle
  socket.on('data', (data) => {
    received += data.toString('latin1')
    if (isWhole(received)) settle.resolve()
  })
  socket.on('close', () => settle?.reject(new Error('the server has closed the connection')))

  async function ask(path, body) {
    received = ''
    const whole = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    const head = [
      `POST ${path} HTTP/1.1`,
      'host: model.example',
      'content-type: application/json',
      'authorization: Bearer 0123456789abcdef0123456789abcdef',
      `content-length: ${body.length}`,
    ]
    const startMs = performance.now()
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    await whole
    const ms = performance.now() - startMs
    if (!received.startsWith('HTTP/1.1 200')) throw new Error(`${path} answered ${received.slice(0, 200)}`)
    return ms
  }
  return { ask, close: () => socket.destroy() }
}

function isWhole(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= end + 4 + Number(length)
}
