/**
 * One replica that writes entries at a steady pace and measures each from the write to its verdict, as a process of its own:
 * `node writer.mjs URL PER_SECOND SECONDS`. Prints the times in ms as JSON.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Journal } from '../../dist/edge.js'
import { createMonitorEngine } from '../../dist/embed.js'
import { redisStores } from '../../dist/server.js'
import { SECRET } from './redis.mjs'

const [url, perSecond, seconds] = process.argv.slice(2)
const stores = await redisStores({ url, secret: SECRET })
const engine = createMonitorEngine({ detectors: [{ name: 'text_similarity' }, { name: 'confidence', threshold: 1.2 }] })
const journal = await Journal.open(engine, { stores, snapshotEvery: 1e9 })
const count = Number(perSecond) * Number(seconds)
const entries = []
for (let i = 0; i < count; i++) {
  const query = {
    input: `a question about thing ${i % 997}`,
    modelOutput: [0.7, 0.2, 0.1],
    client: `client-${i % 100}`,
  }
  entries.push(await engine.featurize({ ...query, id: `${process.pid}-${i}`, timeMs: i }, {}))
}

const times = []
const pending = []
const startMs = performance.now()
for (const [i, entry] of entries.entries()) {
  const dueMs = startMs + (i * 1000) / Number(perSecond)
  const waitMs = dueMs - performance.now()
  if (waitMs > 0) await pause(waitMs)
  const beginMs = performance.now()
  pending.push(journal.apply(entry).then(() => times.push(performance.now() - beginMs)))
}
await Promise.all(pending)
console.log(JSON.stringify(times.slice(Math.floor(count / 5)))) // the first fifth is warm-up
await stores.close()
