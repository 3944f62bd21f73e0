/** The middleware on every server runtime, over HTTP: the same answers and the same events. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleFile } from './tools/bundle.ts'
import { streamOf } from './tools/edge.ts'
import { createEdgeApp } from './tools/edgeApp.ts'
import { until } from './tools/until.ts'
import { startWorkerd, workerOf } from './tools/workerd.ts'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'monitaur-edge-'))
const app = join(folder, 'app.mjs')

beforeAll(() => bundleFile(join(root, 'test/tools/edgeApp.ts'), app))
afterAll(() => rmSync(folder, { recursive: true }))

interface Running {
  readonly origin: string
  stop(): Promise<unknown>
}

async function node(): Promise<Running> {
  const handle = createEdgeApp()
  const listener = getRequestListener((request, env) => handle(request, env), { overrideGlobalObjects: false })
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => server.close().closeAllConnections(),
  }
}

async function workerd(): Promise<Running> {
  const file = join(folder, 'worker.mjs')
  writeFileSync(
    join(folder, 'worker.entry.mjs'),
    `import { createEdgeApp } from './app.mjs'\nexport default { fetch: createEdgeApp() }\n`,
  )
  await bundleFile(join(folder, 'worker.entry.mjs'), file)
  const { url, miniflare } = await startWorkerd([workerOf(file)])
  return { origin: url.origin, stop: () => miniflare.dispose() }
}

/** A program that says its address in its first line. */
async function program(name: string, command: string, args: readonly string[], code: string): Promise<Running> {
  const file = join(folder, name)
  writeFileSync(file, `import { createEdgeApp } from './app.mjs'\n${code}`)
  const child = spawn(join(root, 'node_modules/.bin', command), [...args, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [origin] = (await once(createInterface(child.stdout), 'line')) as [string]
  return {
    origin,
    stop: async () => {
      child.kill()
      await once(child, 'exit')
    },
  }
}

const deno = () =>
  program(
    'deno.mjs',
    'deno',
    ['run', '--allow-net=127.0.0.1', '--no-prompt'],
    `Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => console.log('http://127.0.0.1:' + port) }, createEdgeApp())`,
  )
const bun = () =>
  program(
    'bun.mjs',
    'bun',
    ['run'],
    `const { port } = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: createEdgeApp() })\nconsole.log('http://127.0.0.1:' + port)`,
  )

const RUNTIMES = [
  ['Node', node, true],
  ['workerd', workerd, existsSync(join(root, 'node_modules/.bin/workerd'))],
  ['Deno', deno, existsSync(join(root, 'node_modules/.bin/deno'))],
  ['Bun', bun, existsSync(join(root, 'node_modules/.bin/bun'))],
] as const

describe.each(RUNTIMES)('%s', (name, start, isThere) => {
  const where = isThere ? '' : ` (SKIPPED: no ${name} in node_modules)`
  let running: Running
  beforeAll(async () => {
    if (isThere) running = await start()
  })
  afterAll(() => running?.stop())

  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${running.origin}/${path}`, {
      method: 'POST',
      body,
      headers,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    } as RequestInit)
  const ask = (path: string, text: string, headers?: Record<string, string>) =>
    post(path, JSON.stringify({ text }), headers)
  const json = async (response: Response) => [response.status, await response.json()]
  /** What has happened since the last look, when it is so many things. */
  const happened = async (count: number) => {
    const events: unknown[] = []
    await until(async () => {
      events.push(...((await (await fetch(`${running.origin}/events`)).json()) as unknown[]))
      return events.length >= count
    })
    return events
  }
  const holds = test.skipIf(!isThere)

  holds(`a query is answered, and judged after the answer${where}`, async () => {
    const response = await ask('classify', 'hello', { authorization: 'Bearer abc' })
    expect(response.headers.get('x-model')).toBe('m')
    expect(await json(response)).toEqual([200, { text: 'hello', scores: [0.7, 0.2, 0.1] }])
    expect(await happened(1)).toEqual([
      { kind: 'verdict', client: 'k_', suspicious: true, scores: [1, expect.closeTo(0.8018, 4)], errors: 0 },
    ])
  })

  holds(`the address that the host tells names the client${where}`, async () => {
    await (await ask('classify', 'anonymous')).text()
    expect(await happened(1)).toMatchObject([{ kind: 'verdict', client: 'a_' }])
  })

  // Deno 2.9 stops, now and then, in the middle of an answer that a stream of JavaScript makes from a request's body while
  // that body arrives. It does so without any middleware, and with it once the body has been looked at.
  const routes = name === 'Deno' ? ['mirror'] : ['mirror', 'echo']
  for (const route of routes) {
    holds(`any body comes back byte for byte, below and above the limit: ${route}${where}`, async () => {
      for (const length of [0, 1, 999, 1000, 1001, 70_000, 1_000_000]) {
        const bytes = Uint8Array.from({ length }, (_, i) => (i * 7919) >> 3)
        const middle = Math.floor(length / 2)
        const chunks = [bytes.slice(0, middle), bytes.slice(middle)].filter((chunk) => chunk.length > 0)
        for (const body of [bytes, streamOf(chunks)]) {
          const response = await post(route, body as BodyInit, { authorization: 'a' })
          const back = new Uint8Array(await response.arrayBuffer())
          expect([length, Buffer.compare(back, bytes)]).toEqual([length, 0])
        }
      }
      const events = (await happened(14)) as { kind: string; code?: string }[]
      expect(events.map(({ kind, code }) => code ?? kind)).toEqual([
        ...new Array(8).fill('verdict'),
        ...new Array(6).fill('body_too_large'),
      ])
    })
  }

  holds(`the first event of a stream is there before the second${where}`, async () => {
    const reader = (await post('stream', 'x')).body!.getReader()
    const next = async () => new TextDecoder().decode((await reader.read()).value)
    expect([await next(), await next()]).toEqual(['data: 1\n\n', 'data: 2\n\n'])
    await happened(1)
  })

  holds(`forms and packed bodies are read${where}`, async () => {
    const form = new FormData()
    form.set('text', 'in a form')
    expect(await json(await post('form', form))).toEqual([200, { text: 'in a form', scores: [0.7, 0.2, 0.1] }])
    const packed = new Blob(['{"text":"packed"}']).stream().pipeThrough(new CompressionStream('gzip'))
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer())
    expect((await post('classify', bytes, { 'content-encoding': 'gzip' })).status).toBe(500) // the handler does not unpack
    const broken = await post('form', '--x\r\n', { 'content-type': 'multipart/form-data; boundary=x' })
    expect(broken.status).toBe(500)
    const events = (await happened(5)) as { kind: string; code?: string }[]
    expect(events.map(({ kind, code }) => code ?? kind).sort()).toEqual([
      'bad_body',
      'handler_threw',
      'handler_threw',
      'verdict',
      'verdict',
    ])
  })

  holds(`a tag reaches the handler and the client${where}`, async () => {
    const response = await ask('tagged', 'only text', { 'x-monitaur-action': 'allow', authorization: 'tagged' })
    expect(response.headers.get('x-monitaur-action')).toBe('throttle') // no output is known, and the policy is closed
    expect(await json(response)).toEqual([200, { tag: 'throttle', text: '{"text":"only text"}' }])
  })

  holds(`who repeats is throttled, then suspended; others are not${where}`, async () => {
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) {
      const response = await ask('enforced', 'the same', { 'x-api-key': 'mallory' })
      statuses.push(response.status)
      await response.text()
    }
    expect(statuses).toEqual([200, 429, 403, 403])
    expect((await ask('enforced', 'the same', { 'x-api-key': 'ada' })).status).toBe(200)
    const large = await post('enforced', 'x'.repeat(1001), { 'x-api-key': 'ada' })
    expect(await json(large)).toEqual([413, { error: { code: 'body_too_large', message: 'the body is too large' } }])
    await happened(9)
  })

  holds(`silence looks like an answer${where}`, async () => {
    const answers: Response[] = []
    for (let i = 0; i < 4; i++) answers.push(await ask('silent', 'the same', { 'x-api-key': 'eve' }))
    const bodies = await Promise.all(answers.map((answer) => answer.json()))
    expect(bodies[0]).toEqual({ text: 'the same', scores: [0.7, 0.2, 0.1] })
    expect(bodies[3]).toEqual({ text: 'the same', scores: [0.9, 0.05, 0.05] })
    const headers = answers.map(({ headers }) => [...headers.keys()].filter((key) => key !== 'content-length'))
    expect(headers[3]).toEqual(headers[0])
  })

  holds(`a handler that throws throws${where}`, async () => {
    const response = await ask('throwing', 'x')
    expect([response.status, await response.text()]).toEqual([500, 'thrown: the model is gone'])
    const events = (await happened(2)) as { kind: string }[]
    expect(events.map(({ kind }) => kind).sort()).toEqual(['failed', 'verdict'])
  })

  holds(`64 requests of one client in flight are judged once each${where}`, async () => {
    const texts = Array.from({ length: 64 }, () => 'all the same')
    const responses = await Promise.all(texts.map((text) => ask('classify', text, { authorization: 'many' })))
    await Promise.all(responses.map((response) => response.text()))
    const events = (await happened(64)) as { scores: number[] }[]
    expect(events.map(({ scores }) => scores[0])).toEqual(texts.map((_, i) => i + 1))
  })
})
