/** Model files against a real server that does everything a server can do wrong. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isMonitorError, MonitorError } from '../src/core/index.ts'
import type { ProgressEvent } from '../src/embed/embedder.ts'
import { type LoadModelOptions, loadModel } from '../src/embed/store/index.ts'

const repository = resolve(import.meta.dirname, '..')
const MODEL = Uint8Array.from(randomBytes(300_000)).fill(8, 0, 1) // a model begins with the number of its format
const OTHER = Uint8Array.from(randomBytes(1000)).fill(8, 0, 1)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const DIGEST = sha256(MODEL)

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let origin: string
let folder: string
let answer: Answer
let requests: IncomingMessage[]

const sendModel: Answer = (_, response) => {
  response.writeHead(200, { 'Content-Length': MODEL.length, ETag: '"one"' }).end(MODEL)
}

beforeEach(async () => {
  requests = []
  answer = sendModel
  folder = await mkdtemp(join(tmpdir(), 'monitaur-store-'))
  server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  vi.unstubAllGlobals()
  await stopServer()
  await rm(folder, { recursive: true, force: true })
})

function stopServer(): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Loads from the server, by default into this test's own cache. */
function load(options: LoadModelOptions = {}, path = '/models/model.onnx'): Promise<Uint8Array> {
  return loadModel(origin + path, { cache: { folder }, ...options })
}

/** The error of a load that has to fail. */
async function failure(loading: Promise<unknown>): Promise<MonitorError> {
  const thrown = await loading.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  if (!isMonitorError(thrown)) throw thrown
  return thrown
}

const files = async () => (await readdir(folder)).sort()

