/** `monitaur serve`: options, sockets, signals, and the state over a restart. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { readAssets } from '../src/server/serveAssets.ts'
import { SERVE_HELP, SERVE_OPTIONS } from '../src/server/serveOptions.ts'
import { runCli, startServer } from './tools/serverCli.ts'
import { until } from './tools/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-serve-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** A server in this process, until it is stopped. */
async function start(argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const server = await startServer(argv, env)
  stops.push(server.stop)
  return server
}

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function detect(origin: string, body: unknown = { input_data: 'x', model_output: [0.5, 0.5] }) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${origin}/detect`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: await response.json() }
}

describe('the command line', () => {
  test('the help names every option and the exit codes', async () => {
    const { code, out } = await runCli(['serve', '--help'])
    expect({ code, out }).toEqual({ code: 0, out: SERVE_HELP })
    for (const name of Object.keys(SERVE_OPTIONS)) expect(out).toContain(`--${name}`)
    expect(out).toMatch(/exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  test.each([
    [['serve', 'config.yaml'], 'did you mean --config config.yaml?'],
    [['serve', '--port', 'x'], '--port: must be a whole number in [0, 65535], got "x"'],
    [['serve', '--prot', '1'], "did you mean '--port'?"],
    [['serve', '--config', join(folder, 'none.yaml')], 'cannot be read: no such file'],
    [['serve', '--detector', 'confidnce'], "did you mean 'confidence'?"],
    [['serve', '--threshold', '1'], '--threshold: goes with exactly one --detector'],
    [['serve', '--host', '0.0.0.0'], "'0.0.0.0' can be reached by others, and there is no token"],
    [['serve', '--host', '203.0.113.1', '--port', '0', '--token-file', 'TOKEN'], 'is no address of this machine'],
  ])('%j is refused with exit code 1 and a remedy', async (argv, message) => {
    const token = file('token', 't'.repeat(16))
    const { code, out, err } = await runCli(argv.map((one) => (one === 'TOKEN' ? token : one)))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
  })

  test('--print-config tells everything in force and starts nothing', async () => {
    const { code, out } = await runCli([
      'serve',
      '--print-config',
      '--json',
      '--detector',
      'text_repetition',
      '--threshold',
      '3',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(out).models[0].detectors).toMatchObject([{ name: 'text_repetition', threshold: 3 }])
  })

  test('a port that is taken is told with a remedy', async () => {
    const { origin } = await start()
    const { code, err } = await runCli(['serve', '--port', new URL(origin).port])
    expect(code).toBe(1)
    expect(err).toContain('is taken; choose another --port')
  })
})

describe('over a socket', () => {
  test('the address is printed, queries are answered, and the log has a line for a suspicious one', async () => {
    const { origin, stop, lines } = await start()
    expect(await detect(origin)).toMatchObject({ status: 200, body: { is_suspicious: false } })
    await detect(origin, { input_data: 'a secret', model_output: [0.25, 0.25, 0.25, 0.25], client_id: 'ada lovelace' })
    expect((await fetch(`${origin}/health`)).status).toBe(200)
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain('process_resident_memory_bytes')
    expect(await stop()).toBe(0)
    const log = lines()
    expect(log.map(({ event }) => event)).toEqual(['started', 'decision', 'stopping', 'stopped'])
    expect(log[1]).toMatchObject({ suspicious: true, client: expect.stringMatching(/^[0-9a-f]{16}$/) })
    expect(JSON.stringify(log)).not.toMatch(/secret|ada/)
  })

  test('a long list of classes goes the short way too, and the usual refusals are told there', async () => {
    const { origin } = await start()
    const model_output = Array.from({ length: 1000 }, () => 0.001)
    const { status, body } = await detect(origin, { input_data: 'x', model_output })
    expect(status).toBe(200)
    expect(Math.abs(body.confidence - Math.log(1000))).toBeLessThan(1e-6)
    expect(await detect(origin, { input_data: 'x', model_output: [0, 0] })).toMatchObject({
      status: 422,
      body: { error: { code: 'bad_query', path: 'model_output' } },
    })
    expect(await detect(origin, [])).toMatchObject({ status: 422 })
  })

  /** Sends bytes and reads what comes back, until the server closes. */
  function raw(origin: string, text: string): Promise<string> {
    return new Promise((done, fail) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(text))
      let answer = ''
      socket.setEncoding('latin1')
      socket.on('data', (chunk) => {
        answer += chunk
      })
      socket.on('end', () => done(answer))
      socket.on('error', fail)
      socket.setTimeout(3000, () => socket.destroy(new Error(`no end: ${answer}`)))
    })
  }

  const body = '{"input_data":"x","model_output":[1]}'
  const head = (more: string) =>
    `POST /detect HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n${more}\r\n\r\n`
  test.each([
    ['two lengths', head(`Content-Length: 5\r\nContent-Length: 6`) + body, 400],
    ['a length that is no number', head('Content-Length: -1') + body, 400],
    ['length and chunks', head(`Content-Length: ${body.length}\r\nTransfer-Encoding: chunked`) + body, 400],
    ['chunks', `${head('Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`, 200],
    ['headers of a megabyte', head(`X: ${'a'.repeat(100_000)}\r\nContent-Length: 2`), 431],
    ['no host', `GET /health HTTP/1.1\r\nConnection: close\r\n\r\n`, 400],
    ['a host that is none', 'GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
    ['a path that is none', 'GET /\\..\\x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a length of 16 GB', head('Content-Length: 17179869184'), 413],
    ['an empty body', head('Content-Length: 0'), 400],
  ])('%s is answered with a status and harms nobody', async (_, text, status) => {
    const { origin } = await start(['--quiet'])
    expect((await raw(origin, text)).slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
    expect((await detect(origin)).status).toBe(200)
  })

  test('a client that leaves in the middle of its body gives its place back', async () => {
    const { origin } = await start(['--config', file('one.yaml', 'limits: { maxConcurrent: 1 }')])
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.write(`${head('Content-Length: 100')}{"input`)
    await until(async () => (await detect(origin)).status === 503)
    socket.destroy()
    await until(async () => (await detect(origin)).status === 200)
  })

  test('a request under way when the server is told to stop is finished, and remembered', async () => {
    const state = join(folder, 'under-way.state')
    const { origin, stop } = await start(['--state', state])
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.write(head(`Content-Length: ${body.length}`) + body.slice(0, 10))
    await new Promise((done) => setTimeout(done, 50))
    const ended = stop()
    await new Promise((done) => setTimeout(done, 50))
    socket.write(body.slice(10))
    expect(await ended).toBe(0)
    expect(answer).toContain('HTTP/1.1 200')
    const again = await start(['--state', state])
    expect((await detect(again.origin)).body.metadata.num_scores).toBe(2)
  })
})

