/**
 * A Cloudflare Worker in front of a model API. Each client has a Durable Object that judges its queries in order, after the
 * answer has gone, and keeps what it has learned.
 *
 *     npx wrangler dev -c examples/cloudflare/wrangler.jsonc --ip 127.0.0.1 --port 8787
 *     curl http://127.0.0.1:8787 -H 'x-api-key: mallory' -d '{"text": "my card is lost"}'
 *
 * Asked again and again, the client is suspended (403), also after a restart. `--var MODEL_URL:https://…` is the API; without
 * it a stand-in answers. Before you deploy: `npx wrangler secret put SECRET -c examples/cloudflare/wrangler.jsonc`.
 */
import { waitUntil } from 'cloudflare:workers'
import { cloudflare, fromJson, identifyClient, monitorFetch, probabilitiesAt } from 'monitaur/edge'
import { modelApi } from '../model.mjs'

const { monitor, MonitorShard } = cloudflare({
  waitUntil,
  config: {
    detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
    policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
  },
})
let watched

function watch(env) {
  return monitorFetch(askModel, {
    monitor: monitor(env),
    query: fromJson({ input: '$.text' }),
    output: probabilitiesAt('$.scores'),
    // The same in every isolate.
    client: identifyClient({ key: env.SECRET ?? 'to be replaced by a secret' }),
  })
}

function askModel(request, { MODEL_URL }) {
  return MODEL_URL ? fetch(new Request(MODEL_URL, request)) : modelApi(request)
}

export { MonitorShard }
export default {
  fetch(request, env, context) {
    watched ??= watch(env)
    return watched(request, env, context)
  },
}