describe('a file from a server', () => {
  test('arrives whole, with its bytes counted', async () => {
    const events: ProgressEvent[] = []
    expect(sha256(await load({ onProgress: (event) => events.push(event) }))).toBe(DIGEST)
    expect(events.length).toBeGreaterThan(1)
    for (const [i, event] of events.entries()) {
      expect(event).toMatchObject({ phase: 'download', file: 'model.onnx', total: MODEL.length })
      expect(event.overall).toBe(event.loaded / MODEL.length)
      if (i > 0) expect(event.loaded).toBeGreaterThanOrEqual(events[i - 1]!.loaded)
    }
    expect(events.at(-1)).toMatchObject({ loaded: MODEL.length, overall: 1 })
  })

  test('is checked against its digest, in any case of letters', async () => {
    expect(sha256(await load({ sha256: DIGEST.toUpperCase() }))).toBe(DIGEST)
  })

  test('with another digest is refused, named by both digests, and not kept', async () => {
    const error = await failure(load({ sha256: sha256(OTHER) }))
    expect(error.code).toBe('model_mismatch')
    expect(error.message).toContain(DIGEST)
    expect(error.message).toContain(sha256(OTHER))
    expect(error.message).toContain('300000 bytes')
    expect(await files()).toEqual([])
  })

  test('is checked by our own SHA-256 where the page has no secure context', async () => {
    vi.stubGlobal('crypto', { randomUUID: crypto.randomUUID.bind(crypto) })
    expect(sha256(await load({ sha256: DIGEST }))).toBe(DIGEST)
    expect((await failure(load({ sha256: sha256(OTHER) }))).message).toContain(DIGEST)
  })

  test.each([
    [401, /status 401: it wants a login/],
    [403, /status 403: it is not for you/],
    [404, /status 404: no such file/],
    [410, /status 410: it was removed/],
    [500, /status 500: try again later/],
  ])('refused with %i is model_unavailable and says the status', async (status, message) => {
    answer = (_, response) => response.writeHead(status).end('no')
    const error = await failure(load())
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(message)
  })

  test('whose server is not there is model_unavailable with another message', async () => {
    await stopServer()
    const error = await failure(load())
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(/cannot be reached: .*ECONNREFUSED.*check the network/)
  })

  test('whose connection breaks midway is model_truncated and says how much came', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Length': MODEL.length })
      response.write(MODEL.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50))
    }
    const error = await failure(load())
    expect(error.code).toBe('model_truncated')
    expect(error.message).toMatch(/broke off after 100000 of 300000 bytes; try again/)
    expect(await files()).toEqual([])
  })

  test('shorter than its Content-Length is model_truncated', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Length': MODEL.length + 1 })
      response.write(MODEL, () => response.socket?.end())
    }
    const error = await failure(load())
    expect(error.code).toBe('model_truncated')
    expect(error.message).toMatch(/300000 of 300001 bytes/)
  })

  test('shorter than its Content-Length is model_truncated also where the platform lets it pass', async () => {
    const headers = { 'content-length': '2000' }
    vi.stubGlobal('fetch', async () => new Response(OTHER, { headers }))
    expect((await failure(load())).message).toMatch(/broke off after 1000 of 2000 bytes/)
  })

  test('in chunks that end too early is model_truncated', async () => {
    answer = (_, response) => {
      response.writeHead(200)
      response.write(MODEL.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50))
    }
    const error = await failure(load())
    expect(error.code).toBe('model_truncated')
    expect(error.message).toMatch(/after 1000 bytes/)
  })

  test('may come compressed: the length of what is sent is not taken for that of the file', async () => {
    const zeros = new Uint8Array(200_000).fill(8)
    const sent = gzipSync(zeros)
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Length': sent.length, 'Content-Encoding': 'gzip' }).end(sent)
    }
    const shares: number[] = []
    expect(sha256(await load({ onProgress: ({ overall }) => shares.push(overall) }))).toBe(sha256(zeros))
    expect(Math.max(...shares)).toBe(1)
  })

  test.each<[string, Record<string, string>, string | Uint8Array, RegExp]>([
    [
      'a page by its type',
      { 'Content-Type': 'text/html; charset=utf-8' },
      'hello',
      /HTML page \(content type text\/html/,
    ],
    ['a page by its text', {}, '\n<!DOCTYPE html><title>Not found</title>', /HTML page \(it begins with "<!DOCTYPE/],
    ['a Git LFS pointer', {}, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n', /Git LFS pointer/],
    ['nothing', {}, '', /is empty/],
  ])('that is %s in place of the model is model_unavailable, in words', async (_, headers, body, message) => {
    answer = (_request, response) => response.writeHead(200, headers).end(body)
    for (const options of [{}, { sha256: DIGEST }]) {
      const error = await failure(load(options))
      expect(error.code).toBe('model_unavailable')
      expect(error.message).toMatch(message)
    }
    expect(await files()).toEqual([])
  })

  test.each([true, false])('above maxBytes is refused (length announced: %s)', async (isAnnounced) => {
    answer = (_, response) => {
      response.writeHead(200, isAnnounced ? { 'Content-Length': MODEL.length } : {}).end(MODEL)
    }
    const error = await failure(load({ maxBytes: MODEL.length - 1 }))
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(/at most 299999 are accepted; raise maxBytes/)
    expect(sha256(await load({ maxBytes: MODEL.length }))).toBe(DIGEST)
    expect((await failure(load({ maxBytes: 10 }))).message).toMatch(/at most 10/) // from the cache as well
  })

  test('is never named with the secrets of its URL', async () => {
    answer = (_, response) => response.writeHead(403).end()
    const { message } = await failure(load({}, '/m.onnx?token=s3cret#s3cret'))
    expect(message).toContain(`${origin}/m.onnx?…`)
    expect(message).not.toContain('s3cret')
    const withPassword = await failure(loadModel(origin.replace('//', '//me:s3cret@')))
    expect(withPassword.code).toBe('bad_config')
    expect(withPassword.message).not.toContain('s3cret')
    await stopServer()
    expect(JSON.stringify(await failure(load({}, '/m.onnx?token=s3cret')))).not.toContain('s3cret')
  })
})

describe('aborting', () => {
  /** Half of the model, and then nothing more. */
  const stall: Answer = (_, response) => {
    response.writeHead(200, { 'Content-Length': MODEL.length })
    response.write(MODEL.subarray(0, 150_000))
  }

  test('ends the wait and the download', async () => {
    const controller = new AbortController()
    answer = stall
    const closed = new Promise<void>((resolve) => server.on('request', (request) => request.on('close', resolve)))
    const loading = load({ signal: controller.signal, onProgress: () => controller.abort() })
    expect((await failure(loading)).code).toBe('aborted')
    await closed
    expect(await files()).toEqual([])
  })

  test('before the start asks for nothing', async () => {
    expect((await failure(load({ signal: AbortSignal.abort() }))).code).toBe('aborted')
    expect((await failure(loadModel(MODEL, { signal: AbortSignal.abort() }))).code).toBe('aborted')
    expect(requests).toEqual([])
  })

  test('one of two who wait leaves the download to the other', async () => {
    let finish = () => {}
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Length': MODEL.length })
      response.write(MODEL.subarray(0, 1000))
      finish = () => response.end(MODEL.subarray(1000))
    }
    const controller = new AbortController()
    const first = load({ signal: controller.signal, onProgress: () => controller.abort() })
    const second = load()
    expect((await failure(first)).code).toBe('aborted')
    finish()
    expect(sha256(await second)).toBe(DIGEST)
    expect(requests.length).toBe(1)
  })

  test('by all leaves nothing behind: the next load begins anew', async () => {
    answer = stall
    const controller = new AbortController()
    const both = [load({ signal: controller.signal }), load({ signal: controller.signal })]
    await vi.waitFor(() => expect(requests.length).toBe(1))
    controller.abort()
    for (const loading of both) expect((await failure(loading)).code).toBe('aborted')
    answer = sendModel
    expect(sha256(await load())).toBe(DIGEST)
    expect(requests.length).toBe(2)
  })
})

describe('loads at the same time', () => {
  test('share one download, and none holds the memory of another', async () => {
    const [a, b] = await Promise.all([load(), load()])
    expect(requests.length).toBe(1)
    expect(sha256(a)).toBe(DIGEST)
    a.fill(0)
    expect(sha256(b)).toBe(DIGEST)
  })

  test('share a failure, which is then forgotten', async () => {
    answer = (_, response) => response.writeHead(500).end()
    for (const error of await Promise.all([failure(load()), failure(load())])) {
      expect(error.code).toBe('model_unavailable')
    }
    expect(requests.length).toBe(1)
    answer = sendModel
    expect(sha256(await load())).toBe(DIGEST)
  })

  test('do not suffer from a listener that throws', async () => {
    const broken = load({
      onProgress: () => {
        throw new RangeError('a bar too wide')
      },
    })
    const good = load()
    await expect(broken).rejects.toThrow('a bar too wide')
    expect(sha256(await good)).toBe(DIGEST)
  })
})

describe('the cache', () => {
  test('with a digest answers without the server, from any URL', async () => {
    await load({ sha256: DIGEST })
    await stopServer()
    const events: ProgressEvent[] = []
    expect(sha256(await load({ sha256: DIGEST, onProgress: (event) => events.push(event) }))).toBe(DIGEST)
    expect(sha256(await load({ sha256: DIGEST }, '/moved.onnx?signature=2'))).toBe(DIGEST)
    expect(events).toEqual([
      { phase: 'download', file: 'model.onnx', loaded: MODEL.length, total: MODEL.length, overall: 1 },
    ])
    expect(requests.length).toBe(1)
  })

  test('without a digest asks whether the file has changed, and sends no model if it has not', async () => {
    await load()
    answer = (_, response) => response.writeHead(304).end()
    expect(sha256(await load())).toBe(DIGEST)
    expect(requests[0]!.headers['if-none-match']).toBeUndefined()
    expect(requests[1]!.headers['if-none-match']).toBe('"one"')
  })

  test('asks nobody for files that do not change under their URL', async () => {
    await load()
    expect(sha256(await load({ revalidate: false }))).toBe(DIGEST)
    expect(requests.length).toBe(1)
  })

  test('asks by date where the server gives no ETag', async () => {
    const date = 'Tue, 24 Nov 2026 10:00:00 GMT'
    answer = (_, response) => response.writeHead(200, { 'Last-Modified': date }).end(MODEL)
    await load()
    answer = (_, response) => response.writeHead(304).end()
    expect(sha256(await load())).toBe(DIGEST)
    expect(requests[1]!.headers['if-modified-since']).toBe(date)
  })

  test('without a digest takes the new file when it has changed', async () => {
    await load()
    answer = (_, response) => response.writeHead(200, { ETag: '"two"' }).end(OTHER)
    expect(await load()).toEqual(OTHER)
    answer = (_, response) => response.writeHead(304).end()
    expect(await load()).toEqual(OTHER)
    expect(requests[2]!.headers['if-none-match']).toBe('"two"')
  })

  test.each<[string, Answer | undefined]>([
    ['is not there', undefined],
    ['answers 503', (_, response) => response.writeHead(503).end()],
    ['breaks off', (_, response) => response.destroy()],
    [
      'breaks off midway',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': OTHER.length })
        response.write(OTHER.subarray(0, 10), () => setTimeout(() => response.destroy(), 50))
      },
    ],
  ])('without a digest stands in for a server that %s, and says so', async (_, fault) => {
    await load()
    if (fault === undefined) await stopServer()
    else answer = fault
    const warnings: string[] = []
    expect(sha256(await load({ onWarning: (message) => warnings.push(message) }))).toBe(DIGEST)
    expect(warnings).toEqual([expect.stringMatching(/the copy in the cache is used/)])
  })

  test('does not stand in for a server that refuses', async () => {
    await load()
    answer = (_, response) => response.writeHead(404).end()
    expect((await failure(load())).message).toMatch(/status 404/)
  })

  test.each([true, false])(
    'that is spoiled is never used: the file is fetched anew (digest: %s)',
    async (hasDigest) => {
      const options = hasDigest ? { sha256: DIGEST } : {}
      await load(options)
      const [name] = await files()
      const kept = await readFile(join(folder, name!))
      kept[kept.length - 1]! ^= 1
      for (const spoiled of [
        kept,
        kept.subarray(0, 1000),
        Buffer.from('{}\n'),
        Buffer.alloc(0),
        Buffer.from('no line'),
      ]) {
        await writeFile(join(folder, name!), spoiled)
        const warnings: string[] = []
        expect(sha256(await load({ ...options, onWarning: (message) => warnings.push(message) }))).toBe(DIGEST)
        expect(warnings).toEqual([expect.stringMatching(/in the cache was damaged; it is fetched anew/)])
      }
      expect(requests.length).toBe(6)
      for (const { headers } of requests) expect(headers['if-none-match']).toBeUndefined()
    },
  )

  test('that is spoiled is no help when the server is away', async () => {
    await load({ sha256: DIGEST })
    await writeFile(join(folder, DIGEST), 'spoiled')
    await stopServer()
    expect((await failure(load({ sha256: DIGEST }))).message).toMatch(/cannot be reached/)
    expect(await files()).toEqual([])
  })

  test('that has been emptied is filled again, without a warning', async () => {
    await load({ sha256: DIGEST })
    await rm(folder, { recursive: true })
    const onWarning = vi.fn()
    expect(sha256(await load({ sha256: DIGEST, onWarning }))).toBe(DIGEST)
    expect(onWarning).not.toHaveBeenCalled()
    expect(await files()).toEqual([DIGEST])
  })

  test('that cannot be read or written is a warning, and the file arrives', async () => {
    const blocked = join(folder, 'a file')
    await writeFile(blocked, '')
    const warnings: string[] = []
    const options = { cache: { folder: join(blocked, 'within') }, onWarning: (text: string) => warnings.push(text) }
    expect(sha256(await load(options))).toBe(DIGEST)
    expect(warnings).toEqual([
      expect.stringMatching(/^the cache cannot be read for http.*ENOTDIR/),
      expect.stringMatching(/^the cache cannot be written for http.*ENOTDIR/),
    ])
  })

  test('of false keeps nothing', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folder)
    for (let i = 0; i < 2; i++) await load({ cache: false, sha256: DIGEST })
    expect(requests.length).toBe(2)
    expect(await files()).toEqual([])
  })

  test('lies by default where the system wants caches', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folder)
    await loadModel(`${origin}/m.onnx`, { sha256: DIGEST })
    expect(await readdir(join(folder, 'monitaur'))).toEqual([DIGEST])
    vi.stubEnv('XDG_CACHE_HOME', '')
    vi.stubEnv('HOME', folder)
    await loadModel(`${origin}/m.onnx`, { sha256: DIGEST })
    expect(await readdir(join(folder, '.cache/monitaur'))).toEqual([DIGEST])
    vi.unstubAllEnvs()
  })

  test('names files so that nothing of a URL can be read or reach another folder', async () => {
    await load({}, '/../../%2e%2e%2fsecret-name?key=s3cret')
    expect(await files()).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
    expect(await readFile(join(folder, (await files())[0]!), 'latin1')).not.toMatch(/s3cret|secret-name/)
  })

  test('is written whole or not at all, by many at once', async () => {
    const writers = Array.from({ length: 8 }, (_, i) => load({ sha256: DIGEST, maxBytes: MODEL.length + i }))
    for (const bytes of await Promise.all(writers)) expect(sha256(bytes)).toBe(DIGEST)
    expect(requests.length).toBe(8) // the limits differ, so nothing is shared
    expect(await files()).toEqual([DIGEST])
    await stopServer()
    expect(sha256(await load({ sha256: DIGEST }))).toBe(DIGEST)
  })

  test('loses what a dead process left unfinished, and not what another is writing', async () => {
    await mkdir(folder, { recursive: true })
    const [old, young] = [join(folder, 'old.part'), join(folder, 'young.part')]
    for (const path of [old, young]) await writeFile(path, '')
    await utimes(old, 0, 0)
    await load({ sha256: DIGEST })
    expect(await files()).toEqual([DIGEST, 'young.part'])
  })
})

