/** The configuration: files, environment, command line; what is refused, and what may change while the server runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkConfig, isLoopback } from '../src/server/config/config.ts'
import { printConfig } from '../src/server/config/print.ts'
import { loadConfig, readConfigFile, unknownVariables, VARIABLES } from '../src/server/config/source.ts'
import { testServer } from './tools/serverApp.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('checking', () => {
  test('nothing said is what the reference server runs', () => {
    const { host, port, models, cors, token } = checkConfig({})
    expect({ host, port, cors, token }).toEqual({ host: '127.0.0.1', port: 8000, cors: [], token: undefined })
    expect(models).toMatchObject([
      { name: 'default', detectors: [{ name: 'confidence', mode: 'entropy', threshold: 0.8, scope: 'global' }] },
    ])
  })

  const SECRET = 'sixteen-characters'
  test.each([
    [{ prot: 1 }, 'prot', "did you mean 'port'?"],
    [{ port: 70_000 }, 'port', 'whole number in [0, 65535]'],
    [{ port: '80' }, 'port', 'whole number'],
    [{ host: '' }, 'host', 'text of 1'],
    [{ token: 'short' }, 'token', '16 … 1024 characters'],
    [{ cors: 'https://a.example' }, 'cors', 'list of origins'],
    [{ cors: ['https://a.example/path'] }, 'cors[0]', 'origin'],
    [{ detectors: [] }, 'detectors', '1 … 64 detectors'],
    [{ detectors: ['confidnce'] }, 'detectors[0].name', "did you mean 'confidence'?"],
    [{ detectors: [{ name: 'confidence', treshold: 1 }] }, 'detectors[0].treshold', "did you mean 'threshold'?"],
    [{ detectors: [{ name: 'text_repetition', threshold: 0 }] }, 'detectors[0].text_repetition.threshold', 'in [1'],
    [{ detectors: ['confidence', 'confidence'] }, 'detectors', 'give each a label'],
    [{ state: { file: 'a', journal: 'b' } }, 'state.journal', 'must not stand beside state.file'],
    [{ state: { file: 'a', redis: {} } }, 'state.redis', 'must not stand beside state.file'],
    [{ state: { redis: 'redis://x' } }, 'state.redis', 'must be a plain object'],
    [{ state: { redis: { secret: SECRET } } }, 'state.redis.url', 'must be an address such as redis://'],
    [{ state: { redis: { url: 'http://x', secret: SECRET } } }, 'state.redis.url', 'must be an address'],
    [{ state: { redis: { url: 'redis://x' } } }, 'state.redis.secret', 'MONITAUR_REDIS_SECRET'],
    [{ state: { redis: { url: 'redis://x', secret: 'short' } } }, 'state.redis.secret', '16 … 1024'],
    [{ state: { redis: { url: 'redis://x', secret: SECRET, shard: 'a b' } } }, 'state.redis.shard', 'letters, digits'],
    [{ state: { redis: { url: 'redis://x', secret: SECRET, timeoutMs: 1 } } }, 'state.redis.timeoutMs', 'in [10'],
    [{ state: { redis: { url: 'redis://x', secret: SECRET, shards: 1 } } }, 'state.redis.shards', "'shard'"],
    [{ policy: { mode: 'enfroce' } }, 'policy.mode', "'observe', 'enforce'"],
    [{ clients: { maxClients: 0 } }, 'clients.maxClients', 'whole number'],
    [{ models: [] }, 'models', '1 … 64 models'],
    [{ models: [{ name: 'a b', detectors: ['confidence'] }] }, 'models[0].name', 'letters'],
    [{ models: [{ name: 'a', detectors: ['x'] }] }, 'models[0].detectors[0].name', 'no detector'],
    [
      { models: [{ name: 'a', detectors: ['confidence'], policy: { throttleAt: 0 } }] },
      'models[0].policy.throttleAt',
      'in [1',
    ],
    [
      {
        models: [
          { name: 'a', detectors: ['confidence'] },
          { name: 'a', detectors: ['confidence'] },
        ],
      },
      'models[1].name',
      'another',
    ],
    [{ models: [{ name: 'a', detectors: ['confidence'] }], policy: {} }, 'policy', "inside each of 'models'"],
    [{ limits: { maxDepth: 1 } }, 'limits.maxDepth', 'in [2, 1000]'],
    [{ limits: { maxbatch: 1 } }, 'limits.maxbatch', "did you mean 'maxBatch'?"],
    [{ state: { file: 7 } }, 'state.file', 'text'],
    [{ log: { decisions: 'some' } }, 'log.decisions', "'all', 'suspicious' or 'none'"],
    [{ log: { key: 'x' } }, 'log.key', '16'],
    [{ metrics: { otlp: { url: 'collector:4318' } } }, 'metrics.otlp.url', 'http'],
    [{ calibratedAt: 'yesterday' }, 'calibratedAt', 'date'],
    [[], '', 'plain object'],
  ])('%j is refused at %s', (config, path, message) => {
    expect(() => checkConfig(config)).toThrow(expect.objectContaining({ code: 'bad_config', path }))
    expect(() => checkConfig(config)).toThrow(message)
  })

  test('a refused token is not shown', () => {
    expect(() => checkConfig({ token: `${SECRET}${'x'.repeat(2000)}` })).toThrow(/^(?!.*sixteen)/)
  })

  test.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.evil.example', false],
    ['192.168.0.1', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected)
  })
})

describe('files, environment and command line', () => {
  test('each stands over the one before it', async () => {
    const path = file(
      'a.yaml',
      'port: 1000\nhost: 127.0.0.2\ndetectors:\n  - name: text_repetition\n    threshold: 3\n',
    )
    const env = {
      MONITAUR_PORT: '2000',
      MONITAUR_MODE: 'enforce',
      MONITAUR_TOKEN: 'a'.repeat(16),
      MONITAUR_CORS: 'https://a.example, https://b.example',
    }
    const config = await loadConfig({ file: path, host: '127.0.0.3' }, env)
    expect(config).toMatchObject({
      port: 2000,
      host: '127.0.0.3',
      token: 'a'.repeat(16),
      cors: ['https://a.example', 'https://b.example'],
    })
    expect(config.models[0]).toMatchObject({
      policy: { mode: 'enforce' },
      detectors: [{ name: 'text_repetition', threshold: 3 }],
    })
    const chosen = await loadConfig({ file: path, detectors: [{ name: 'confidence', threshold: 0.7 }] }, env)
    expect(chosen.models[0]!.detectors).toMatchObject([{ name: 'confidence', threshold: 0.7 }])
  })

  test('JSON is as good, and an empty file says nothing', async () => {
    expect(await readConfigFile(file('b.json', '{"port": 1}'))).toEqual({ port: 1 })
    expect(await readConfigFile(file('c.yaml', '# nothing\n'))).toEqual({})
  })

  test('the mode of the environment is that of every model', async () => {
    const path = file('d.yaml', 'models: [{ name: a, detectors: [confidence] }, { name: b, detectors: [confidence] }]')
    const { models } = await loadConfig({ file: path }, { MONITAUR_MODE: 'enforce' })
    expect(models.map(({ policy }) => policy)).toEqual([{ mode: 'enforce' }, { mode: 'enforce' }])
  })

  test('a token may come from a file', async () => {
    const path = file('token', `${'t'.repeat(20)}\n`)
    expect((await loadConfig({ tokenFile: path }, {})).token).toBe('t'.repeat(20))
    expect((await loadConfig({}, { MONITAUR_TOKEN_FILE: path })).token).toBe('t'.repeat(20))
  })

  test.each([
    ['x.yaml', 'port: [1\n', /is no YAML or JSON/],
    ['y.yaml', 'port: 1\nport: 2\n', /is no YAML or JSON.*unique/i],
    ['z.yaml', '- 1\n', /must be an object of settings/],
    ['w.yaml', 'limits: { maxDepth: 0 }\n', /limits\.maxDepth: .*w\.yaml/],
  ])('%s with a mistake is refused', async (name, content, message) => {
    await expect(loadConfig({ file: file(name, content) }, {})).rejects.toThrow(message)
  })

  test('a file that is not there is refused, a port that is no number too', async () => {
    await expect(loadConfig({ file: join(folder, 'none.yaml') }, {})).rejects.toThrow('no such file')
    await expect(loadConfig({}, { MONITAUR_PORT: 'http' })).rejects.toThrow('MONITAUR_PORT: must be a number')
  })

  test('a variable with a slip of the pen is told', () => {
    expect(unknownVariables({ MONITAUR_PROT: '1', MONITAUR_PORT: '1', HOME: '/' })).toEqual([
      "MONITAUR_PROT: did you mean 'MONITAUR_PORT'?",
    ])
    expect(unknownVariables(Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, ''])))).toEqual([])
  })

  test('what is printed gives the same configuration again, without secrets', async () => {
    const secret = 's'.repeat(20)
    const config = checkConfig({
      port: 1,
      token: secret,
      log: { key: secret },
      models: [{ name: 'a', detectors: ['confidence'] }],
    })
    const yaml = printConfig(config, { json: false })
    expect(yaml).toContain('# token: is set')
    expect(yaml).not.toContain(secret)
    const { token: _, log, ...rest } = config
    const again = await loadConfig({ file: file('printed.yaml', yaml) }, {})
    expect(again).toEqual({ ...rest, log: { decisions: log.decisions, maxPerSecond: log.maxPerSecond } })
    expect(JSON.parse(printConfig(config, { json: true }))).toMatchObject({ port: 1 })
  })
})

describe('changes while it runs', () => {
  const CONFIG = { detectors: [{ name: 'text_repetition', threshold: 5 }, 'confidence'] }
  const QUERY = { input: 'a', modelOutput: [0.9, 0.1] }

  test('a threshold and a policy change over the same state', async () => {
    const { app, ask, get } = await testServer(CONFIG)
    for (let i = 0; i < 3; i++) await ask('/v1/inspect', QUERY)
    const next = { detectors: [{ name: 'text_repetition', threshold: 4 }, 'confidence'], policy: { suspendAt: 50 } }
    await app.reload(checkConfig(next))
    const { body } = await ask('/v1/inspect', QUERY)
    expect(body.detections[0]).toMatchObject({ score: 4, threshold: 4, suspicious: true })
    const status = await (await get('/v1/status')).json()
    expect(status.models[0]).toMatchObject({ policy: { suspendAt: 50 }, detectors: [{ threshold: 4 }, {}] })
  })

  test.each([
    ['another port', { ...CONFIG, port: 1 }, 'port'],
    ['another token', { ...CONFIG, token: 't'.repeat(16) }, 'token'],
    [
      'another history',
      { detectors: [{ name: 'text_repetition', threshold: 5, maxHistorySize: 50 }, 'confidence'] },
      'models[0].detectors',
    ],
    ['another detector', { detectors: ['text_repetition'] }, 'models[0].detectors'],
    ['another model', { models: [{ name: 'm', ...CONFIG }] }, 'models'],
    ['another table of clients', { ...CONFIG, clients: { maxClients: 5 } }, 'models[0].clients'],
    ['a limit that shapes memory', { ...CONFIG, limits: { recentClients: 5 } }, 'limits.recentClients'],
  ])('%s needs a restart, and nothing is changed', async (_, next, path) => {
    const { app, ask } = await testServer(CONFIG)
    await ask('/v1/inspect', QUERY)
    await expect(app.reload(checkConfig(next))).rejects.toMatchObject({ code: 'bad_config', path })
    expect((await ask('/v1/inspect', QUERY)).body.detections[0]).toMatchObject({ score: 2, threshold: 5 })
  })

  test('if one model cannot take its part, the others keep the old one', async () => {
    const detector = (threshold: number) => ({ name: 'text_repetition', threshold, maxHistorySize: 10 })
    const config = (a: number, b: number) => ({ models: [model('a', detector(a)), model('b', detector(b))] })
    const model = (name: string, one: object) => ({ name, detectors: [one] })
    const { app, ask } = await testServer(config(5, 5))
    const good = checkConfig(config(2, 2))
    const [first, second] = good.models
    const [given] = second!.detectors
    const broken = { ...second!, detectors: [{ ...(given as object), name: 'text_repetition', threshold: 0 }] }
    await expect(app.reload({ ...good, models: [first!, broken] })).rejects.toThrow('threshold')
    expect((await ask('/v1/inspect', { input: 'x', model: 'a' })).body.detections[0].threshold).toBe(5)
  })
})

describe('a log in Redis', () => {
  const SECRET = 'a secret of the tests'

  test('comes from the file, the environment and the command line, in this order', async () => {
    const path = file('redis.yaml', `state:\n  redis: { url: 'redis://file', shard: north, secret: ${SECRET} }\n`)
    const redisOf = async (overrides: object, env: Readonly<Record<string, string>> = {}) => {
      return (await loadConfig({ file: path, ...overrides }, env)).state.redis
    }
    const expected = { prefix: 'monitaur', shard: 'north', secret: SECRET, timeoutMs: 2000, retryMs: 250 }
    expect(await redisOf({})).toMatchObject({ ...expected, url: 'redis://file' })
    expect((await redisOf({}, { MONITAUR_REDIS: 'redis://env' }))?.url).toBe('redis://env')
    expect((await redisOf({ redis: 'redis://flag' }, { MONITAUR_REDIS: 'redis://env' }))?.url).toBe('redis://flag')
    expect((await redisOf({}, { MONITAUR_REDIS_SECRET: 'another secret, longer' }))?.secret).toBe(
      'another secret, longer',
    )
    const secret = file('secret', 'the secret of a file\n')
    expect((await redisOf({}, { MONITAUR_REDIS_SECRET_FILE: secret }))?.secret).toBe('the secret of a file')
    expect((await loadConfig({}, { MONITAUR_REDIS_SECRET: SECRET })).state.redis).toBeUndefined()
    const bare = await loadConfig({ redis: 'redis://flag' }, { MONITAUR_REDIS_SECRET: SECRET })
    expect(bare.state.redis).toMatchObject({ url: 'redis://flag', secret: SECRET })
    const image = { MONITAUR_STATE: '/var/state', MONITAUR_REDIS: 'redis://env', MONITAUR_REDIS_SECRET: SECRET }
    expect((await loadConfig({}, image)).state).toMatchObject({ redis: { url: 'redis://env' } })
    expect((await loadConfig({}, { MONITAUR_STATE: '/var/state', MONITAUR_JOURNAL: '/var/journal' })).state).toEqual({
      ...checkConfig({}).state,
      journal: '/var/journal',
    })
    await expect(loadConfig({ redis: 'redis://flag' }, {})).rejects.toThrow(/MONITAUR_REDIS_SECRET/)
  })

  test.each([true, false])('is printed without what is secret, and reads back (JSON: %s)', async (json) => {
    const config = checkConfig({ state: { redis: { url: 'redis://me:hidden@host:1/2', secret: SECRET } } })
    const text = printConfig(config, { json })
    expect(text).not.toMatch(/hidden|a secret of/)
    expect(text).toContain('redis://host:1/2')
    const path = file('printed.yaml', text)
    const again = await loadConfig({ file: path }, { MONITAUR_REDIS_SECRET: SECRET })
    expect(again.state.redis).toEqual({ ...config.state.redis, url: 'redis://host:1/2' })
  })

  test('cannot change while the server runs', async () => {
    const { app } = await testServer({})
    const redis = { url: 'redis://x', secret: SECRET }
    await expect(app.reload(checkConfig({ state: { redis } }))).rejects.toThrow(/state.*restart/s)
  })
})
