/** A worker behind its door that tells, when asked, how long it stood still at most since it was asked before. */
import { parentPort } from 'node:worker_threads'
import { serveWorker } from 'monitaur/worker'

let last = performance.now()
let longest = 0
setInterval(() => {
  longest = Math.max(longest, performance.now() - last)
  last = performance.now()
}, 1)
parentPort.on('message', ({ port }) => {
  if (port !== undefined) serveWorker(port)
  parentPort.postMessage(longest)
  longest = 0
})
