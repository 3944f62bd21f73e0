/** A detector behind comlink alone, in a worker of a page. */

import { createDetector } from '/dist/core.js'
import { expose } from '/node_modules/comlink/dist/esm/comlink.mjs'

let detector
let held
expose({
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
})
