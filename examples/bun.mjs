/**
 * A Bun server in front of a model, which says nothing when it stops to trust a client: the answers go on, but their
 * scores tell no more.
 *
 *     npx bun examples/bun.mjs
 *     curl http://127.0.0.1:8000 -H 'x-api-key: mallory' -d '{"text": "my card is lost"}'
 *
 * After some ten times the scores are those of any other text: [0.1, 0.9]. Everybody else gets true ones. The variable
 * PORT chooses another port.
 */
import { createMonitor } from 'monitaur'
import { fromJson, monitorFetch, probabilitiesAt } from 'monitaur/edge'
import { modelApi } from './model.mjs'

const monitor = createMonitor({
  detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
const watched = monitorFetch(modelApi, {
  monitor,
  query: fromJson({ input: '$.text' }),
  output: probabilitiesAt('$.scores'),
  reply: 'silent',
})
const server = Bun.serve({ hostname: '127.0.0.1', port: process.env.PORT ?? 8000, fetch: watched })
console.log(`listening on ${server.url}`)
