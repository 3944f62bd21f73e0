/**
 * One replica that writes entries at a steady pace and measures each from the write to its verdict, as a process of its own:
 * `node writer.mjs URL PER_SECOND SECONDS [bare]`. Prints the times in ms as JSON. With `bare` it measures what the machine
 * takes for an `XADD` of as many bytes, at the same pace, from the same client: nothing can be faster.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { Journal } from '../../dist/edge.js'
import { createMonitorEngine } from '../../dist/embed.js'
import { redisStores } from '../../dist/server.js'
import { SECRET } from './redis.mjs'

/** Before what is measured, at four times the pace: so that the code is compiled, as it is in a server that has run for a minute. */
const WARM_UP = 4000
const PACE_OF_WARM_UP = 4
const BYTES = 400

const [url, perSecond, seconds, isBare] = process.argv.slice(2)
const count = Number(perSecond) * Number(seconds)
const { write, close } = await (isBare === 'bare' ? openBare() : openJournal())
await atPace(WARM_UP, Number(perSecond) * PACE_OF_WARM_UP)
console.log(JSON.stringify(await atPace(count, Number(perSecond))))
await close()

async function openBare() {
  const client = await createClient({ url }).connect()
  const bytes = 'x'.repeat(BYTES)
  return {
    write: () => client.sendCommand(['XADD', 'bare', '*', 'e', bytes]),
    close: () => client.close(),
  }
}

async function openJournal() {
  const stores = await redisStores({ url, secret: SECRET })
  const engine = createMonitorEngine({
    detectors: [{ name: 'text_similarity' }, { name: 'confidence', threshold: 1.2 }],
  })
  const journal = await Journal.open(engine, { stores, snapshotEvery: 1e9 })
  const entries = []
  for (let i = 0; i < WARM_UP + count; i++) {
    const input = `a question about thing ${i % 997}`
    const query = { input, modelOutput: [0.7, 0.2, 0.1], client: `client-${i % 100}` }
    entries.push(await engine.featurize({ ...query, id: `${process.pid}-${i}`, timeMs: i }, {}))
  }
  let next = 0
  return { write: () => journal.apply(entries[next++]), close: () => stores.close() }
}

/** Writes so many, so many a second; how long each took, ms. */
async function atPace(writes, pace) {
  const times = []
  const pending = []
  const startMs = performance.now()
  for (let i = 0; i < writes; i++) {
    const waitMs = startMs + (i * 1000) / pace - performance.now()
    if (waitMs > 0) await pause(waitMs)
    const beginMs = performance.now()
    pending.push(write().then(() => times.push(performance.now() - beginMs)))
  }
  await Promise.all(pending)
  return times
}
