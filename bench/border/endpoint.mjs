/** A thread of Node, or the port to the one above, as an endpoint of the web. comlink's own takes every message for an error too. */
export function endpointOf(thread) {
  const heard = new Map()
  return {
    postMessage: (message, moved) => thread.postMessage(message, moved),
    addEventListener(type, listener) {
      const tell = (data) => (listener.handleEvent ?? listener).call(listener, { data })
      heard.set(listener, tell)
      thread.on(type, tell)
    },
    removeEventListener: (type, listener) => thread.off(type, heard.get(listener)),
    terminate: () => thread.terminate?.(),
  }
}