describe('the state', () => {
  test('is read at the start and written at the end, as a whole', async () => {
    const state = join(folder, 'server.state')
    const first = await start(['--state', state])
    for (let i = 0; i < 5; i++) await detect(first.origin)
    expect(existsSync(state)).toBe(false)
    expect(await first.stop()).toBe(0)
    const second = await start(['--state', state])
    expect((await detect(second.origin)).body.metadata.num_scores).toBe(6)
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([])
  })

  test('is written at intervals', async () => {
    const state = join(folder, 'often.state')
    const config = file('often.yaml', `state: { file: ${state}, everySeconds: 0.05 }`)
    const { origin } = await start(['--config', config])
    await detect(origin)
    await until(() => existsSync(state))
  })

  test('of other detectors, or damaged, is refused with a remedy and left as it is', async () => {
    const state = join(folder, 'other.state')
    const first = await start(['--state', state])
    await first.stop()
    const before = readFileSync(state)
    const other = await runCli(['serve', '--port', '0', '--state', state, '--detector', 'text_repetition'])
    expect(other.code).toBe(1)
    expect(other.err).toMatch(/is of other detectors.*move the file away/)
    writeFileSync(state, before.subarray(0, 50))
    expect((await runCli(['serve', '--port', '0', '--state', state])).code).toBe(1)
    expect(readFileSync(state)).toHaveLength(50)
  })

  test('that cannot be written ends with exit code 2', async () => {
    const { stop } = await start(['--state', join(folder, 'no', 'such', 'folder', 'x.state')])
    expect(await stop()).toBe(2)
  })
})

