/** The examples, run as a user would run them, on the real models of the test data. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createRegistry, type Observation } from '../src/core/index.ts'
import type { Plugin } from '../src/eval/node/index.ts'
import { lawsOf } from '../src/laws/index.ts'
import { dataDir, hasData } from './tools/data.ts'
import { commandOf } from './tools/example.ts'

const root = join(import.meta.dirname, '..')
const examples = join(import.meta.dirname, '../examples')

function run(file: string, ...args: string[]): string[] {
  const out = execFileSync(process.execPath, [join(examples, file), ...args], {
    encoding: 'utf8',
  })
  return out.trim().split('\n')
}

const text = 'models/text/banking77-intent/onnx/model_quantized.onnx'
const model = 'models/image/mnist/mnist.onnx'
const images = 'images/mnist/t10k-images-0-1000.idx3-ubyte'
const named = (name: string, ...files: string[]) => {
  const missing = files.filter((file) => !hasData(file))
  return {
    skip: missing.length > 0,
    title: missing.length > 0 ? `${name} (SKIPPED: no ${missing.join(', ')} in ${dataDir()})` : name,
  }
}

describe('the examples', () => {
  const first = named('a transformers.js pipeline refuses who edits one question, and answers everybody else', text)
  test.skipIf(first.skip)(first.title, () => {
    const lines = run('transformers.mjs', join(dataDir(), 'models/text'), 'banking77-intent')
    expect(lines).toHaveLength(16)
    expect(lines.filter((line) => line.startsWith('alice') && line.endsWith('refused'))).toEqual([])
    expect(
      lines.filter((line) => line.startsWith('mallory') && line.endsWith('refused')).length,
    ).toBeGreaterThanOrEqual(6)
  })

  const second = named('an ONNX model tells small steps on one digit from different digits', model, images)
  test.skipIf(second.skip)(second.title, () => {
    const lines = run('onnxruntime.mjs', join(dataDir(), model), join(dataDir(), images))
    const [honest, attacker] = lines.map((line) => Number(/: (\d+) of 40/.exec(line)![1]))
    expect(honest).toBeLessThanOrEqual(2)
    expect(attacker).toBeGreaterThanOrEqual(38)
  })
})

const file = pathToFileURL(join(examples, 'researcher/detector.mjs')).href
const fewChanges = ((await import(file)) as { default: Plugin }).default.detectors!['few_changes']!

describe('the files of a researcher', () => {
  const report = (file: string): Promise<string> => {
    const [, ...args] = commandOf(`researcher/${file}`).split(' ')
    const [folder] = args.slice(args.indexOf('--out') + 1)
    rmSync(join(root, folder!), { recursive: true, force: true }) // of a run before the last edit
    execFileSync(process.execPath, [join(root, 'dist/cli.js'), ...args.slice(1), '--quiet'], {
      cwd: root,
      stdio: 'ignore',
    })
    return readFile(join(root, folder!, 'report.md'), 'utf8')
  }

  test('put a detector of their own beside ours', async () => {
    const text = await report('detector.mjs')
    for (const attack of ['simba', 'square'])
      expect(text).toMatch(new RegExp(`^\\| ${attack} \\| few_changes \\| 2 \\|.*\\| 2/2 = 100`, 'm'))
    for (const client of ['lime \\| E', 'noise_copies \\| F'])
      expect(text).toMatch(new RegExp(`^\\| ${client} \\| few_changes \\| 0/2`, 'm'))
  })

  test('try an attack of their own, and hear who saw it coming', async () => {
    expect(await report('attack.mjs')).toMatch(/^\| patches \| answer_following \| 2 \| 2 \| \d+ \| 2\/2 = 100/m)
  })

  const registry = createRegistry().registerDetector('few_changes', fewChanges)
  const vectors = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      vector: Float64Array.from({ length: 8 }, (_, j) => (j === i % 3 ? i : j) / 99),
    }))
  const laws = lawsOf<Observation>({
    name: 'few_changes',
    make: () => registry.createDetector('few_changes'),
    queries: vectors,
    bad: { 'no vector': {}, 'another length': { vector: [1] }, NaN: { vector: Array(8).fill(NaN) } },
    window: 2,
    labelled: () => {
      const slow = vectors(40).map((observation) => ({ observation, suspicious: true }))
      const fast = vectors(40).map((_, i) => ({ observation: { vector: Array(8).fill(i / 99) }, suspicious: false }))
      return [...fast, ...slow]
    },
    foreign: { detector: 'other', version: 1, state: {} },
  })
  test.each(laws)('obey the law: $name', async ({ check }) => check())
})

describe('the list of examples', () => {
  const readme = readFileSync(join(examples, 'README.md'), 'utf8')
  const rows = [...readme.matchAll(/^\| \[[^\]]+\]\((\S+)\)[^|]*\| `([^`]+)` \|/gm)]

  test('says the command that stands on top of each', () => {
    expect(rows.length).toBeGreaterThan(8)
    for (const [, file, command] of rows) expect(commandOf(file!), file).toBe(command)
  })

  test('names all of them', () => {
    const named = new Set(rows.map(([, file]) => file!.split('/')[0]))
    expect([...named, 'README.md', 'model.mjs'].sort()).toEqual(readdirSync(examples).sort())
  })

  test('uses what a user has: packages and files of its own', () => {
    for (const file of readdirSync(examples, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(?:mjs|jsx)$/.test(file) || file.includes('.wrangler')) continue
      const imports = [...readFileSync(join(examples, file), 'utf8').matchAll(/\b(?:from|import)\s+'(\.[^']+)'/g)]
      for (const [, place] of imports) expect(join(file, '..', place!), file).not.toMatch(/^\.\./)
    }
  })
})
