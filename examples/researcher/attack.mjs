/**
 * An attack of one's own in one file: dims one small patch of the picture after the other, and keeps what makes the model
 * less sure of its label.
 *
 *     npx monitaur eval --plugin examples/researcher/attack.mjs --attacks patches --workloads noise_copies --quick --out reports/own-attack
 *
 * The report says how often it succeeded within the budget, and which detectors saw it coming. A session ends by itself: at
 * the first wrong label, or when the queries are spent.
 */
import { defineAttack } from 'monitaur/eval'

const patches = defineAttack({
  name: 'patches',
  kind: 'image',
  sees: 'probabilities',
  summary: 'dims small patches, and keeps what the model likes less',
  defaults: { side: 2, step: 0.15 },
  async run(oracle, { source, shape }, { side, step }) {
    const x = source.slice()
    let best = await oracle.ask(x.slice())
    for (;;) {
      const next = x.slice()
      const sign = oracle.random.next() < 0.5 ? -1 : 1
      for (const i of patchOf(shape, side, oracle.random)) next[i] = Math.min(Math.max(next[i] + sign * step, 0), 1)
      const answer = await oracle.ask(next)
      if (marginOf(answer) >= marginOf(best)) continue
      best = answer
      x.set(next)
    }
  },
})

/** Indices of a random square of pixels. */
function patchOf({ width, height, channels }, side, random) {
  const [left, top] = [random.whole(width - side + 1), random.whole(height - side + 1)]
  return Array.from({ length: side * side * channels }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels]
    return ((top + Math.floor(pixel / side)) * width + left + (pixel % side)) * channels + channel
  })
}

/** How far the model's label is ahead, in nats. */
function marginOf({ logits, label }) {
  return logits[label] - Math.max(...logits.filter((_, i) => i !== label))
}

export default { attacks: [patches] }