describe('the cockpit', () => {
  test('its files are read from the first folder that is there, the page as /', async () => {
    mkdirSync(join(folder, 'cockpit', 'assets'), { recursive: true })
    for (const [name, content] of [
      ['index.html', '<p>'],
      ['assets/main.js', 'x'],
      ['notes.txt', 'x'],
    ]) {
      file(`cockpit/${name}`, content!)
    }
    const assets = await readAssets([join(folder, 'none'), join(folder, 'cockpit')])
    expect([...assets.keys()].sort()).toEqual(['/', '/assets/main.js'])
    expect(assets.get('/assets/main.js')!.type).toContain('text/javascript')
    expect((await readAssets([join(folder, 'none')])).size).toBe(0)
  })
})

describe('a configuration that changes', () => {
  test('the file is read again; one with a mistake is refused and the old one stays', async () => {
    const config = file('live.yaml', 'detectors: [{ name: confidence, threshold: 0.8, scope: global }]')
    const { origin, lines } = await start(['--config', config])
    expect((await detect(origin)).body.is_suspicious).toBe(false)
    writeFileSync(config, 'detectors: [{ name: confidence, threshold: high, scope: global }]')
    await until(() => lines().some(({ event }) => event === 'reload_refused'))
    expect((await detect(origin)).body.is_suspicious).toBe(false)
    writeFileSync(config, 'detectors: [{ name: confidence, threshold: 0.6, scope: global }]')
    await until(() => lines().some(({ event }) => event === 'reloaded'))
    const { body } = await detect(origin)
    expect(body).toMatchObject({ is_suspicious: true, metadata: { num_scores: 3 } })
    expect(await (await fetch(`${origin}/metrics`)).text()).toMatch(
      /monitaur_config_reloads_total\{result="refused"\} 1/,
    )
  })
})

const cli = process.env['MONITAUR_CLI'] ?? resolve(import.meta.dirname, '../dist/cli.js')
const onWindows = process.platform === 'win32'

describe.skipIf(onWindows)(`the built program${onWindows ? ' (SKIPPED: Windows has no such signals)' : ''}`, () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  async function spawned(...argv: string[]) {
    const child = spawn(process.execPath, [cli, 'serve', '--port', '0', ...argv])
    children.push(child)
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    const ended = new Promise<number | null>((done) => {
      child.on('close', done)
    })
    const origin = await until(() => /^monitaur: (http:\/\/\S+)\/\n/.exec(out)?.[1])
    return { child, origin, ended, err: () => err }
  }

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s stops it with exit code 0, and no answered query is lost',
    async (signal) => {
      const state = join(folder, `${signal}.state`)
      const { child, origin, ended } = await spawned('--state', state)
      let answered = 0
      let isOver = false
      const traffic = async () => {
        while (!isOver) {
          try {
            if ((await detect(origin)).status === 200) answered++
          } catch {
            isOver = true // the connection is refused
          }
        }
      }
      const clients = [traffic(), traffic(), traffic(), traffic()]
      await until(() => answered > 50)
      child.kill(signal)
      expect(await ended).toBe(0)
      isOver = true
      await Promise.all(clients)
      const again = await spawned('--state', state)
      const { clients: known } = (await (await fetch(`${again.origin}/v1/clients`)).json()) as {
        clients: { queries: number }[]
      }
      expect(known[0]!.queries).toBe(answered)
    },
  )

  test('SIGHUP reads the configuration again', async () => {
    const config = file('hup.yaml', 'detectors: [{ name: confidence, threshold: 0.8 }]')
    const { child, err } = await spawned('--config', config)
    child.kill('SIGHUP')
    await until(() => err().includes('"event":"reloaded"'))
  })
})
