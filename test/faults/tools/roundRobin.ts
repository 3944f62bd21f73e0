/** A plain TCP round-robin: each new connection goes to the next server. It knows nothing of what passes. */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

export interface RoundRobin {
  readonly address: string
  /** Connections so far, by server. */
  readonly counts: readonly number[]
  /** The servers from now on. */
  set(ports: readonly number[]): void
  close(): Promise<void>
}

export async function roundRobin(ports: readonly number[]): Promise<RoundRobin> {
  let targets = ports
  let turn = 0
  const counts = ports.map(() => 0)
  const open = new Set<Socket>()
  const server = createServer((from) => {
    const i = turn++ % targets.length
    counts[i]!++
    const to = createConnection({ host: '127.0.0.1', port: targets[i]! })
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy()) // a server that was killed: its client learns by the end
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    counts,
    set(next) {
      targets = next
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
