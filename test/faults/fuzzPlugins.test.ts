/** Plug-in files as hostile input: what they export is used or refused with the file's name, and nothing crashes later. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createRegistry } from '../../src/core/index.ts'
import { loadParts } from '../../src/eval/node/plugins.ts'
import { expectClean, expectRefusal, fuzz } from './tools/fuzz.ts'
import { oddJson, oddValue, spoilt } from './tools/odd.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-plugins-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
async function load(code: string): Promise<void> {
  const file = join(folder, `plugin-${++count}.mjs`)
  writeFileSync(file, code)
  try {
    await loadParts([file])
  } catch (thrown) {
    expectRefusal(thrown, ['bad_config'])
  }
  expectClean()
}

describe('plug-in files', () => {
  test.each([
    ['that is empty', ''],
    ['that cannot be parsed', 'export default {'],
    ['that throws', 'throw new Error("no")'],
    ['that throws what is no error', 'throw null'],
    ['that exports nothing of ours', 'export default { attack: [] }'],
    ['whose parts are no lists', 'export default { attacks: 5 }'],
    ['whose detectors are none', 'export default { detectors: { mine: null } }'],
    ['whose models are none', 'export default { victims: { mine: 5 } }'],
  ])('a file %s is refused', async (_, code) => {
    const file = join(folder, `refused-${++count}.mjs`)
    writeFileSync(file, code)
    await expect(loadParts([file])).rejects.toMatchObject({ name: 'MonitorError', code: 'bad_config' })
  })

  const good = fc.constantFrom<unknown>(
    { attacks: [{ name: 'mine', defaults: {}, run: 'function' }], data: { d: 'f' } },
    { detectors: { mine: { needs: 'fingerprint' } } },
    { workloads: [], victims: {} },
  )
  const exports = spoilt(good, oddJson).map((value) => `export default ${JSON.stringify(value) ?? 'null'}`)
  fuzz('a file', { of: exports, short: 150, full: 2000 }, load)
})

describe('detectors of users', () => {
  const spec = {
    needs: 'fingerprint',
    modality: 'text',
    family: 'repetition',
    summary: 'says nothing',
    defaults: { threshold: 1 },
  }
  fuzz('a spec', { of: fc.oneof(spoilt(fc.constant<unknown>(spec)), oddValue), short: 800, full: 40_000 }, (odd) => {
    const registry = createRegistry()
    try {
      registry.registerDetector('mine', odd as never)
      registry.listDetectors()
    } catch (thrown) {
      expectRefusal(thrown, ['bad_config'])
    }
    expectClean()
  })
})
