/** The examples, run as a user would run them, on the real models of the test data. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dataDir, hasData } from './tools/data.ts'

function run(file: string, ...args: string[]): string[] {
  const out = execFileSync(process.execPath, [join(import.meta.dirname, '../examples', file), ...args], {
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