/** Runs the store in another process, bundled from source; gives what the script prints, as JSON. */
async function inProcess(program: string, args: readonly string[], script: string, name = 'main'): Promise<unknown> {
  const bundle = await rolldown({ input: join(repository, 'src/embed/store/index.ts') })
  const home = join(folder, name)
  await bundle.write({ file: join(home, 'store.mjs') })
  await writeFile(join(home, 'main.mjs'), `import { loadModel } from './store.mjs'\n${script}`)
  const env = { ...process.env, DENO_DIR: join(folder, 'deno'), DENO_NO_UPDATE_CHECK: '1' }
  const { stdout } = await promisify(execFile)(program, [...args, join(home, 'main.mjs')], { env })
  return JSON.parse(stdout)
}

test('four processes at once fill one folder, and none sees half a file', async () => {
  const cache = JSON.stringify({ folder: join(folder, 'shared') })
  const script = `
    const lengths = []
    for (let i = 0; i < 20; i++) {
      lengths.push((await loadModel('${origin}/m.onnx', { cache: ${cache}, onWarning: (w) => lengths.push(w) })).length)
    }
    console.log(JSON.stringify(lengths))`
  // No ETag: every load writes the file again, while the others read it.
  answer = (_, response) => response.writeHead(200, { 'Content-Length': MODEL.length }).end(MODEL)
  const all = await Promise.all(
    Array.from({ length: 4 }, (_, i) => inProcess(process.execPath, [], script, `process-${i}`)),
  )
  expect(all).toEqual(Array(4).fill(Array(20).fill(MODEL.length)))
  expect(requests.length).toBe(80)
  expect((await readdir(join(folder, 'shared'))).length).toBe(1)
})

