/** Whoever runs the server: looks at the clients, suspends and releases, says what was right, and listens to events. */
import { reasonOf } from './http.mjs'

const KIND = 'operates'
const EVERY_MS = 2000
const AGAIN_MS = 3000
/** Suspicions of honest people are mistakes; their names begin with these. */
const HONEST = /^(?:person|claimant)-/

/** Acts every two seconds until the signal ends it. */
export async function operate({ client, tally, random, signal }) {
  while (!signal.aborted) {
    await act({ client, tally, random }).catch((thrown) => {
      tally.unanswered(KIND)
      tally.note(`operator: ${reasonOf(thrown)}`)
    })
    await pause(EVERY_MS, signal)
  }
}

async function act({ client, tally, random }) {
  const { status, text } = await ask(() => client.get('/v1/clients?limit=20'))
  if (status === 401 || status === 403) {
    tally.note("operator: the server wants its token; set MONITAUR_TOKEN to the server's")
    return
  }
  const suspects = JSON.parse(text).clients.filter(({ suspicious }) => suspicious > 0)
  if (suspects.length === 0) return
  const { id, model, suspendedUntilMs } = random.pick(suspects)
  const isHonest = HONEST.test(id)
  await send('/v1/feedback', { model, kind: isHonest ? 'false_positive' : 'true_positive' })
  const verb = suspendedUntilMs === undefined && !isHonest ? 'suspend' : 'release'
  const name = encodeURIComponent(id === '' ? '""' : id)
  await send(`/v1/clients/${name}/${verb}?model=${model}`, verb === 'suspend' ? { forMs: 30_000 } : {})

  function send(path, body) {
    return ask(() => client.post(path, body, { asOperator: true }))
  }

  async function ask(request) {
    tally.sent(KIND)
    const answer = await request()
    tally.answered(KIND, answer.status)
    return answer
  }
}

/** Counts the events of the server until the signal ends it; begins again where the stream breaks off. */
export async function listen({ client, tally, signal }) {
  while (!signal.aborted) {
    try {
      for await (const name of client.stream('/v1/events')) tally.event(name)
    } catch (thrown) {
      if (!signal.aborted) tally.note(`events: ${reasonOf(thrown)}`)
    }
    await pause(AGAIN_MS, signal)
  }
}

/** Waits, at most until the signal. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
