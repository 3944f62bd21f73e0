/** In a worker of a page: the sum of the bytes that came, or that lie in shared memory. */
let shared = new Uint8Array(0)

self.onmessage = ({ data }) => {
  if (data.shared !== undefined) shared = data.shared
  const bytes = data.bytes ?? shared
  let sum = 0
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]
  self.postMessage(sum)
}
