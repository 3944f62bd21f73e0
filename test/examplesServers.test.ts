/** The examples that are servers, each started by its own command: honest clients are served, an attacker is not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { EDITS, HONEST, type RunningExample, type StartOptions, startExample } from './tools/example.ts'
import { findPrometheus } from './tools/prometheus.ts'
import { until } from './tools/until.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(file: string, options?: StartOptions): Promise<RunningExample> {
  const running = await startExample(file, options)
  ends.push(running.stop)
  return running
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-example-'))
  ends.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

type Headers = Readonly<Record<string, string>>

/** Asks as `curl` does in the comment on top of the example. */
function post(url: string | URL, body: object, headers: Headers): Promise<Response> {
  const content = { 'content-type': 'application/json', ...headers }
  return fetch(url, { method: 'POST', body: JSON.stringify(body), headers: content })
}

const key = (name: string): Headers => ({ 'x-api-key': name })

async function statusOf(url: string | URL, text: string, headers: Headers): Promise<number> {
  const response = await post(url, { text }, headers)
  await response.arrayBuffer()
  return response.status
}

/** Honest questions between those of an attacker; the statuses of both. */
async function play(url: string | URL, as: (name: string) => Headers = key) {
  const alice: number[] = []
  const mallory: number[] = []
  for (const [i, edit] of EDITS.entries()) {
    mallory.push(await statusOf(url, edit, as('mallory')))
    if (i < HONEST.length) alice.push(await statusOf(url, HONEST[i]!, as('alice')))
  }
  return { alice, mallory: mallory.join(' ') }
}

const SERVED = HONEST.map(() => 200)

/** Judged after its answer, so the last verdict may not be there yet. */
async function suspendsWhoEditsOneText(url: string | URL): Promise<void> {
  const { alice, mallory } = await play(url)
  expect(alice).toEqual(SERVED)
  expect(mallory).toMatch(/^200 200 200 200 200 200( 200| 403)*$/)
  await until(async () => (await statusOf(url, EDITS[0]!, key('mallory'))) === 403)
  expect(await statusOf(url, HONEST[0]!, key('alice'))).toBe(200)
}

describe('the Cloudflare Worker', () => {
  test('suspends who edits one text, remembers it over a restart, and asks the API that it is told', async () => {
    const more = ['--inspector-port 0', `--persist-to ${emptyFolder()}`]
    const first = await start('cloudflare/worker.mjs', { more })
    await suspendsWhoEditsOneText(first.address)
    await first.stop()

    const model = await modelOf({ label: 'glad', scores: [0.75, 0.25] })
    const second = await start('cloudflare/worker.mjs', { more: [...more, `--var MODEL_URL:${model.url}`] })
    expect(await statusOf(second.address, HONEST[0]!, key('mallory'))).toBe(403)
    expect(model.asked).toEqual([])
    const answer = await post(second.address, { text: HONEST[0] }, key('alice'))
    expect(await answer.json()).toEqual({ label: 'glad', scores: [0.75, 0.25] })
    expect(model.asked).toEqual([JSON.stringify({ text: HONEST[0] })])
  })

  /** A model API that always says the same. */
  async function modelOf(answer: object) {
    const asked: string[] = []
    const server = createServer(async (request, response) => {
      asked.push((await request.setEncoding('utf8').toArray()).join(''))
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    ends.push(() => server.close().closeAllConnections())
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
  }
})

test('the Deno function suspends who edits one text, and remembers it over a restart', async () => {
  const env = { DENO_DIR: emptyFolder() } // where its KV lies
  const first = await start('deno.mjs', { env })
  await suspendsWhoEditsOneText(first.address)
  await first.stop()
  const second = await start('deno.mjs', { env })
  expect(await statusOf(second.address, HONEST[0]!, key('mallory'))).toBe(403)
  expect(await statusOf(second.address, HONEST[0]!, key('alice'))).toBe(200)
})

test('the Bun server hides the scores from who edits one text, and says nothing', async () => {
  const { address } = await start('bun.mjs')
  const { alice, mallory } = await play(address)
  expect([alice, mallory]).toEqual([SERVED, EDITS.map(() => 200).join(' ')])
  const scores = async (text: string, name: string): Promise<number[]> =>
    ((await (await post(address, { text }, key(name))).json()) as { scores: number[] }).scores
  await until(async () => (await scores('a nice day', 'mallory'))[0] === 0.9)
  expect(await scores('my card is lost', 'mallory')).toEqual([expect.closeTo(0.1), expect.closeTo(0.9)])
  // One word of the stand-in's: 1 / (1 + e^-3), and 1 / (1 + e).
  expect(await scores('a nice day', 'alice')).toEqual([expect.closeTo(0.95257, 5), expect.closeTo(0.04743, 5)])
  expect(await scores('my card is lost', 'alice')).toEqual([expect.closeTo(0.26894, 5), expect.closeTo(0.73106, 5)])
})

test('the hono app throttles, then suspends the user who edits one text, whatever the address', async () => {
  const { address } = await start('hono.mjs')
  const url = new URL('mood', address)
  const { alice, mallory } = await play(url, (name) => ({ cookie: `user=${name}` }))
  expect(alice).toEqual(SERVED)
  expect(mallory).toMatch(/^(200 ){3,}(429 ){2,}(403 ?)+$/)
  expect(await statusOf(url, HONEST[0]!, {})).toBe(401)

  const refused = mallory.split(' ').filter((status) => status !== '200').length
  const counts = await (await fetch(new URL('counts', address))).json()
  expect(counts).toMatchObject({ requests: EDITS.length + HONEST.length, refused, failed: {} })
})

test('the Express app suspends who edits one text, and prints the verdicts without the key', async () => {
  const { address, printed } = await start('express.mjs')
  const url = new URL('mood', address)
  await suspendsWhoEditsOneText(url)
  expect(printed()).toMatch(/^u_\w{6} suspend Similarity score: 0\.9\d+/m)
  expect(printed()).not.toMatch(/mallory|alice/)

  const bodies = [{}, { text: 7 }]
  for (const body of bodies) expect((await post(url, body, key('bob'))).status).toBe(400)
  expect(await statusOf(url, HONEST[0]!, key('bob'))).toBe(200)
  const refusal = await post(url, { text: 'x' }, key('mallory'))
  expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(3500)
})

test("the operator's stack suspends who edits one prompt, and Prometheus knows of it", {
  timeout: 120_000,
}, async () => {
  const { prometheus } = await findPrometheus()
  const env = { PATH: [dirname(prometheus), process.env['PATH']].join(delimiter) }
  const { address, printed } = await start('operator/start.mjs', { env, more: ['--seconds 5'] })
  await until(() => printed().includes('running until Ctrl-C'), 60_000)
  expect(printed()).toMatch(/^clients suspended +1$/m)
  expect(Number(/^suspicious +(\d+)$/m.exec(printed())![1])).toBeGreaterThanOrEqual(9)
  expect(Number(/^queries judged +(\d+)$/m.exec(printed())![1])).toBeGreaterThanOrEqual(50)
  expect((await fetch(new URL('metrics', address))).status).toBe(200)

  const [, alerts] = /^alerts +(\S+)\/alerts$/m.exec(printed())!
  const { data } = (await (await fetch(`${alerts}/api/v1/rules`)).json()) as { data: { groups: object[] } }
  expect(data.groups.length).toBeGreaterThan(0)
})
