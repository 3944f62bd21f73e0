/** The worker and its Durable Objects. Its configuration is in the variable `MONITAUR`, see deploy/wrangler.jsonc. */
import { waitUntil } from 'cloudflare:workers'
import { cloudflare } from '../src/edge/index.ts'

const { fetch, MonitorShard, MonitorGlobal } = cloudflare({ waitUntil })

export { MonitorGlobal, MonitorShard }
export default { fetch }
