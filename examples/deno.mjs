/**
 * A Deno function in front of a model, which remembers its clients in Deno KV when it is started again:
 *
 *     npx deno serve --unstable-kv --allow-env=SECRET --host 127.0.0.1 --port 8000 examples/deno.mjs
 *     curl http://127.0.0.1:8000 -H 'x-api-key: mallory' -d '{"text": "my card is lost"}'
 *
 * Who asks the same question some ten times, or edits it a little each time, is suspended (403); all others are served.
 */
import { denoKvStores, durableMonitor, fromJson, identifyClient, monitorFetch, probabilitiesAt } from 'monitaur/edge'
import { createMonitorEngine } from 'monitaur/embed'
import { modelApi } from './model.mjs'

const engine = createMonitorEngine({
  detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
const stores = denoKvStores(await Deno.openKv())

export default {
  fetch: monitorFetch(modelApi, {
    monitor: await durableMonitor(engine, { stores }),
    query: fromJson({ input: '$.text' }),
    output: probabilitiesAt('$.scores'),
    // Names are kept, so they must be the same after a start: with a random key they would not.
    client: identifyClient({ key: Deno.env.get('SECRET') ?? 'to be replaced by a secret' }),
  }),
}
