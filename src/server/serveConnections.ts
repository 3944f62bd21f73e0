/** The connections of the server: counted, and bounded in number by giving up those that never ask anything. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** A connection that has asked nothing for longer gives way to new ones once there are too many. */
const PATIENCE_MS = 1000

export interface Connections {
  /** Open now. */
  readonly open: number
  /** Given up or refused because there were too many, since the start. */
  readonly dropped: number
}

/** Keeps the connections of a server within `most`. */
export function boundConnections(server: Server, most: number): Connections {
  /** When each began, the oldest first. */
  const begun = new Map<Socket, number>()
  let dropped = 0
  server.on('connection', (socket) => {
    if (begun.size >= most) {
      dropped++
      const oldest = oldestSilent()
      oldest?.destroy()
      if (oldest === undefined) {
        socket.destroy()
        return
      }
      begun.delete(oldest)
    }
    begun.set(socket, performance.now())
    socket.once('close', () => begun.delete(socket))
  })
  return {
    get open() {
      return begun.size
    },
    get dropped() {
      return dropped
    },
  }

  /** The oldest one that nothing was ever answered on. */
  function oldestSilent(): Socket | undefined {
    const nowMs = performance.now()
    for (const [socket, sinceMs] of begun) {
      if (socket.bytesWritten === 0 && nowMs - sinceMs >= PATIENCE_MS) return socket
    }
    return undefined
  }
}