describe('in Deno', () => {
  const deno = join(repository, 'node_modules/.bin/deno')
  const inDeno = (script: string) => inProcess(deno, ['run', '--quiet', '-A'], script)

  test('a file is kept in the Cache API, checked, and had again without the server', async () => {
    const url = `${origin}/m.onnx`
    const options = { sha256: DIGEST }
    await writeFile(join(folder, 'file'), MODEL)
    const script = `
      const told = []
      const load = async (options) => (await loadModel('${url}', { ...options, onWarning: (w) => told.push(w) })).length
      const first = await load(${JSON.stringify(options)})
      const again = await load(${JSON.stringify(options)})
      const wrong = await load({ sha256: '0'.repeat(64) }).catch(({ code }) => code)
      console.log(JSON.stringify({ first, again, wrong, told, file: (await loadModel('${join(folder, 'file')}')).length }))
    `
    expect(await inDeno(script)).toMatchObject({
      first: MODEL.length,
      again: MODEL.length,
      wrong: 'model_mismatch',
      told: [],
      file: MODEL.length,
    })
    expect(requests.length).toBe(2) // the first, and the wrong one
    await stopServer()
    expect(await inDeno(`console.log((await loadModel('${url}', ${JSON.stringify(options)})).length)`)).toBe(
      MODEL.length,
    )
  })
})

