/** Requests to the server, and what its answers say. */

const TIMEOUT_MS = 10_000

/** A client of the server at `target`; the token, if there is one, goes to the operator's routes only. */
export function createClient({ target, token, signal }) {
  const operator = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return { post, get, stream }

  /** Posts JSON, or a text as it is. Gives `{ status, text }`; rejects where no answer comes. */
  async function post(path, body, { type = 'application/json', asOperator = false } = {}) {
    const headers = { 'content-type': type, ...(asOperator ? operator : {}) }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return read(await request(path, { method: 'POST', headers, body: text }))
  }

  /** Asks as the operator. */
  async function get(path) {
    return read(await request(path, { headers: operator }))
  }

  function request(path, init) {
    return fetch(target + path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
  }

  /** A stream of server-sent events: gives the name of each, until the server or the signal ends it. */
  async function* stream(path) {
    const response = await fetch(target + path, { headers: operator, signal })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    let rest = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()
      for (const line of lines) if (line.startsWith('event: ')) yield line.slice('event: '.length)
    }
  }
}

async function read(response) {
  return { status: response.status, text: await response.text() }
}

/** Why a request came to nothing, in words. */
export function reasonOf(thrown) {
  const cause = thrown.cause ?? thrown
  return { ECONNREFUSED: 'connection refused', ENOTFOUND: 'no such host' }[cause.code] ?? cause.message
}

/** The verdicts in an answer: how many were suspicious, how many queries were refused as those of suspended clients. */
export function verdictsIn(text) {
  // A list or lines of a batch, or one object.
  const items = text
    .trim()
    .split('\n')
    .flatMap((line) => JSON.parse(line))
  const verdicts = items.map((item) => item.verdict ?? item)
  return {
    suspicious: verdicts.filter(({ suspicious, is_suspicious }) => suspicious ?? is_suspicious).length,
    refused: items.filter(({ error }) => error?.code === 'suspended').length,
  }
}
