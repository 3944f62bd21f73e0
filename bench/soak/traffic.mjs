/** Mixed traffic at a steady rate, and what must come of each query. */

const WORDS = 'where is my card please refund the order cancel lost account help open change address new old'.split(' ')
/** Distinct honest clients; they come back again and again. */
const CLIENTS = 500
/** Longest wait for an answer; later counts as lost. */
const LATE_MS = 20_000

/** Numbers in [0, 1), the same for a seed. */
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The monitor that all hosts run. */
export const CONFIG = {
  detectors: [
    { name: 'confidence', mode: 'entropy', threshold: 1.3 },
    { name: 'text_repetition', threshold: 3, maxHistorySize: 50 },
    { name: 'text_similarity', threshold: 0.999, maxHistorySize: 20 },
  ],
  clients: { maxClients: 300 },
  policy: { mode: 'enforce', onError: 'open', throttleAt: 5, suspendAt: 8, suspendForMs: 5000 },
}

/** Asks for so long; counts what came. `ask(query)` gives `{ kind: 'verdict', verdict }` or `{ kind: 'refused', code }`. */
export async function drive(ask, { seconds, rate }) {
  const next = random(1)
  const counts = { asked: 0, verdicts: 0, refused: 0, lost: 0, wrong: 0, examples: [] }
  const under = new Set()
  const endMs = performance.now() + seconds * 1000
  const wrong = (what) => {
    counts.wrong++
    if (counts.examples.length < 5) counts.examples.push(what)
  }
  for (let i = 0; performance.now() < endMs; i++) {
    const { query, check } = queryOf(i, next)
    counts.asked++
    const asked = inTime(ask(query))
      .then((answer) => {
        counts[answer.kind === 'verdict' ? 'verdicts' : 'refused']++
        const problem = check(answer)
        if (problem !== undefined) wrong(`query ${i}: ${problem}, got ${JSON.stringify(answer).slice(0, 300)}`)
      })
      .catch((thrown) => {
        counts.lost++
        if (counts.examples.length < 5)
          counts.examples.push(`query ${i} lost: ${thrown.message} ${thrown.cause?.code ?? ''}`.trim())
      })
      .finally(() => under.delete(asked))
    under.add(asked)
    await new Promise((resolve) => setTimeout(resolve, 1000 / rate))
  }
  await Promise.all(under)
  return counts
}

function inTime(promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${LATE_MS} ms`)), LATE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A query, and what is wrong with an answer to it. */
function queryOf(i, next) {
  const dice = next()
  if (dice < 0.03) {
    const query = { input: 'x', modelOutput: [0.5, -1], client: 'malformed', id: `q${i}` }
    return { query: { ...query, client: 5 }, check: (answer) => refusedWith(answer, ['bad_query']) }
  }
  if (dice < 0.15) {
    const query = { input: 'the same again', modelOutput: [0.9, 0.05, 0.05], client: 'repeater', id: `q${i}` }
    return {
      query,
      check: (answer) => (answer.kind === 'refused' ? refusedWith(answer, ['suspended']) : judged(answer, query)),
    }
  }
  const text = `${Array.from({ length: 6 }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ')} ${i}`
  const client = `honest ${Math.floor(next() * CLIENTS)}`
  const query = { input: text, modelOutput: [0.9, 0.05, 0.05], client, id: `q${i}` }
  return {
    query,
    check: (answer) =>
      judged(answer, query) ?? (answer.verdict.action === 'allow' ? undefined : 'an honest query is not allowed'),
  }
}

function refusedWith({ kind, code }, codes) {
  return kind === 'refused' && codes.includes(code) ? undefined : `must be refused with ${codes.join(' or ')}`
}

function judged({ kind, verdict }, query) {
  if (kind !== 'verdict') return 'must be judged'
  const isWhole = verdict.id === query.id && verdict.client.id === query.client && verdict.detections.length === 3
  return isWhole && verdict.errors.length === 0 ? undefined : 'must be the verdict of this query, by all detectors'
}
