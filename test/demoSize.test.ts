/** What a first visit to the built page weighs, and where its detectors are. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { listDetectors } from '../src/core/index.ts'

const FOLDER = fileURLToPath(new URL('../dist/demo/', import.meta.url))
const LIMIT = 500_000

/** Everything that the page loads without being asked for a runtime or a model: its service worker keeps just that. */
async function kept(): Promise<Map<string, Buffer>> {
  const script = await readFile(`${FOLDER}sw.js`, 'utf8')
  const names = JSON.parse(/const KEPT = (\[.*\])/.exec(script)![1]!) as string[]
  const files = names.map((name) => (name === './' ? 'index.html' : name))
  return new Map(await Promise.all(files.map(async (name) => [name, await readFile(FOLDER + name)] as const)))
}

test('all that a visit loads by itself is at most 500 kB compressed', async () => {
  const files = await kept()
  expect(
    [...files.keys()].filter((name) => /story\.worker|monitor\.worker|operated/.test(name)).length,
  ).toBeGreaterThan(2)
  const total = [...files.values()].reduce((sum, bytes) => sum + gzipSync(bytes).length, 0)
  expect(total).toBeLessThanOrEqual(LIMIT)
})

test("no script of the page itself holds a detector: they are in the workers' alone", async () => {
  const summaries = listDetectors().map(({ summary }) => summary)
  const holding = [...(await kept())].filter(([, bytes]) => summaries.some((summary) => bytes.includes(summary)))
  expect(holding.map(([name]) => name.replace(/-[\w-]{8}\.js$/, ''))).toEqual([
    'assets/monitor.worker',
    'assets/story.worker',
  ])
})
