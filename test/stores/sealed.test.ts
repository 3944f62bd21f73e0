/** Stores under a secret: the suite, what can be seen from outside, and what is refused. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { durableMonitor, memoryStores } from '../../src/edge/index.ts'
import { createMonitorEngine, type Query } from '../../src/embed/index.ts'
import { checkConfig } from '../../src/server/config/config.ts'
import { printConfig } from '../../src/server/config/print.ts'
import { loadConfig } from '../../src/server/config/source.ts'
import { createServerApp } from '../../src/server/http/app.ts'
import { keepState } from '../../src/server/serveState.ts'
import { fileStores } from '../../src/server/stores/fileStores.ts'
import { sealedStores } from '../../src/server/stores/sealedStores.ts'
import { STORE_CHECKS } from './suite.ts'

const SECRET = 'a secret of the tests'
const root = mkdtempSync(join(tmpdir(), 'monitaur-sealed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('the suite', () => {
  for (const [i, { name, run }] of STORE_CHECKS.entries()) {
    test(`sealed files: ${name}`, async () => {
      const folder = join(root, `suite-${i}`)
      await run({ open: async () => sealedStores(await fileStores(folder), { secret: SECRET, place: 'a' }) })
    })
    test(`sealed memory: ${name}`, async () => {
      const stores = memoryStores()
      await run({ open: async () => sealedStores(stores, { secret: SECRET, place: 'a' }) })
    })
  }
})

const detectors = [{ name: 'text_repetition', threshold: 3 }]
const queries: Query[] = Array.from({ length: 30 }, (_, i) => ({
  input: `text ${i % 4}`,
  client: 'mrs-eve',
  timeMs: i,
}))

async function monitorOf(folder: string, options: { secret?: string; place?: string } = {}) {
  const files = await fileStores(folder)
  const stores = sealedStores(files, { secret: SECRET, place: 'a', ...options })
  try {
    return { stores, monitor: await durableMonitor(createMonitorEngine({ detectors }), { stores, snapshotEvery: 8 }) }
  } catch (thrown) {
    await files.close()
    throw thrown
  }
}

/** A folder that a monitor has used. */
async function usedFolder(name: string): Promise<string> {
  const folder = join(root, name)
  const { monitor, stores } = await monitorOf(folder)
  for (const query of queries) await monitor.inspect(query)
  await monitor.dispose()
  await stores.close()
  return folder
}

function contentOf(folder: string): string {
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file)).toString('latin1'))
    .join('\n')
}

describe('a sealed journal', () => {
  test('shows neither clients nor detectors, and goes on where it was', async () => {
    const folder = await usedFolder('goes on')
    expect(contentOf(folder)).not.toMatch(/mrs-eve|text_repetition/)
    const { monitor, stores } = await monitorOf(folder)
    const { detections } = await monitor.inspect({ ...queries[0]!, timeMs: 99 })
    expect(detections[0]!.score).toBe(9)
    await monitor.dispose()
    await stores.close()
  })

  test.each([
    ['another secret', { secret: 'another secret of tests' }],
    ['another place', { place: 'b' }],
  ])('under %s is refused', async (what, options) => {
    const folder = await usedFolder(what)
    await expect(monitorOf(folder, options)).rejects.toMatchObject({
      code: 'bad_snapshot',
      path: 'snapshot',
      message: expect.stringContaining('give the secret that it was written with'),
    })
  })

  test('that was written without a secret is refused, and a sealed one without it', async () => {
    const folder = join(root, 'plain')
    const plain = await fileStores(folder)
    await plain.log.append([Uint8Array.of(1, 2, 3)])
    await plain.close()
    await expect(monitorOf(folder)).rejects.toMatchObject({ code: 'bad_snapshot' })
    const sealed = await fileStores(await usedFolder('sealed'))
    await expect(durableMonitor(createMonitorEngine({ detectors }), { stores: sealed })).rejects.toMatchObject({
      code: 'bad_snapshot',
    })
    await sealed.close()
  })

  test('no secret that could be guessed', () => {
    expect(() => sealedStores(memoryStores(), { secret: 'short', place: 'a' })).toThrow(
      expect.objectContaining({ code: 'bad_config', path: 'secret' }),
    )
  })
})

describe('the state of a server', () => {
  const config = checkConfig({ detectors, log: { decisions: 'none' } })
  const file = join(root, 'server.state')
  const keep = async (secret?: string) => {
    const app = createServerApp({ config, isLocal: true })
    await app.open()
    const state = { ...config.state, file, everySeconds: 0, ...(secret === undefined ? {} : { secret }) }
    return { app, keeper: await keepState(app, state, () => {}) }
  }
  const ask = async ({ app }: Awaited<ReturnType<typeof keep>>) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'x', client: 'mrs-eve' }),
    }
    const response = await app.fetch(new Request('http://localhost/v1/inspect', init))
    return ((await response.json()) as { detections: { score: number }[] }).detections[0]!.score
  }

  test('is sealed in its file, over a restart', async () => {
    const first = await keep(SECRET)
    expect([await ask(first), await ask(first)]).toEqual([1, 2])
    await first.keeper.save()
    expect(readFileSync(file).toString('latin1')).not.toContain('mrs-eve')
    expect(await ask(await keep(SECRET))).toBe(3)
    await expect(keep('another secret of tests')).rejects.toThrow(/give the secret that it was written with/)
    await expect(keep()).rejects.toMatchObject({ code: 'bad_config' })
  })

  test('the secret comes from the environment or a file, and is not printed', async () => {
    const secretFile = join(root, 'secret')
    writeFileSync(secretFile, `${SECRET}\n`)
    for (const env of [{ MONITAUR_STATE_SECRET: SECRET }, { MONITAUR_STATE_SECRET_FILE: secretFile }]) {
      const { state } = await loadConfig({ state: '/var/state' }, env)
      expect(state).toMatchObject({ file: '/var/state', secret: SECRET })
    }
    const set = checkConfig({ state: { journal: '/var/journal', secret: SECRET } })
    for (const json of [true, false]) expect(printConfig(set, { json })).not.toContain(SECRET)
    expect(printConfig(set, { json: false })).toContain('# state.secret: is set, and not shown')
    expect(() => checkConfig({ state: { secret: 'short' } })).toThrow(
      expect.objectContaining({ code: 'bad_config', path: 'state.secret' }),
    )
  })
})