describe('a file on a disk', () => {
  test('is read by path and by URL, and checked', async () => {
    const path = join(folder, 'm.onnx')
    await writeFile(path, MODEL)
    const events: ProgressEvent[] = []
    expect(sha256(await loadModel(path, { onProgress: (event) => events.push(event) }))).toBe(DIGEST)
    expect(sha256(await loadModel(pathToFileURL(path), { sha256: DIGEST }))).toBe(DIGEST)
    expect(sha256(await loadModel(pathToFileURL(path).href))).toBe(DIGEST)
    expect(events).toEqual([
      { phase: 'download', file: 'm.onnx', loaded: MODEL.length, total: MODEL.length, overall: 1 },
    ])
    expect((await failure(loadModel(path, { sha256: sha256(OTHER) }))).code).toBe('model_mismatch')
    expect((await failure(loadModel(path, { maxBytes: 1000 }))).message).toMatch(/300000 bytes, at most 1000/)
    expect((await stat(path)).size).toBe(MODEL.length)
  })

  test('that is not there is model_unavailable and named', async () => {
    const { code, message } = await failure(loadModel(join(folder, 'no.onnx')))
    expect({ code, message }).toEqual({
      code: 'model_unavailable',
      message: expect.stringMatching(/no\.onnx cannot be read: there is no such file/),
    })
    expect((await failure(loadModel(folder))).message).toMatch(/EISDIR/)
  })
})

