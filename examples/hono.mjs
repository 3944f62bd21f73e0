/**
 * A hono app whose model is watched, for users that it knows by their session. The answer is held until the verdict.
 *
 *     node examples/hono.mjs
 *     curl http://127.0.0.1:8000/mood -H 'cookie: user=mallory' -d '{"text": "my card is lost"}'
 *     curl http://127.0.0.1:8000/counts
 *
 * Asked again and again, single queries are refused (429), then the user is (403). The variable PORT chooses another port.
 */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { createMonitor } from 'monitaur'
import { fromJson, honoMonitor, identifyClient, probabilitiesAt } from 'monitaur/edge'
import { classify } from './model.mjs'

const monitor = createMonitor({
  detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
const watched = honoMonitor({
  monitor,
  query: fromJson({ input: '$.text' }),
  output: probabilitiesAt('$.scores'),
  when: 'between',
  client: identifyClient({ by: (_request, context) => context.get('user') }),
})

const app = new Hono()
app.use('/mood', async (context, next) => {
  const user = getCookie(context, 'user') // yours checks a signature here
  if (user === undefined) return context.json({ error: 'log in first' }, 401)
  context.set('user', user)
  return next()
})
app.use('/mood', watched)
app.post('/mood', async (context) => context.json(classify((await context.req.json()).text)))
app.get('/counts', (context) => context.json(watched.counts()))

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 8000) }, ({ port }) =>
  console.log(`listening on http://127.0.0.1:${port}/`),
)
