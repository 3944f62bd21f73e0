/** In a thread of Node: our door, or a detector behind comlink alone. */
import { parentPort, workerData } from 'node:worker_threads'
import { expose } from 'comlink'

import { createDetector } from 'monitaur/core'
import { serveWorker } from 'monitaur/worker'
import { endpointOf } from './endpoint.mjs'

const endpoint = endpointOf(parentPort)
let detector
let held
if (workerData === 'ours') serveWorker(endpoint)
else {
  expose(
    {
      open(name, config) {
        detector = createDetector(name, config)
      },
      process: (observation) => detector.process(observation),
      hold(observations) {
        held = observations
      },
      judge(times) {
        for (let i = 0; i < times; i++) detector.processBatch(held)
      },
    },
    endpoint,
  )
}
