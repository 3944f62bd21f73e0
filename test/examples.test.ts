/** The examples, run as a user would run them, on the real models of the test data. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dataDir, hasData } from './tools/data.ts'
import { commandOf } from './tools/example.ts'

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

describe('the list of examples', () => {
  const readme = readFileSync(join(examples, 'README.md'), 'utf8')
  const rows = [...readme.matchAll(/^\| \[[^\]]+\]\((\S+)\)[^|]*\| `([^`]+)` \|/gm)]

  test('says the command that stands on top of each', () => {
    expect(rows.length).toBeGreaterThan(8)
    for (const [, file, command] of rows) expect(commandOf(file!), file).toBe(command)
  })

  test('names all of them', () => {
    const named = rows.map(([, file]) => file!.split('/')[0])
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
