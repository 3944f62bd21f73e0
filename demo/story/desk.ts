/** Where the visitor's own digits are judged: by the same network and the same watch as those of the story, as one more user. */
import { createRandom } from '../../src/eval/index.ts'
import { createDigitNet } from './digitNet.ts'
import { drawDigit } from './drawnDigits.ts'
import type { Draw, FromWorker } from './protocol.ts'
import { shownOf } from './run.ts'
import { createWatch, eightBits } from './watch.ts'

/** Time between two pictures in the stream's own time, in ms. */
const STEP_MS = 1000

export function createDesk(file: Uint8Array): (message: Draw) => FromWorker {
  const net = createDigitNet(file)
  const watch = createWatch(1, { protection: false })
  let number = 0
  return (message) => {
    const { id } = message
    if (message.kind === 'sample') {
      const random = createRandom(message.seed)
      return { kind: 'sample', id, picture: eightBits(drawDigit(random.whole(10), random)) }
    }
    const input = Float64Array.from(message.picture, (value) => value / 255)
    const logits = net(input)
    number++
    const { nearest, isSuspicious, reason } = watch.see({ lane: 0, timeMs: STEP_MS * number, input, logits })
    return { kind: 'drawn', id, number, nearest, isSuspicious, reason, ...shownOf(input, logits) }
  }
}
