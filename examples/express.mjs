/**
 * An Express app whose model is watched by a middleware of a few lines: `admit` before the model runs, `inspect` after the
 * answer has gone.
 *
 *     node examples/express.mjs
 *     curl http://127.0.0.1:8000/mood -H 'x-api-key: mallory' -H 'content-type: application/json' \
 *       -d '{"text": "my card is lost"}'
 *
 * Asked again and again, the client is suspended (403); the verdicts are printed. The variable PORT chooses another port.
 */
import express from 'express'
import { createMonitor } from 'monitaur'
import { identifyClient } from 'monitaur/edge'
import { classify } from './model.mjs'

const monitor = createMonitor({
  detectors: ['text_similarity', { name: 'confidence', mode: 'margin', threshold: 0.9 }],
  policy: { mode: 'enforce', throttleAt: 3, suspendAt: 6 },
})
// Yours checks the key first; else a client has a new name with every new key.
const identify = identifyClient({ by: (_request, req) => req.get('x-api-key') ?? req.ip })

/** Watches the routes behind it. They leave the model's output in `res.locals.scores`. */
function watch(req, res, next) {
  const client = identify(undefined, req)
  const { allowed, suspendedUntilMs } = monitor.admit(client)
  if (!allowed) {
    const seconds = Math.ceil((suspendedUntilMs - Date.now()) / 1000)
    return res.status(403).set('retry-after', String(seconds)).json({ error: 'suspended' })
  }
  // Not 'finish': who hangs up early has asked all the same.
  res.once('close', () => learn({ input: req.body?.text, modelOutput: res.locals.scores, client }))
  next()
}

/** A query that the model did not answer is none. */
async function learn(query) {
  if (query.modelOutput === undefined) return
  try {
    const { action, detections } = await monitor.inspect(query)
    console.log(query.client.slice(0, 8), action, detections.map(({ reason }) => reason).join(' '))
  } catch (error) {
    console.error(error) // the answer has gone
  }
}

const app = express()
app.use(express.json())
app.post('/mood', watch, (req, res) => {
  if (typeof req.body?.text !== 'string') return res.status(400).json({ error: 'text is missing' })
  const answer = classify(req.body.text)
  res.locals.scores = answer.scores
  res.json(answer)
})

const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}/`),
)