describe('given bytes', () => {
  test.each([
    ['Uint8Array', MODEL],
    ['Buffer', Buffer.from(MODEL)],
    ['ArrayBuffer', MODEL.slice().buffer],
    ['Blob', new Blob([MODEL])],
    ['shared memory', shared(MODEL)],
  ])('as %s are checked and come back', async (_, source) => {
    expect(sha256(await loadModel(source, { sha256: DIGEST }))).toBe(DIGEST)
    expect((await failure(loadModel(source, { sha256: sha256(OTHER) }))).code).toBe('model_mismatch')
    expect((await failure(loadModel(source, { maxBytes: 10 }))).message).toMatch(/the given bytes has|at most 10/)
  })
})

function shared(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length))
  view.set(bytes)
  return view
}

describe('options and sources that make no sense are bad_config', () => {
  test.each<[string, unknown, unknown]>([
    ['source', 7, {}],
    ['source', '', {}],
    ['source', [1, 2], {}],
    ['source', 'http://', {}],
    ['sha256', MODEL, { sha256: 'abc' }],
    ['sha256', MODEL, { sha256: 12 }],
    ['maxBytes', MODEL, { maxBytes: 0.5 }],
    ['cache', MODEL, { cache: 'no' }],
    ['cache', MODEL, { cache: { folder: '' } }],
    ['cache', MODEL, { cache: null }],
    ['revalidate', MODEL, { revalidate: 1 }],
    ['onWarning', MODEL, { onWarning: 'log' }],
  ])('%s', async (path, source, options) => {
    const error = await failure(loadModel(source as string, options as LoadModelOptions))
    expect([error.code, error.path]).toEqual(['bad_config', path])
    expect(error).toBeInstanceOf(MonitorError)
  })

  test('a relative URL and a folder, where there are no files', async () => {
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
    expect((await failure(loadModel('m.onnx'))).message).toMatch(/absolute URL here, where there is no page/)
    expect((await failure(loadModel('file:///m.onnx'))).message).toMatch(/there are no files here/)
    expect((await failure(loadModel(MODEL, { cache: { folder: 'x' } }))).message).toMatch(/needs Node, Deno or Bun/)
    vi.stubGlobal('location', { href: `${origin}/page/`, origin })
    expect(sha256(await loadModel('../m.onnx'))).toBe(DIGEST)
    expect(requests.map(({ url }) => url)).toEqual(['/m.onnx'])
  })
})
